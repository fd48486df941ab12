//! The command line: which command, with which configuration. What a command prints on standard
//! output is meant for scripts; everything else goes to standard error.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::bench;
use crate::config::{Config, Flags, Problems};
use crate::serve::{ServeError, serve};
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
    /// Copy everything into a new folder, whether a relay runs or not; ends with 65 if the copy is made
    /// of data that is damaged
    Backup {
        /// The folder to make; it must not be there yet
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
        #[command(flatten)]
        boot: Boot,
    },
    /// Put a backup into the data folder, on which no relay may run
    Restore {
        /// The folder a backup was made into
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
        /// Move what is in the data folder aside first
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        boot: Boot,
    },
    /// Check all stored data, whether a relay runs or not; ends with 65 if something is damaged
    Check(Boot),
    /// Measure what this machine carries, with relays of its own; touches no relay's data
    Bench(bench::Options),
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
pub(crate) const EXIT_USAGE: u8 = 64;

/// Exit code for stored data that is damaged (EX_DATAERR of sysexits).
const EXIT_DAMAGED: u8 = 65;

/// Exit code of a relay that met a bug (EX_SOFTWARE of sysexits).
const EXIT_BUG: u8 = 70;

/// Exit code of a relay that does not know what its disk holds (EX_IOERR of sysexits).
const EXIT_DISK: u8 = 74;

/// Runs the command the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    let command = Cli::parse().command;
    let boot = match &command {
        // It measures with relays that it configures itself.
        Command::Bench(_) => None,
        Command::Serve(boot)
        | Command::CheckConfig(boot)
        | Command::CreateAdmin { boot, .. }
        | Command::ResetPassword { boot, .. }
        | Command::AddSite { boot, .. }
        | Command::Backup { boot, .. }
        | Command::Restore { boot, .. }
        | Command::Check(boot) => Some(boot),
    };
    let config = match boot.map_or_else(|| Ok(Config::default()), Boot::load) {
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
            tell(&tools::how_to_embed(&config.origin(), &id));
            if config.public_url.is_none() {
                tell(
                    "that address is where the relay listens; name the one people use by --public-url",
                );
            }
            Ok(Some(id.to_string()))
        }),
        Command::Backup { to, .. } => run_over_data(&config, || tools::backup(&config.data, &to)),
        Command::Restore { from, replace, .. } => {
            run_over_data(&config, || tools::restore(&from, &config.data, replace))
        }
        Command::Check(_) => run_over_data(&config, || tools::check(&config.data)),
        Command::Bench(options) => bench::run(&options),
    }
}

/// Goes through all the data; prints what came of it and what of it is damaged.
fn run_over_data(
    config: &Config,
    work: impl FnOnce() -> Result<(Vec<String>, usize), ToolError>,
) -> ExitCode {
    telemetry::start(&Config { log_filter: "warn".to_owned(), ..config.clone() });
    match work() {
        Ok((lines, damaged)) => {
            lines.iter().for_each(|line| say(line));
            if damaged == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_DAMAGED) }
        }
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
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
                ServeError::Storage(_) => ExitCode::from(EXIT_DISK),
                ServeError::Bug(_) => ExitCode::from(EXIT_BUG),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// One line for scripts. A closed pipe is the reader's choice.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// For people: scripts read standard output.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "yingke-relay: {}", text.trim_end());
}
