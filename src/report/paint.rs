//! Paint: colours, symbols and line breaks for a terminal that may be narrow, without colours, or without Unicode. Colour never
//! carries a meaning alone.

use anstyle::{AnsiColor, Style};

use crate::world::terminal::{Terminal, is_live};

/// How to paint.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    colour: bool,
    unicode: bool,
    width: usize,
}

/// The marks before a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It works.
    Good,
    /// It does not.
    Bad,
    /// It works, but.
    Warning,
    /// It does not apply.
    Skipped,
    /// Could not be told.
    Unknown,
    /// Waits for something.
    Blocked,
}

impl Paint {
    /// Paints for a terminal.
    pub fn new(terminal: &Terminal) -> Self {
        Self { colour: terminal.colour, unicode: terminal.unicode, width: usize::from(terminal.width) }
    }

    /// Paints plain ASCII, for tests.
    pub fn plain(width: usize) -> Self {
        Self { colour: false, unicode: false, width }
    }

    /// Returns the width in columns.
    pub fn width(&self) -> usize {
        self.width
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A heading.
    pub fn bold(&self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    /// Words of less weight.
    pub fn dim(&self, text: &str) -> String {
        self.styled(Style::new().dimmed(), text)
    }

    /// Something to copy.
    pub fn command(&self, text: &str) -> String {
        self.styled(AnsiColor::Cyan.on_default(), text)
    }

    /// A mark.
    pub fn mark(&self, mark: Mark) -> String {
        let style = match mark {
            Mark::Good => AnsiColor::Green.on_default().bold(),
            Mark::Bad => AnsiColor::Red.on_default().bold(),
            Mark::Warning => AnsiColor::Yellow.on_default().bold(),
            Mark::Unknown => AnsiColor::Magenta.on_default().bold(),
            Mark::Skipped | Mark::Blocked => Style::new().dimmed(),
        };
        self.styled(style, self.symbol(mark))
    }

    /// Columns that a mark takes.
    pub fn mark_width(&self, mark: Mark) -> usize {
        self.symbol(mark).chars().count()
    }

    fn symbol(&self, mark: Mark) -> &'static str {
        let (unicode, ascii) = match mark {
            Mark::Good => ("✓", "ok"),
            Mark::Bad => ("✗", "x"),
            Mark::Warning => ("!", "!"),
            Mark::Skipped => ("–", "-"),
            Mark::Unknown => ("?", "?"),
            Mark::Blocked => ("·", "."),
        };
        if self.unicode { unicode } else { ascii }
    }

    /// Breaks a paragraph into lines, indented.
    pub fn paragraph(&self, text: &str, indent: usize) -> String {
        self.hanging(text, indent, indent)
    }

    /// Breaks a paragraph into lines, the first with another indent than the rest.
    pub fn hanging(&self, text: &str, first: usize, rest: usize) -> String {
        let (first, rest) = (" ".repeat(first), " ".repeat(rest));
        let options = textwrap::Options::new(self.width)
            .initial_indent(&first)
            .subsequent_indent(&rest)
            // Ids and ARNs are there to be copied: they stay whole, and the terminal wraps what is longer than a line.
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .break_words(false);
        textwrap::fill(&safe(text), options)
    }

    /// The page in characters that the terminal can show.
    pub fn finish(&self, page: &str) -> String {
        if self.unicode { page.to_owned() } else { to_ascii(page) }
    }
}

/// Text made safe for a terminal: no control characters, whatever it came from. Line feeds become spaces.
pub fn safe(text: &str) -> String {
    text.chars().map(|it| if is_live(it) { ' ' } else { it }).collect()
}

/// Nearest ASCII for the few characters that bedside's own words use; anything else becomes a question mark.
fn to_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '…' => out.push_str("..."),
            '’' | '‘' => out.push('\''),
            '“' | '”' => out.push('"'),
            '–' | '—' => out.push('-'),
            '→' => out.push_str("->"),
            '·' => out.push('.'),
            '≠' => out.push_str("!="),
            '✓' => out.push_str("ok"),
            '✗' => out.push('x'),
            '─' | '╌' => out.push('-'),
            '│' | '┆' => out.push('|'),
            '█' => out.push('#'),
            '░' => out.push('.'),
            it if it.is_ascii() => out.push(it),
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_live_reaches_the_terminal() {
        assert_eq!(safe("a\x1b]0;title\x07b\nc"), "a ]0;title b c");
        assert_eq!(to_ascii("“a” → b…é"), "\"a\" -> b...?");
    }

    #[test]
    fn long_words_stay_whole_where_they_fit() {
        let paint = Paint::plain(40);
        let lines = paint.paragraph("the id us.anthropic.claude-opus-5-5 is fine", 2);
        assert!(lines.lines().all(|line| line.len() <= 40));
        assert!(lines.contains("us.anthropic.claude-opus-5-5"));
    }
}
