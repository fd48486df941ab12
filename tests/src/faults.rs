//! Faults of the file system below the relay: a C file loaded before libc's own functions fails
//! chosen calls on chosen files, switched on and off while the relay runs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};

use crate::relay::TestRelay;

/// What kind of trouble.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    /// No space left: every write fails, from the `n`-th on, until it is repaired.
    DiskFull,
    /// The `n`-th write gives an input/output error, once.
    BadWrite,
    /// The `n`-th sync gives an input/output error, once.
    BadSync,
    /// The `n`-th read gives an input/output error, once.
    BadRead,
    /// No sync returns, from the `n`-th on, until it is repaired; then they are done.
    SyncsHang,
    /// No read does.
    ReadsHang,
}

/// One call that fails once.
#[derive(Debug, Clone, Copy)]
pub struct CallFault {
    /// Which kind of call, by the letter of `faultfs.c`.
    pub kind: char,
    /// With which error.
    pub errno: u32,
    /// After so many good ones of its kind.
    pub skip: u32,
    /// On files whose path contains this.
    pub files: &'static str,
}

/// Compiles a library that stands between a program and libc; gives where it is.
pub fn compile(source: &str, into: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults").join(source);
    let library = into.join(source.file_stem().context("a file's name")?).with_extension("so");
    let done = Command::new("gcc")
        .args(["-O1", "-shared", "-fPIC", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(&source)
        .args(["-ldl", "-pthread"])
        .output()
        .context("gcc is missing; make it by: apt-get install gcc libc6-dev")?;
    if !done.status.success() {
        bail!("{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(library)
}

/// The switch of one relay's faults.
pub struct FaultyDisk {
    control: PathBuf,
    generation: AtomicU64,
}

const ENOSPC: i32 = 28;
const EIO: i32 = 5;
/// What the library takes for "does not return".
const HANG: i32 = -1;

impl FaultyDisk {
    /// Compiles the library and puts it under every later start of the relay.
    pub fn below(relay: &mut TestRelay) -> Result<Self> {
        let library = compile("faultfs.c", relay.scratch())?;
        Self::with(&library, relay)
    }

    /// The same with a library that is compiled already.
    pub fn with(library: &Path, relay: &mut TestRelay) -> Result<Self> {
        let disk = Self::at(&relay.scratch().join("faults"));
        disk.repair()?;
        for (name, value) in disk.environment(library) {
            relay.set_environment(name, value);
        }
        Ok(disk)
    }

    /// The switch alone; whoever starts the program puts the library under it.
    #[must_use]
    pub fn at(control: &Path) -> Self {
        Self { control: control.to_owned(), generation: AtomicU64::new(0) }
    }

    /// What puts the compiled library under a program that is started with it.
    #[must_use]
    pub fn environment<'a>(&'a self, library: &'a Path) -> [(&'static str, &'a Path); 2] {
        [("LD_PRELOAD", library), ("YINGKE_FAULTFS", &self.control)]
    }

    /// From now on, on files whose path contains `part`, after `skip` good calls.
    pub fn break_down(&self, trouble: Trouble, skip: u32, part: &str) -> Result<()> {
        match trouble {
            Trouble::DiskFull => self.say("wt", ENOSPC, skip, -1, part),
            Trouble::BadWrite => self.say("w", EIO, skip, 1, part),
            Trouble::BadSync => self.say("s", EIO, skip, 1, part),
            Trouble::BadRead => self.say("r", EIO, skip, 1, part),
            Trouble::SyncsHang => self.say("s", HANG, skip, -1, part),
            Trouble::ReadsHang => self.say("r", HANG, skip, -1, part),
        }
    }

    /// One call fails, once.
    pub fn fail_once(&self, fault: &CallFault) -> Result<()> {
        let CallFault { kind, errno, skip, files } = *fault;
        self.say(&kind.to_string(), i32::try_from(errno)?, skip, 1, files)
    }

    /// Of files whose path ends with `end` the 4,096 bytes around the byte `at` cannot be read.
    pub fn spoil_sector(&self, at: usize, end: &str) -> Result<()> {
        self.say("b", EIO, u32::try_from(at)?, -1, end)
    }

    /// Nothing fails; what is done to files whose path contains `part` is noted.
    pub fn watch(&self, part: &str) -> Result<()> {
        self.say("wstroundm", 0, 0, 0, part)
    }

    /// The calls noted so far, each by its letter.
    #[must_use]
    pub fn seen(&self) -> String {
        std::fs::read_to_string(self.control.with_extension("seen")).unwrap_or_default()
    }

    /// Everything works again.
    pub fn repair(&self) -> Result<()> {
        self.say("-", 0, 0, 0, "-")
    }

    /// How many calls have failed so far.
    #[must_use]
    pub fn fired(&self) -> u64 {
        let path = self.control.with_extension("fired");
        std::fs::metadata(path).map_or(0, |data| data.len())
    }

    fn say(&self, ops: &str, errno: i32, skip: u32, count: i32, part: &str) -> Result<()> {
        let generation = self.generation.fetch_add(1, Ordering::SeqCst);
        let fresh = self.control.with_extension("new");
        std::fs::write(&fresh, format!("{generation} {ops} {errno} {skip} {count} {part}\n"))?;
        std::fs::rename(&fresh, &self.control)?;
        Ok(())
    }
}
