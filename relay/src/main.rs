//! The relay's binary: hands over to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    yingke_relay::cli::run()
}
