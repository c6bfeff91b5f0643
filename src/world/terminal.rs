//! The terminal: whether there is one, how wide it is, whether it may show colours and characters beyond ASCII.

use std::io::{IsTerminal, stderr, stdout};

use super::World;

/// Whether a character could do something to a terminal, or to a reader's eye, instead of standing for itself: control characters,
/// bidirectional controls, zero-width characters, tags.
pub fn is_live(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// What may be printed where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal that can redraw a line.
    pub stderr: bool,
    /// Columns, from 40 to 200; 100 when there is no terminal.
    pub width: u16,
    /// Characters beyond ASCII may be printed.
    pub unicode: bool,
    /// Colours may be printed on standard output.
    pub colour: bool,
}

impl Terminal {
    /// Looks at the process's own terminal. `COLUMNS` wins over what the terminal says.
    pub fn detect(world: &World) -> Self {
        let dumb = world.variable("TERM").is_some_and(|term| term == "dumb");
        let out = stdout().is_terminal();
        let columns = world
            .filled_variable("COLUMNS")
            .and_then(|columns| columns.trim().parse::<u16>().ok())
            .or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0))
            .unwrap_or(100);
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| world.filled_variable(name));
        let unicode = match locale {
            Some(locale) => {
                let locale = locale.to_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            }
            // Windows terminals and macOS speak UTF-8 without saying so; a Unix without any locale is ASCII.
            None => world.platform() != super::Platform::Linux,
        };
        let no_colour = world.filled_variable("NO_COLOR").is_some();
        let forced = world.filled_variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        Self {
            stdout: out,
            stderr: stderr().is_terminal() && !dumb,
            width: columns.clamp(40, 200),
            unicode,
            colour: !no_colour && ((out && !dumb) || forced),
        }
    }
}
