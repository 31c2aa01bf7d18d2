//! Out: what the commands print. A reader that has seen enough (`| head`) ends the command quietly; a
//! program that panics there, as `std::println` does, looks broken.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};

/// Ends like a program that the closed pipe has ended: 128 and SIGPIPE.
const CLOSED: i32 = 141;

/// Prints to standard output.
pub(super) fn print(text: Arguments<'_>, end: &str) {
    let mut out = std::io::stdout().lock();
    let written = out
        .write_fmt(text)
        .and_then(|()| out.write_all(end.as_bytes()));
    if let Err(error) = written {
        closed(&error);
    }
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "nobody reads on; nothing is open that must be put away"
)]
fn closed(error: &std::io::Error) {
    if error.kind() != ErrorKind::BrokenPipe {
        // As when the disk is full: what was asked for is not there.
        eprintln!("anteroom: standard output: {error}");
    }
    std::process::exit(CLOSED);
}
