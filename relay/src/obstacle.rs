//! What of the system stands in a command's way: a data folder that this user may not use, a disk that
//! is mounted read-only, a port that is taken. It is looked for after something failed, because the
//! engine's own words for it mislead, and it is said with what to do. Only looks; changes nothing.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::store::OpenError;

/// Something that an operator has to put right first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// A file has the folder's name, or that of one above it.
    #[error("{0} is a file and no folder; name another folder")]
    IsFile(PathBuf),
    /// The folder is not there and cannot be made.
    #[error(
        "the folder {folder} cannot be made: user {user} may not write into {above}; let this user \
         write there, or name another folder"
    )]
    NotMade {
        /// What was to be made.
        folder: PathBuf,
        /// The nearest folder above it that is there.
        above: PathBuf,
        /// Who tried, by number.
        user: u32,
    },
    /// A folder or file that belongs to somebody else.
    #[error(
        "user {user} may not use {path}, which belongs to user {owner}: run the command as that \
         user, or give the folder to this one (chown -R {user} {folder})"
    )]
    OfAnother {
        /// Which.
        path: PathBuf,
        /// The folder it is in.
        folder: PathBuf,
        /// Who tried, by number.
        user: u32,
        /// Whose it is, by number.
        owner: u32,
    },
    /// A folder or file whose mode keeps its own owner out.
    #[error(
        "{path} may not be read and written by its owner: mend that with chmod -R u+rwX {folder}"
    )]
    Mode {
        /// Which.
        path: PathBuf,
        /// The folder it is in.
        folder: PathBuf,
    },
    /// A file that is only read.
    #[error("{path}: {why}")]
    Unread {
        /// Which.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// The disk is full.
    #[error("there is no room on the disk of {0}: free space and try again; nothing is lost")]
    NoRoom(PathBuf),
    /// Nothing can be written there, by nobody.
    #[error(
        "{0} is on a disk that is mounted read-only: mount it for writing, or use another; from a \
         disk that fails (the system's log says so) copy the folder there first"
    )]
    ReadOnly(PathBuf),
}

/// What stands in the way of opening the data in `folder`, if that is the reason of `error`.
#[must_use]
pub fn behind(error: &OpenError, folder: &Path) -> Option<Obstacle> {
    match error {
        OpenError::File { path, error } if path.starts_with(folder) => match error.kind() {
            io::ErrorKind::StorageFull => Some(Obstacle::NoRoom(path.clone())),
            _ => of_data(folder),
        },
        OpenError::Foreign(_) | OpenError::Engine(_) | OpenError::Stored(_) => of_data(folder),
        _ => None,
    }
}

/// The same of a backup in `folder`, which is made or read.
#[must_use]
pub fn behind_copy(error: &OpenError, folder: &Path) -> Option<Obstacle> {
    let OpenError::File { path, error } = error else { return None };
    if error.kind() == io::ErrorKind::StorageFull {
        return Some(Obstacle::NoRoom(path.clone()));
    }
    let unread =
        || Obstacle::Unread { path: path.clone(), why: unread(error, "use another backup") };
    of_making(folder).or_else(|| path.starts_with(folder).then(unread))
}

/// What keeps this user from using the data in `folder`, or from making the folder.
#[must_use]
pub fn of_data(folder: &Path) -> Option<Obstacle> {
    if let Some(obstacle) = of_making(folder) {
        return Some(obstacle);
    }
    if !folder.exists() {
        return None;
    }
    let files = ["yingke.db", "yingke.db-wal", "yingke.db-shm", "boot.json", "relay.lock"];
    let files = files.iter().map(|file| folder.join(file)).filter(|file| file.exists());
    std::iter::once(folder.to_owned()).chain(files).find_map(|path| match may_write(&path) {
        Err(error) => Some(refused(path, folder, &error)),
        Ok(()) => None,
    })
}

/// What keeps this user from making `folder`, or from reaching it.
#[must_use]
pub fn of_making(folder: &Path) -> Option<Obstacle> {
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => return None,
        Ok(_) => return Some(Obstacle::IsFile(folder.to_owned())),
        Err(_) => {}
    }
    let here = Path::new(".");
    let above = folder.ancestors().skip(1);
    let above = above.map(|above| if above.as_os_str().is_empty() { here } else { above });
    let (above, found) =
        above.map(|above| (above, std::fs::metadata(above))).find_map(|looked| {
            let (above, found) = looked;
            Some((above, found.ok()?))
        })?;
    if !found.is_dir() {
        return Some(Obstacle::IsFile(above.to_owned()));
    }
    match may_write(above) {
        Ok(()) => None,
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            Some(Obstacle::ReadOnly(folder.to_owned()))
        }
        Err(_) => Some(Obstacle::NotMade {
            folder: folder.to_owned(),
            above: above.to_owned(),
            user: this_user(),
        }),
    }
}

fn refused(path: PathBuf, folder: &Path, error: &io::Error) -> Obstacle {
    if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
        return Obstacle::ReadOnly(path);
    }
    let (user, folder) = (this_user(), folder.to_owned());
    match owner(&path) {
        Some(owner) if owner != user => Obstacle::OfAnother { path, folder, user, owner },
        _ => Obstacle::Mode { path, folder },
    }
}

/// Whether this user may read and write it; a folder is entered, too.
#[cfg(unix)]
fn may_write(path: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};
    let enter = if path.is_dir() { Access::EXEC_OK } else { Access::empty() };
    Ok(access(path, Access::READ_OK | Access::WRITE_OK | enter)?)
}

#[cfg(not(unix))]
fn may_write(path: &Path) -> io::Result<()> {
    std::fs::metadata(path).map(|_| ())
}

#[cfg(unix)]
fn this_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn this_user() -> u32 {
    0
}

#[cfg(unix)]
fn owner(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|found| std::os::unix::fs::MetadataExt::uid(&found))
}

#[cfg(not(unix))]
fn owner(_path: &Path) -> Option<u32> {
    None
}

/// A file that could not be read, and what to do; `name_it` says how another is named.
#[must_use]
pub fn unread(error: &io::Error, name_it: &str) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no such file; {name_it}"),
        io::ErrorKind::PermissionDenied => {
            let user = this_user();
            format!("user {user} may not read it; let this user read the file and enter its folder")
        }
        io::ErrorKind::IsADirectory => format!("it is a folder; {name_it}"),
        _ => format!("it cannot be read ({error})"),
    }
}

/// Why `address` cannot be listened on, and what to do.
#[must_use]
pub fn unheard(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {} is in use, perhaps by another relay: end what listens there (`ss -ltnp` names \
             it), or choose another port with --listen",
            address.port()
        ),
        io::ErrorKind::PermissionDenied => format!(
            "this user may not take port {}: choose one from 1024 on, with a proxy before it, or \
             give the right (in a systemd unit AmbientCapabilities=CAP_NET_BIND_SERVICE)",
            address.port()
        ),
        io::ErrorKind::AddrNotAvailable => {
            "this computer has no such address; `ip address` lists those it has, and 0.0.0.0 is all \
             of them"
                .to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_cannot_be_had_is_said_with_what_to_do() {
        let address = SocketAddr::from(([127, 0, 0, 1], 443));
        for (kind, said) in [
            (io::ErrorKind::AddrInUse, "port 443 is in use"),
            (io::ErrorKind::PermissionDenied, "may not take port 443"),
            (io::ErrorKind::AddrNotAvailable, "has no such address"),
        ] {
            assert!(unheard(address, &kind.into()).contains(said));
        }
    }

    #[test]
    fn a_folder_of_a_files_name_is_no_folder() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("data");
        std::fs::write(&file, "").unwrap();
        assert_eq!(of_data(&file), Some(Obstacle::IsFile(file.clone())));
        assert_eq!(of_data(&file.join("below")), Some(Obstacle::IsFile(file)));
        assert_eq!(of_data(&scratch.path().join("to/be/made")), None);
        assert_eq!(of_data(scratch.path()), None);
    }
}
