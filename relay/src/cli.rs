//! The command line: which command, with which configuration. What a command prints on standard
//! output is meant for scripts; everything else goes to standard error.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Flags, Problems};
use crate::serve::{ServeError, serve};
use crate::store::Fatal;
use crate::telemetry;

/// The relay of Yingke 迎客: stores and routes everything between visitors and agents.
#[derive(Debug, Parser)]
#[command(name = "yingke-relay", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the relay until it is asked to stop
    Serve(Boot),
    /// Check the configuration, say everything that is wrong with it, start nothing
    CheckConfig(Boot),
}

#[derive(Debug, Clone, Args)]
struct Boot {
    /// Configuration file (TOML); see relay.example.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

impl Boot {
    fn load(&self) -> Result<Config, Problems> {
        Config::load(self.config.as_deref(), &self.flags)
    }
}

/// Exit code for a configuration or a command line that cannot be used (EX_USAGE of sysexits).
const EXIT_USAGE: u8 = 64;

/// Runs the command the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let (Command::Serve(boot) | Command::CheckConfig(boot)) = &cli.command;
    let config = match boot.load() {
        Ok(config) => config,
        Err(problems) => {
            complain(&problems.to_string());
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match cli.command {
        Command::Serve(_) => run_relay(config),
        Command::CheckConfig(_) => {
            say("the configuration is good");
            ExitCode::SUCCESS
        }
    }
}

fn run_relay(config: Config) -> ExitCode {
    telemetry::start(&config);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let outcome = runtime
        .block_on(serve(config, |address| say(&format!("listening on {scheme}://{address}"))));
    // Nothing is waited for any more: what had to end has ended, or the database has failed.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            match error {
                ServeError::Storage(_) => ExitCode::from(Fatal::EXIT_CODE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// One line for scripts. A closed pipe is the reader's choice.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "yingke-relay: {}", text.trim_end());
}
