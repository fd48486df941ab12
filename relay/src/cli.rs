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
use crate::tools::{self, Password, ToolError};

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
    /// Add an admin; the generated password is the only line printed
    CreateAdmin {
        /// Sign-in name
        #[arg(long, value_name = "NAME")]
        account: String,
        /// Name shown to visitors and colleagues [default: the sign-in name]
        #[arg(long, value_name = "NAME")]
        nickname: Option<String>,
        #[command(flatten)]
        password: PasswordFlag,
        #[command(flatten)]
        boot: Boot,
    },
    /// Give an account a new password and end its sessions; the password is the only line printed
    ResetPassword {
        /// Sign-in name
        #[arg(long, value_name = "NAME")]
        account: String,
        #[command(flatten)]
        password: PasswordFlag,
        #[command(flatten)]
        boot: Boot,
    },
    /// Add a site; its id is the only line printed
    AddSite {
        /// The company's own name for it
        #[arg(long, value_name = "NAME")]
        name: String,
        /// An origin the widget may start on, such as https://shop.example; may be repeated
        #[arg(long = "domain", value_name = "ORIGIN", num_args = 1.., required = true)]
        domains: Vec<String>,
        #[command(flatten)]
        boot: Boot,
    },
}

#[derive(Debug, Clone, Args)]
struct PasswordFlag {
    /// Read the password from the first line of standard input instead of making one
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordFlag {
    fn choice(&self) -> Password {
        if self.password_stdin { Password::FromStdin } else { Password::Generated }
    }
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
    let command = Cli::parse().command;
    let (Command::Serve(boot)
    | Command::CheckConfig(boot)
    | Command::CreateAdmin { boot, .. }
    | Command::ResetPassword { boot, .. }
    | Command::AddSite { boot, .. }) = &command;
    let config = match boot.load() {
        Ok(config) => config,
        Err(problems) => {
            complain(&problems.to_string());
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match command {
        Command::Serve(_) => run_relay(config),
        Command::CheckConfig(_) => {
            say("the configuration is good");
            ExitCode::SUCCESS
        }
        Command::CreateAdmin { account, nickname, password, .. } => run_tool(&config, async {
            tools::create_admin(&config.data, account, nickname, password.choice()).await
        }),
        Command::ResetPassword { account, password, .. } => run_tool(&config, async {
            tools::reset_password(&config.data, &account, password.choice()).await
        }),
        Command::AddSite { name, domains, .. } => run_tool(&config, async {
            let id = tools::add_site(&config.data, &name, &domains).await?;
            Ok(Some(id.to_string()))
        }),
    }
}

/// Does something to a data folder that no relay holds; prints its one line.
fn run_tool(
    config: &Config,
    work: impl Future<Output = Result<Option<String>, ToolError>>,
) -> ExitCode {
    telemetry::start(&Config { log_filter: "warn".to_owned(), ..config.clone() });
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(work) {
        Ok(line) => {
            line.iter().for_each(|line| say(line));
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
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
