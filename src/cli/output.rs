//! Writing: data to standard output, errors to standard error. A reader that goes away is no error.

use std::io::{self, Write};

use super::Failed;
use crate::report::safe;

/// Writes to standard output.
///
/// # Errors
/// When it cannot be written; a broken pipe among them, which the caller takes for the end.
pub(super) fn print(text: &str) -> Result<(), Failed> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}

/// Writes a failure to standard error.
pub(super) fn error(failed: &Failed) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "bedside: {}", safe(&failed.to_string()));
    if let Some(hint) = failed.hints() {
        let _ = writeln!(err, "  {}", safe(hint));
    }
}

/// Writes a remark to standard error.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", safe(text));
}
