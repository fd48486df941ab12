//! Where the bench works: a folder of its own, removed at the end, and as many open files as the
//! system allows.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{BenchError, During as _};
use super::options::Dose;
use super::say;
use crate::clock::{RealWorld, World as _};
use crate::limits::FILES_RESERVED;

/// See the module.
pub(super) struct Place {
    folder: PathBuf,
    /// Sockets that this process, and each relay it starts, may have open at once.
    pub(super) sockets_max: usize,
}

impl Place {
    pub(super) fn new(dose: &Dose) -> Result<Self, BenchError> {
        let folder = dose.data.join(format!("yingke-bench-{}", RealWorld.new_id()));
        std::fs::create_dir(&folder).during("making a folder")?;
        // Agents' sockets and what else is open on both sides.
        let sockets_max = crate::serve::files_max().saturating_sub(2 * FILES_RESERVED);
        Ok(Self { folder, sockets_max })
    }

    /// A new folder in it.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// As many visitors as wanted, or as many as there can be, which is said.
    pub(super) fn visitors(&self, wanted: usize) -> usize {
        if wanted > self.sockets_max {
            say(&format!(
                "the system allows only {} open files: {} visitors instead of {wanted}",
                self.sockets_max + 2 * FILES_RESERVED,
                self.sockets_max
            ));
        }
        wanted.min(self.sockets_max)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// A bench that is stopped has killed its relay a moment ago, and a thread may still fill a database:
/// a file may join the folder while it is being removed.
const TRIES: usize = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// What cannot be removed is said, for it takes room.
pub(super) fn remove(folder: &Path) {
    let mut tries = 1;
    while let Err(error) = std::fs::remove_dir_all(folder) {
        match error.kind() {
            ErrorKind::NotFound => return,
            ErrorKind::DirectoryNotEmpty if tries < TRIES => std::thread::sleep(BETWEEN_TRIES),
            _ => {
                say(&format!("{} could not be removed: {error}", folder.display()));
                return;
            }
        }
        tries += 1;
    }
}
