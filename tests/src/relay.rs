//! The real relay process with a data folder of its own: started, killed, stopped, started again on
//! the same port, with faults from outside; its log is kept, shown when a test fails, and searched
//! for what must never stand in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::StatusCode;
use tempfile::TempDir;
use yingke_shared::ids::SiteId;

use crate::http::{Address, Admin};
use crate::processes::{Group, ReservedPort, find_program, reserve_port, tail};
use crate::wait;

/// How to make the relay's program for these tests.
pub const MAKE_RELAY: &str = "cargo xtask build relay";

/// The relay's program.
pub fn relay_program() -> Result<PathBuf> {
    find_program("YINGKE_RELAY_BIN", "yingke-relay", MAKE_RELAY)
}

/// A relay under test. End it by [`TestRelay::finish`]; one that is dropped otherwise belongs to a
/// failing test and shows its log.
pub struct TestRelay {
    /// Where it listens, whether it runs or not.
    pub address: Address,
    _port: ReservedPort,
    program: PathBuf,
    folder: TempDir,
    process: Option<Group>,
    environment: Vec<(OsString, OsString)>,
    admin_password: String,
    is_finished: bool,
}

impl TestRelay {
    /// A new relay with an admin, running.
    pub async fn start() -> Result<Self> {
        let mut relay = Self::prepare(relay_program()?)?;
        relay.run().await?;
        Ok(relay)
    }

    /// A new relay with an admin, not yet running.
    pub fn prepare(program: PathBuf) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("yingke-relay-").tempdir()?;
        let mut relay = Self::empty(program, folder)?;
        relay.create_admin()?;
        Ok(relay)
    }

    /// A relay that has never been started, or whose data the test has laid into its data folder.
    pub fn empty(program: PathBuf, folder: TempDir) -> Result<Self> {
        let port = reserve_port()?;
        Ok(Self {
            address: Address::new(port.number())?,
            _port: port,
            program,
            folder,
            process: None,
            environment: Vec::new(),
            admin_password: String::new(),
            is_finished: false,
        })
    }

    /// Gives it an admin, by the command line.
    pub fn create_admin(&mut self) -> Result<()> {
        self.admin_password = self.command_line(&["create-admin", "--account", "root"])?;
        self.address.said.note(&self.admin_password);
        Ok(())
    }

    /// Its data came from that relay, so its admin has the same password.
    pub fn take_admin_of(&mut self, other: &Self) {
        self.admin_password.clone_from(&other.admin_password);
    }

    /// Runs a verb of the program on this data folder; gives the only line it prints.
    pub fn command_line(&self, arguments: &[&str]) -> Result<String> {
        let (verb, rest) = arguments.split_first().context("a verb")?;
        let done = Command::new(&self.program)
            .arg(verb)
            .arg("--data")
            .arg(self.data_dir())
            .args(rest)
            .envs(self.environment.iter().cloned())
            .output()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let complained = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "{verb}: {}\n{said}\n{complained}", done.status);
        let lines: Vec<&str> = said.lines().collect();
        ensure!(lines.len() == 1, "{verb} printed {} lines, not one", lines.len());
        Ok(lines[0].to_owned())
    }

    /// Where everything of it is stored.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its log file.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.folder.path().join("relay.log")
    }

    /// A folder for whatever belongs to this relay's test.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// Sets a variable of the next starts.
    pub fn set_environment(&mut self, name: &str, value: impl Into<OsString>) {
        self.unset_environment(name);
        self.environment.push((name.into(), value.into()));
    }

    /// Removes a variable of the next starts.
    pub fn unset_environment(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// This one is expected to have trouble: its end shows no log.
    pub fn give_up(mut self) {
        self.is_finished = true;
    }

    /// Starts the process without waiting for it.
    pub fn spawn(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "the relay runs already");
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            .arg("--data")
            .arg(self.data_dir())
            .arg("--listen")
            .arg(format!("127.0.0.1:{}", self.address.port))
            .envs(self.environment.iter().cloned());
        self.process = Some(Group::start("the relay", &mut command, &self.log_file())?);
        Ok(())
    }

    /// Starts the process and waits until it is ready; gives how long that took.
    pub async fn run(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        self.spawn()?;
        self.ready().await?;
        Ok(begun.elapsed())
    }

    /// Waits until `/healthz` says ok.
    pub async fn ready(&mut self) -> Result<()> {
        let address = self.address.clone();
        let end = Instant::now() + wait::LIMIT;
        loop {
            if let Ok((status, _, body)) = address.get("/healthz", &[]).await
                && status == StatusCode::OK
                && body.contains("\"ok\"")
            {
                return Ok(());
            }
            if let Some(status) = self.ended()? {
                bail!("the relay ended ({status}) instead of becoming ready");
            }
            ensure!(Instant::now() < end, "the relay is not ready within {:?}", wait::LIMIT);
            wait::pass(Duration::from_millis(5)).await;
        }
    }

    /// Whether a process is there that has not been seen to end.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Whether the process has ended by itself, and how.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        match &mut self.process {
            None => Ok(None),
            Some(process) => {
                let ended = process.ended()?;
                if ended.is_some() {
                    self.process = None;
                }
                Ok(ended)
            }
        }
    }

    /// Waits until the process has ended by itself.
    pub async fn until_ended(&mut self) -> Result<ExitStatus> {
        let end = Instant::now() + wait::LIMIT;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            ensure!(Instant::now() < end, "the relay does not end within {:?}", wait::LIMIT);
            wait::pass(Duration::from_millis(5)).await;
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().context("the relay does not run")?.kill()
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.process.as_ref().context("the relay does not run")?.signal("TERM")?;
        self.until_ended().await
    }

    /// The process's id.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.process.as_ref().context("the relay does not run")?.pid())
    }

    /// Sends it a signal by name: `STOP` makes it stand still, `CONT` go on.
    pub fn signal(&self, signal: &str) -> Result<()> {
        self.process.as_ref().context("the relay does not run")?.signal(signal)
    }

    /// Everything it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    /// Signs the admin in.
    pub async fn admin(&self) -> Result<Admin> {
        let signed_in = self.address.sign_in("root", &self.admin_password).await?;
        Ok(Admin { address: self.address.clone(), token: signed_in.token })
    }

    /// Adds a site whose widget starts on `origin`, by the command line: while it does not run.
    pub fn add_site(&self, name: &str, origin: &str) -> Result<SiteId> {
        let id = self.command_line(&["add-site", "--name", name, "--domain", origin])?;
        Ok(SiteId::new(id)?)
    }

    /// The good end of a test: a graceful stop, no complaint and nothing private in the log.
    pub async fn finish(mut self) -> Result<()> {
        if self.process.is_some() {
            let status = self.stop().await?;
            ensure!(status.success(), "SIGTERM ended the relay with {status}");
        }
        let log = self.log();
        if let Some(leaked) = self.address.said.leaked_into(&log) {
            bail!("the relay's log contains what was said: {leaked:?}");
        }
        ensure!(!log.contains("panicked"), "the relay panicked");
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for TestRelay {
    fn drop(&mut self) {
        self.process = None;
        if !self.is_finished {
            let log = self.log_file();
            eprintln!("--- the relay's log, its end ---\n{}\n---", tail(&log, 60));
        }
    }
}
