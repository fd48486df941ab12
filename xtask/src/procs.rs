//! Other programs: each in a process group of its own, none left behind.
//!
//! Ctrl+C, SIGTERM and SIGHUP reach only this process; it then ends the groups in the reverse
//! order of their start, politely first. A second signal ends them at once.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::{paths, say};

/// How long a group may take to end after being asked: the relay promises ten seconds.
const GRACE: Duration = Duration::from_secs(12);
/// The exit code of a program ended by Ctrl+C, as shells have it.
const INTERRUPTED: i32 = 130;

static RUNNING: Mutex<Vec<Group>> = Mutex::new(Vec::new());
static STOPPING: AtomicBool = AtomicBool::new(false);
static STOPPED_CODE: AtomicI32 = AtomicI32::new(INTERRUPTED);

struct Group {
    pid: u32,
    name: String,
    /// Whether the person is told that it is being stopped.
    is_told: bool,
}

/// Installs the signal handler; once, at the start.
pub(crate) fn stop_on_signals() {
    let handler = || {
        if STOPPING.swap(true, Ordering::SeqCst) {
            for group in running().iter() {
                kill_group(group.pid, Force::Now);
            }
            std::process::exit(INTERRUPTED);
        }
        // In a thread of its own: the next signal must still be heard.
        std::thread::spawn(|| {
            println!();
            stop_all();
            std::process::exit(STOPPED_CODE.load(Ordering::SeqCst));
        });
    };
    if ctrlc::set_handler(handler).is_err() {
        say::failed("signals cannot be caught here: Ctrl+C may leave programs running");
    }
}

/// From now on a signal is the ordinary way to end.
pub(crate) fn signal_is_success() {
    STOPPED_CODE.store(0, Ordering::SeqCst);
}

/// Whether a signal came and everything is being ended.
pub(crate) fn is_stopping() -> bool {
    STOPPING.load(Ordering::SeqCst)
}

/// Waits for the thread that ends everything; it ends this process.
pub(crate) fn wait_until_stopped() -> ! {
    loop {
        std::thread::park();
    }
}

fn running() -> std::sync::MutexGuard<'static, Vec<Group>> {
    RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Ends every group, the youngest first.
pub(crate) fn stop_all() {
    loop {
        let Some((pid, name, is_told)) =
            running().last().map(|group| (group.pid, group.name.clone(), group.is_told))
        else {
            return;
        };
        if is_told {
            say::detail(&format!("停止 · stopping {name}"));
        }
        stop_group(pid);
        running().retain(|group| group.pid != pid);
    }
}

fn stop_group(pid: u32) {
    kill_group(pid, Force::Politely);
    let until = Instant::now() + GRACE;
    while is_alive(pid) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_group(pid, Force::Now);
}

#[derive(Clone, Copy)]
enum Force {
    Politely,
    Now,
}

#[cfg(unix)]
fn kill_group(pid: u32, force: Force) {
    let signal = match force {
        Force::Politely => nix::sys::signal::Signal::SIGTERM,
        Force::Now => nix::sys::signal::Signal::SIGKILL,
    };
    if let Some(pid) = raw(pid) {
        let _ = nix::sys::signal::killpg(pid, signal);
    }
}

#[cfg(unix)]
fn is_alive(pid: u32) -> bool {
    raw(pid).is_some_and(|pid| nix::sys::signal::killpg(pid, None).is_ok())
}

#[cfg(unix)]
fn raw(pid: u32) -> Option<nix::unistd::Pid> {
    i32::try_from(pid).ok().map(nix::unistd::Pid::from_raw)
}

#[cfg(not(unix))]
fn kill_group(pid: u32, _force: Force) {
    let _ = Command::new("taskkill")
        .args(["/T", "/F", "/PID", &pid.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

#[cfg(not(unix))]
fn is_alive(_pid: u32) -> bool {
    false
}

/// A program running beside this one. Ended with everything it started when dropped.
pub(crate) struct Task {
    child: Child,
}

impl Task {
    /// Starts it in a process group of its own, with nothing to read.
    pub(crate) fn start(command: &mut Command, name: &str, is_told: bool) -> Result<Self> {
        if is_stopping() {
            bail!("stopping");
        }
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            command.process_group(0);
        }
        command.stdin(Stdio::null());
        let child = command.spawn().with_context(|| {
            format!("{name}: {} cannot be started", command.get_program().display())
        })?;
        running().push(Group { pid: child.id(), name: name.to_owned(), is_told });
        Ok(Self { child })
    }

    /// Its standard output, if it was piped and not taken before.
    pub(crate) fn stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end; anything but success is an error that names it.
    pub(crate) fn succeed(mut self, name: &str) -> Result<()> {
        let status = self.wait()?;
        if !status.success() {
            bail!("{name} failed ({status})");
        }
        Ok(())
    }

    /// Waits for its end and returns everything it wrote.
    fn chatter(mut self) -> Result<(ExitStatus, String)> {
        let errors = self.child.stderr.take().map(|pipe| std::thread::spawn(move || text_of(pipe)));
        let mut chatter = self.child.stdout.take().map(text_of).unwrap_or_default();
        if let Some(Ok(text)) = errors.map(std::thread::JoinHandle::join) {
            chatter.push_str(&text);
        }
        Ok((self.wait()?, chatter))
    }

    fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait().context("waiting for a program")?;
        if is_stopping() {
            wait_until_stopped();
        }
        Ok(status)
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(self) {
        drop(self);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if is_stopping() {
            return;
        }
        let pid = self.child.id();
        if self.ended().is_none() {
            kill_group(pid, Force::Politely);
            let until = Instant::now() + GRACE;
            while self.ended().is_none() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        kill_group(pid, Force::Now);
        let _ = self.child.wait();
        running().retain(|group| group.pid != pid);
    }
}

fn text_of(mut pipe: impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    // What was read before an error is still worth showing.
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs a program to its end; anything but success is an error that names it.
pub(crate) fn run(command: &mut Command, name: &str) -> Result<()> {
    Task::start(command, name, false)?.succeed(name)
}

/// Runs a program whose chatter is worth reading only when it fails.
pub(crate) fn run_quietly(command: &mut Command, name: &str) -> Result<()> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let task = Task::start(command, name, false)?;
    let (status, chatter) = task.chatter()?;
    if !status.success() {
        bail!("{name} failed ({status}):\n{chatter}");
    }
    Ok(())
}

/// Runs a program that may ask the person something, such as `sudo`: in the terminal's own group.
pub(crate) fn run_in_terminal(command: &mut Command, name: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("{name} cannot be started"))?;
    if is_stopping() {
        wait_until_stopped();
    }
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

/// Runs a short program and returns what it wrote; an error holds what it complained about.
pub(crate) fn read(command: &mut Command, name: &str) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{name} cannot be started"))?;
    if is_stopping() {
        wait_until_stopped();
    }
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command that runs at the root of the checkout.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(paths::root());
    command
}

/// Cargo, the same one that started this, with the target folder that this crate uses.
pub(crate) fn cargo() -> Command {
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.env("CARGO_TARGET_DIR", paths::target());
    // Set for this process by `cargo run`; they would make other crates' build scripts run again.
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// npm, at the root of the checkout.
pub(crate) fn npm() -> Command {
    let mut npm = command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.env("NO_UPDATE_NOTIFIER", "1");
    npm
}

/// Where a program is found on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|dir| [dir.join(program), dir.join(format!("{program}.exe"))])
        .find(|file| file.is_file())
}

/// Ends processes that carry this mark in their environment: what a test run left behind in
/// groups of its own. Returns their names.
#[cfg(target_os = "linux")]
pub(crate) fn end_marked(mark: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let mut ended = Vec::new();
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        if pid != std::process::id()
            && environment.split(|byte| *byte == 0).any(|pair| pair == mark.as_bytes())
        {
            let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            ended.push(format!("{} ({pid})", name.trim()));
            if let Some(pid) = raw(pid) {
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
        }
    }
    ended
}

/// Elsewhere the groups are all that is known.
#[cfg(not(target_os = "linux"))]
pub(crate) fn end_marked(_mark: &str) -> Vec<String> {
    Vec::new()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_task_takes_its_children_along() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 300 & echo $!; wait"]).stdout(Stdio::piped());
        let mut task = Task::start(&mut command, "a shell", false).unwrap();
        let mut line = String::new();
        let mut reader = std::io::BufReader::new(task.stdout().unwrap());
        std::io::BufRead::read_line(&mut reader, &mut line).unwrap();
        let child: u32 = line.trim().parse().unwrap();
        task.stop();
        let until = Instant::now() + Duration::from_secs(5);
        while std::path::Path::new(&format!("/proc/{child}")).exists() {
            let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            if state.contains(") Z ") {
                break;
            }
            assert!(Instant::now() < until, "the grandchild lives on");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_failing_program_is_named() {
        let error = run(&mut Command::new("false"), "the check").unwrap_err();
        assert!(error.to_string().starts_with("the check failed"), "{error}");
    }
}
