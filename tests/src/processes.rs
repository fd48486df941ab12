//! Child processes of a test: each in a process group of its own, its output in a file, the whole
//! group ended when the value goes.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context as _, Result, bail};

/// A running child and everything it started.
#[derive(Debug)]
pub struct Group {
    child: Child,
    name: String,
}

/// Lets this process open as many files, and sockets, as the system lets it have.
pub fn allow_many_files() -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

impl Group {
    /// Starts `command`; both its outputs are appended to `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {name}: {command:?}"))?;
        Ok(Self { child, name: name.to_owned() })
    }

    /// The child's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// `kill -9`, and waits until the process is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends a signal by name to the child alone.
    pub fn signal(&self, signal: &str) -> Result<()> {
        signal_to(signal, &self.pid().to_string())
    }
}

impl Group {
    /// The same to everything it started as well.
    pub fn signal_all(&self, signal: &str) -> Result<()> {
        signal_to(signal, &format!("-{}", self.pid()))
    }
}

/// Resident memory of a process.
pub fn resident_kib(pid: u32) -> Result<f64> {
    of_status(pid, "VmRSS:")
}

/// The most resident memory a process ever had.
pub fn peak_kib(pid: u32) -> Result<f64> {
    of_status(pid, "VmHWM:")
}

fn of_status(pid: u32, name: &'static str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

impl Drop for Group {
    fn drop(&mut self) {
        // The group may outlive its first process: a driver's browser, a session bus's daemon.
        let _ = signal_to("KILL", &format!("-{}", self.pid()));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends every process of a group that somebody else started.
pub fn end_group(group: u32) -> Result<()> {
    signal_to("KILL", &format!("-{group}"))
}

fn signal_to(signal: &str, target: &str) -> Result<()> {
    let done = Command::new("sh")
        .args(["-c", "kill -s \"$0\" -- \"$1\" 2>/dev/null", signal, target])
        .status()?;
    if done.success() { Ok(()) } else { bail!("no process {target} to send {signal}") }
}

static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// A port that stays usable across restarts of whoever listens on it, for as long as this value is
/// kept: no other test has it meanwhile, in whatever process.
#[derive(Debug)]
pub struct ReservedPort {
    number: u16,
    _lock: File,
}

impl ReservedPort {
    /// The port.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// Takes a port outside the range the system takes for outgoing connections, on which nobody listens.
pub fn reserve_port() -> Result<ReservedPort> {
    const FIRST: u16 = 20_000;
    const SPAN: u16 = 12_000;
    let user = std::env::var("USER").unwrap_or_default();
    let locks = std::env::temp_dir().join(format!("yingke-test-ports-{user}"));
    std::fs::create_dir_all(&locks)?;
    let start = u16::try_from(std::process::id() % u32::from(SPAN)).unwrap_or(0);
    for _ in 0..SPAN {
        let step = NEXT_PORT.fetch_add(7, Ordering::Relaxed);
        let number = FIRST + start.wrapping_add(step) % SPAN;
        let lock = File::create(locks.join(number.to_string()))?;
        let is_ours = lock.try_lock().is_ok();
        if is_ours && std::net::TcpListener::bind(("127.0.0.1", number)).is_ok() {
            return Ok(ReservedPort { number, _lock: lock });
        }
    }
    bail!("no free port on 127.0.0.1")
}

/// The end of a log, for a failing test's output.
#[must_use]
pub fn tail(log: &Path, lines: usize) -> String {
    let text = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// A built program: named by the environment `variable`, or standing at `path` in the folder of built
/// programs (`YINGKE_BIN_DIR`, else the debug folder of cargo's target), or on the `PATH`. Otherwise
/// an error with the command that makes it.
pub fn find_program(variable: &str, name: &str, make: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        let path = PathBuf::from(path);
        if path.is_file() {
            return Ok(path);
        }
        bail!("{variable} names {}, which is not there; make it by: {make}", path.display());
    }
    let mut places = Vec::new();
    match std::env::var_os("YINGKE_BIN_DIR") {
        Some(dir) => places.push(PathBuf::from(dir)),
        None => places.push(target_dir()?.join("debug")),
    }
    places.push(target_dir()?.join("tools/bin"));
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    places
        .iter()
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("{name} is missing; make it by: {make}"))
}

/// Cargo's target folder: where this very program stands, as `PROFILE/deps/NAME` or `PROFILE/NAME`.
pub fn target_dir() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    own.ancestors()
        .skip(1)
        .find(|dir| dir.join("deps").is_dir() && dir.join("build").is_dir())
        .and_then(Path::parent)
        .map(Path::to_path_buf)
        .context("this program does not stand in a cargo target folder")
}
