//! A real relay as a child process, on a folder of the bench: started, looked at, ended.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use super::error::{BenchError, During as _};

const STARTS_WITHIN: Duration = Duration::from_secs(60);
const STOPS_WITHIN: Duration = Duration::from_secs(30);
/// More than any client here sends: the rate of a person must not be what is measured.
const MESSAGES_PER_SECOND: &str = "100000";

/// A running relay. Killed when dropped.
pub(super) struct Relay {
    child: Child,
    pid: u32,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// When the process was asked for.
    pub(super) spawned: Instant,
}

impl Relay {
    /// Starts this very program as a relay on `folder` and waits until it listens.
    pub(super) async fn start(folder: &Path) -> Result<Self, BenchError> {
        let program = std::env::current_exe().during("finding this program")?;
        let spawned = Instant::now();
        let mut child = Command::new(program)
            .arg("serve")
            .arg("--data")
            .arg(folder)
            .args(["--listen", "127.0.0.1:0", "--log-filter", "warn"])
            .args(["--messages-per-second", MESSAGES_PER_SECOND])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .during("starting a relay")?;
        let pid = child.id().ok_or_else(|| BenchError::new("starting a relay", "it ended"))?;
        let output = child.stdout.take().map(BufReader::new);
        let mut line = String::new();
        if let Some(mut output) = output {
            let read = timeout(STARTS_WITHIN, output.read_line(&mut line)).await;
            read.during("waiting for a relay")?.during("reading what a relay says")?;
        }
        let address = line.trim().rsplit('/').next().and_then(|address| address.parse().ok());
        let address =
            address.ok_or_else(|| BenchError::new("starting a relay", "it does not listen"))?;
        Ok(Self { child, pid, address, spawned })
    }

    /// Asks it to end, and waits until it has.
    pub(super) async fn stop(mut self) -> Result<(), BenchError> {
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process};
            let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
            if let Some(pid) = pid {
                kill_process(pid, Signal::TERM).during("stopping a relay")?;
            }
        }
        #[cfg(not(unix))]
        self.child.start_kill().during("stopping a relay")?;
        let ended = timeout(STOPS_WITHIN, self.child.wait()).await;
        ended.during("waiting for a relay's end")?.during("stopping a relay")?;
        Ok(())
    }

    /// Ends it without a warning, as a power cut or an impatient supervisor would.
    pub(super) async fn kill(mut self) -> Result<(), BenchError> {
        self.child.kill().await.during("killing a relay")
    }

    /// What of it is in memory now, in KiB; `None` where the system does not say.
    pub(super) fn resident_kib(&self) -> Option<f64> {
        self.status("VmRSS:")
    }

    /// The most that was in memory since [`Relay::forget_peak`], in KiB.
    pub(super) fn peak_kib(&self) -> Option<f64> {
        self.status("VmHWM:")
    }

    /// Lets [`Relay::peak_kib`] begin again.
    pub(super) fn forget_peak(&self) {
        // Where the system has no such file it has no peak either.
        let _ = std::fs::write(self.file("clear_refs"), "5");
    }

    fn status(&self, name: &str) -> Option<f64> {
        let status = std::fs::read_to_string(self.file("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Processor time it has used, in microseconds: the sum over its threads.
    pub(super) fn cpu_us(&self) -> Option<f64> {
        let threads = std::fs::read_dir(self.file("task")).ok()?;
        // A thread that has just ended is not missed.
        Some(threads.flatten().filter_map(|thread| cpu_us_of(&thread.path())).sum())
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.pid)).join(name)
    }
}

/// Processor time that a thread has used, in microseconds; `thread` is its folder below `/proc`.
pub(super) fn cpu_us_of(thread: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(thread.join("schedstat")).ok()?;
    let nanos: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanos / 1e3)
}
