//! The listeners: loopback sockets around the router.
//!
//! They translate between sockets and the values of `wire` and do what a reply's plan says. They decide nothing.

pub(super) mod connection;
pub(super) mod dead_ends;
pub(super) mod http;
pub(super) mod proxy;
pub(super) mod tls;
