//! Two addresses that lead nowhere: one where connections time out, one where they are refused.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// A listener that never accepts and whose queue is full: further connections hang until they time out.
#[derive(Debug)]
pub(crate) struct BlackHole {
    pub(crate) address: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

/// A port that is taken and not listened on: connections are refused, and nobody else can get it.
#[derive(Debug)]
pub(crate) struct ClosedPort {
    pub(crate) address: SocketAddr,
    _socket: TcpSocket,
}

impl BlackHole {
    /// Filling the queue ends with a connection that times out, so it is done only where somebody will come here.
    pub(crate) async fn new(used: bool) -> io::Result<Self> {
        // Some systems queue a few more connections than they are asked for.
        const MOST: usize = 256;
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(1)?;
        let address = listener.local_addr()?;
        let mut queue = Vec::new();
        while used && queue.len() < MOST {
            match timeout(Duration::from_millis(60), TcpStream::connect(address)).await {
                Ok(Ok(stream)) => queue.push(stream),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        Ok(Self { address, _listener: listener, _queue: queue })
    }
}

impl ClosedPort {
    pub(crate) fn new() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self { address: socket.local_addr()?, _socket: socket })
    }
}
