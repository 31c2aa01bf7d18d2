//! The `anteroom` binary.

/// Runs the command line.
fn main() -> std::process::ExitCode {
    anteroom::cli::run()
}
