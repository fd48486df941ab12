//! The desktop client: the window, the tray and the key store around `yingke_client`. It decides
//! nothing: the workbench asks the client core through one command and hears it through one channel.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod args;
mod bridge;
mod instance;
mod links;
mod notifications;
mod secrets;
mod shell;
mod tray;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

/// The label of the one window; its capability names it.
const MAIN_WINDOW: &str = "main";

fn main() -> ExitCode {
    let Some(args) = args::Args::parse(std::env::args_os().skip(1)) else {
        let _ = writeln!(std::io::stderr(), "{}", args::USAGE);
        return ExitCode::from(2);
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match shell::run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the client cannot start");
            ExitCode::FAILURE
        }
    }
}
