//! Commands other than messages, remembered for seven days so that a repeated one has the effect of
//! one. A message needs no row here: it is its own record.
//!
//! Rooms call it inside the transaction that carries the command out. Owns `command_outcomes`.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::ClientId;
use yingke_shared::limits::OUTCOME_KEPT_MS;
use yingke_shared::time::Timestamp;

use crate::params;
use crate::store::{Abort, StoreError, ToValue, WriteTx};

/// Old rows taken away with each new one: more than come in, so the table never grows old.
const FORGOTTEN_AT_ONCE: u32 = 4;

/// Whether a command comes for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// It does: carry it out in this transaction.
    First,
    /// It was carried out: answer the same, change nothing.
    Again,
}

/// Records that `actor` gave this command under this id. `command` is its name and body; the same id
/// for another command is `id_reused`.
pub fn occurrence(
    tx: &mut WriteTx<'_>,
    actor: &impl ToValue,
    client_id: &ClientId,
    command: &str,
    now: Timestamp,
) -> Result<Occurrence, Abort<ErrorCode>> {
    let known = tx.query_one(
        "SELECT command FROM command_outcomes WHERE actor_id = ? AND client_id = ?",
        params![actor, client_id],
        |row| row.text(0),
    )?;
    match known {
        Some(known) if known == command => Ok(Occurrence::Again),
        Some(_) => Err(Abort::Refused(ErrorCode::IdReused)),
        None => {
            tx.execute(
                "INSERT INTO command_outcomes (actor_id, client_id, command, at) VALUES (?, ?, ?, ?)",
                params![actor, client_id, command, now],
            )?;
            forget_old(tx, now)?;
            Ok(Occurrence::First)
        }
    }
}

fn forget_old(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let before =
        Timestamp::from_millis(now.millis().saturating_sub(OUTCOME_KEPT_MS)).unwrap_or_default();
    tx.execute(
        "DELETE FROM command_outcomes WHERE (actor_id, client_id) IN (\
         SELECT actor_id, client_id FROM command_outcomes WHERE at < ? ORDER BY at LIMIT ?)",
        params![before, FORGOTTEN_AT_ONCE],
    )?;
    Ok(())
}
