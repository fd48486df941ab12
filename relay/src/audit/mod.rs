//! Who did what: settings changed, conversations assigned by hand, watched, entered, taken over (X20).
//!
//! Owns the `audit` table. A line is written in the transaction of the deed itself, so that there is
//! none without the other; nothing is ever changed or taken out. No message text stands here.

pub mod actions;
pub mod routes;

#[cfg(test)]
mod tests;

use yingke_shared::ids::AgentId;
use yingke_shared::time::Timestamp;

use crate::params;
use crate::store::{StoreError, WriteTx};

/// Notes that this account did `deed` to `subject`, the id of a conversation, an account or a section.
pub fn record(
    tx: &mut WriteTx<'_>,
    at: Timestamp,
    agent_id: &AgentId,
    deed: &'static str,
    subject: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO audit (at, agent_id, deed, subject) VALUES (?, ?, ?, ?)",
        params![at, agent_id, deed, subject],
    )?;
    Ok(())
}
