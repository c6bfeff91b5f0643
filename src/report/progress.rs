//! Progress on standard error, on a terminal only. It never writes to standard output.

use std::{collections::BTreeSet, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::safe;

/// A line that says what is going on, with the time.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    going: BTreeSet<&'static str>,
}

impl Progress {
    /// Starts a line, if there is a terminal for it.
    pub fn start(visible: bool, unicode: bool, first: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_draw_target(if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
        let ticks: &[&str] = if unicode {
            &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "]
        } else {
            &["-", "\\", "|", "/", " "]
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(style.tick_strings(ticks));
        }
        bar.set_message(safe(first));
        bar.enable_steady_tick(Duration::from_millis(100));
        bar.tick();
        Self { bar, going: BTreeSet::new() }
    }

    /// Says something that stays: lines that are safe already.
    pub fn say(&self, lines: &str) {
        self.bar.println(lines);
    }

    /// Something has begun.
    pub fn began(&mut self, what: &'static str) {
        self.going.insert(what);
        self.show();
    }

    /// Something is done.
    pub fn done(&mut self, what: &'static str) {
        self.going.remove(what);
        self.show();
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Ends the line without a trace.
    pub fn clear(self) {
        self.end();
    }

    fn show(&self) {
        let words: Vec<&str> = self.going.iter().copied().collect();
        if !words.is_empty() {
            self.bar.set_message(safe(&format!("Looking at {}", words.join(", "))));
        }
    }
}
