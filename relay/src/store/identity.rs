//! The log's identity: its epoch, and the boot number that reveals restored data.
//!
//! Both stand in the database *and* in a file beside it, with a position the log is known to have
//! reached. A database that knows less than the file is an older copy put in place of a newer one:
//! the positions clients hold may mean other events now, so the log gets a new epoch. The database
//! is written first, the file after it: a crash between the two is not mistaken for a restore.

use std::path::Path;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use yingke_shared::ids::{Epoch, Position};
use yingke_shared::limits::INTEGER_MAX;

use super::folder::Folder;
use super::{OpenError, Row, StoreError, WriteTx};
use crate::clock::World;

/// What stands beside the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beside {
    pub(super) epoch: Epoch,
    pub(super) boot: u64,
    /// The log reached at least this.
    pub(super) position: Position,
}

/// Counts this start, decides whether the log is still the one clients know, and gives its end. If it
/// `has_lost` something, clients must ask for what there is, and offer again what they have.
pub(super) fn begin_boot(
    connection: &mut Connection,
    folder: &Folder,
    world: &dyn World,
    has_lost: bool,
) -> Result<(Epoch, Position), OpenError> {
    let beside = read_beside(&folder.boot_file());
    let (stored, is_sound) = read_head(connection)?;
    let has_lost = has_lost || !is_sound;
    if stored.is_none() && beside.is_some() {
        // Beginning with nothing would be the worst answer to a file that was moved away.
        return Err(OpenError::Damaged("boot.json tells of a database that is not there"));
    }
    let restored = match (&stored, &beside) {
        (Some(stored), Some(beside)) => is_older(stored, beside),
        _ => false,
    };
    let boot_so_far = |head: &Option<Beside>| head.as_ref().map_or(0, |head| head.boot);
    let now = Beside {
        epoch: match &stored {
            Some(stored) if !restored && !has_lost => stored.epoch.clone(),
            _ => new_epoch(world)?,
        },
        boot: boot_so_far(&stored).max(boot_so_far(&beside)).saturating_add(1),
        position: stored.as_ref().map_or(Position::ZERO, |stored| stored.position),
    };
    if restored {
        tracing::warn!(
            "the database is older than the data folder: restored data; the log has a new epoch"
        );
    }
    if has_lost {
        tracing::error!("what is stored was damaged: the log has a new epoch");
    }
    write_head(connection, &now)?;
    write_beside(folder, &now).map_err(OpenError::file(folder.boot_file()))?;
    Ok((now.epoch, now.position))
}

/// Whether the database is an older copy than the one the file was written beside.
fn is_older(stored: &Beside, beside: &Beside) -> bool {
    stored.boot < beside.boot
        || (stored.boot == beside.boot
            && (stored.epoch != beside.epoch || stored.position < beside.position))
}

/// How a database and the file beside it stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// They belong together.
    Same,
    /// There is no file, or it is not readable.
    Missing,
    /// The database is an older copy.
    Older,
}

/// Compares a database with the boot file at `path`; a running relay may be raising both.
pub(super) fn standing(connection: &Connection, path: &Path) -> rusqlite::Result<Standing> {
    // The file first: what it says was true before.
    let Some(beside) = read_beside(path) else { return Ok(Standing::Missing) };
    let stored = connection.query_row(
        "SELECT epoch, position, boot FROM log_head WHERE id = 1",
        [],
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)),
    )?;
    let (epoch, position, boot) = (stored.0, stored.1.unsigned_abs(), stored.2.unsigned_abs());
    let is_older = boot < beside.boot
        || (boot == beside.boot
            && (epoch != beside.epoch.as_str() || position < beside.position.get()));
    Ok(if is_older { Standing::Older } else { Standing::Same })
}

/// A new identity.
pub(super) fn new_epoch(world: &dyn World) -> Result<Epoch, StoreError> {
    Epoch::new(world.new_id()).map_err(|_| StoreError::Corrupt("epoch"))
}

/// Gives the log a new identity inside a transaction; gives the boot number.
pub(super) fn write_epoch(tx: &mut WriteTx<'_>, epoch: &Epoch) -> Result<u64, StoreError> {
    tx.execute("UPDATE log_head SET epoch = ? WHERE id = 1", crate::params![*epoch])?;
    let boot = tx.query_one("SELECT boot FROM log_head WHERE id = 1", &[], |row| row.int(0))?;
    boot.and_then(|boot| u64::try_from(boot).ok()).ok_or(StoreError::Corrupt("log_head"))
}

/// The head, and whether it says what the log says. The log is right about its end.
fn read_head(connection: &Connection) -> Result<(Option<Beside>, bool), OpenError> {
    let newest: i64 =
        connection
            .query_row("SELECT coalesce(max(position), 0) FROM events", [], |row| row.get(0))?;
    let position = u64::try_from(newest).ok().and_then(|newest| Position::new(newest).ok());
    let position = position.ok_or(OpenError::Damaged("a position of the log"))?;
    let mut statement =
        connection.prepare("SELECT epoch, position, boot FROM log_head WHERE id = 1")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()?.map(Row) else { return Ok((None, newest == 0)) };
    let boot = u64::try_from(row.int(2)?).ok().filter(|boot| *boot <= INTEGER_MAX);
    let is_sound = row.int(1)? == newest && boot.is_some();
    let head = Beside { epoch: row.id(0)?, position, boot: boot.unwrap_or_default() };
    Ok((Some(head), is_sound))
}

fn write_head(connection: &Connection, head: &Beside) -> Result<(), OpenError> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    connection.execute(
        "INSERT INTO log_head (id, epoch, position, boot) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, position = excluded.position,
             boot = excluded.boot",
        rusqlite::params![head.epoch.as_str(), number(head.position.get()), number(head.boot)],
    )?;
    Ok(())
}

/// The file's content; none if it is missing or unreadable (a first start, or data moved without
/// it: then the database alone decides).
fn read_beside(path: &Path) -> Option<Beside> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(%error, "the boot file beside the database could not be read");
            return None;
        }
    };
    let parsed = serde_json::from_slice(&bytes).ok();
    // No relay was started so often: a damaged number must not outlast the damage.
    let parsed = parsed.filter(|beside: &Beside| beside.boot <= INTEGER_MAX);
    if parsed.is_none() {
        tracing::warn!("the boot file beside the database is not readable; it is written anew");
    }
    parsed
}

/// Writes the file so that a crash leaves the old or the new content.
pub(super) fn write_beside(folder: &Folder, beside: &Beside) -> std::io::Result<()> {
    let _held = folder.hold_boot_file();
    replace_beside(folder, beside)
}

fn replace_beside(folder: &Folder, beside: &Beside) -> std::io::Result<()> {
    let bytes = serde_json::to_vec(beside).map_err(std::io::Error::other)?;
    folder.replace(&folder.boot_file(), &bytes)
}

/// Raises the position in the file, if it is still about this epoch.
pub(super) fn note_position(
    folder: &Folder,
    epoch: &Epoch,
    position: Position,
) -> std::io::Result<()> {
    let _held = folder.hold_boot_file();
    match read_beside(&folder.boot_file()) {
        Some(mut beside) if beside.epoch == *epoch && beside.position < position => {
            beside.position = position;
            replace_beside(folder, &beside)
        }
        _ => Ok(()),
    }
}
