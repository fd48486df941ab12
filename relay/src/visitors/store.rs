//! The SQL of visitors, their tokens and return tickets.

use yingke_shared::ids::{SiteId, VisitorId};
use yingke_shared::time::Timestamp;

use crate::auth::TokenHash;
use crate::params;
use crate::store::{ReadTx, StoreError, WriteTx};

pub(crate) fn insert(
    tx: &mut WriteTx<'_>,
    id: &VisitorId,
    site_id: &SiteId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO visitors (id, site_id, created_at, seen_at) VALUES (?, ?, ?, ?)",
        params![id, site_id, now, now],
    )?;
    Ok(())
}

pub(crate) const IS_THERE: &str = "SELECT 1 FROM visitors WHERE id = ?";

/// Whether this visitor was not forgotten.
pub(crate) fn is_there(tx: &ReadTx<'_>, id: &VisitorId) -> Result<bool, StoreError> {
    Ok(tx.query_one(IS_THERE, params![id], |row| row.int(0))?.is_some())
}

pub(crate) const UNHEARD: &str =
    "SELECT id, seen_at FROM visitors WHERE heard = 0 AND seen_at < ? ORDER BY seen_at LIMIT ?";

/// Visitors not known to have had a conversation and not seen since `before`, and when they were seen;
/// those first who were seen longest ago.
pub(crate) fn unheard(
    tx: &ReadTx<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(VisitorId, Timestamp)>, StoreError> {
    tx.query(UNHEARD, params![before, limit], |row| Ok((row.id(0)?, row.time(1)?)))
}

/// Notes that the visitor was seen now, if that matters.
pub(crate) fn set_seen(
    tx: &mut WriteTx<'_>,
    id: &VisitorId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute("UPDATE visitors SET seen_at = ? WHERE id = ? AND heard = 0", params![now, id])?;
    Ok(())
}

/// Notes that the visitor had a conversation.
pub(crate) fn set_heard(tx: &mut WriteTx<'_>, id: &VisitorId) -> Result<(), StoreError> {
    tx.execute("UPDATE visitors SET heard = 1 WHERE id = ?", params![id])?;
    Ok(())
}

/// Takes the visitor away, with every secret that stands for the visitor.
pub(crate) fn forget(tx: &mut WriteTx<'_>, id: &VisitorId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM return_tickets WHERE visitor_id = ?", params![id])?;
    tx.execute("DELETE FROM visitor_tokens WHERE visitor_id = ?", params![id])?;
    tx.execute("DELETE FROM visitors WHERE id = ?", params![id])?;
    Ok(())
}

pub(crate) fn insert_token(
    tx: &mut WriteTx<'_>,
    token: &TokenHash,
    visitor_id: &VisitorId,
    now: Timestamp,
) -> Result<(), StoreError> {
    // The newest must be known as such, also when the clock was set back.
    let newest = tx.query_one(
        "SELECT COALESCE(MAX(created_at), 0) FROM visitor_tokens WHERE visitor_id = ?",
        params![visitor_id],
        |row| row.time(0),
    )?;
    let now = newest.map_or(now, |newest| now.max(newest.next()));
    tx.execute(
        "INSERT INTO visitor_tokens (token_hash, visitor_id, created_at) VALUES (?, ?, ?)",
        params![token, visitor_id, now],
    )?;
    Ok(())
}

/// Voids the visitor's tokens beyond the newest `kept`.
pub(crate) fn void_old_tokens(
    tx: &mut WriteTx<'_>,
    visitor_id: &VisitorId,
    kept: u32,
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM visitor_tokens WHERE token_hash IN (\
         SELECT token_hash FROM visitor_tokens WHERE visitor_id = ? \
         ORDER BY created_at DESC LIMIT 1000 OFFSET ?)",
        params![visitor_id, kept],
    )?;
    Ok(())
}

pub(crate) const TICKET: &str = "SELECT t.visitor_id FROM return_tickets t \
     JOIN visitors v ON v.id = t.visitor_id WHERE t.ticket_hash = ? AND v.site_id = ?";

/// Whose return ticket it is, if it is one of this site.
pub(crate) fn visitor_of_ticket(
    tx: &ReadTx<'_>,
    ticket: &TokenHash,
    site_id: &SiteId,
) -> Result<Option<VisitorId>, StoreError> {
    tx.query_one(TICKET, params![ticket, site_id], |row| row.id(0))
}

pub(crate) fn spend_ticket(tx: &mut WriteTx<'_>, ticket: &TokenHash) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM return_tickets WHERE ticket_hash = ?", params![ticket])? == 1)
}

/// The visitor's one ticket is now this.
pub(crate) fn replace_ticket(
    tx: &mut WriteTx<'_>,
    visitor_id: &VisitorId,
    ticket: &TokenHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO return_tickets (visitor_id, ticket_hash, created_at) VALUES (?, ?, ?) \
         ON CONFLICT (visitor_id) DO UPDATE SET ticket_hash = excluded.ticket_hash, \
         created_at = excluded.created_at",
        params![visitor_id, ticket, now],
    )?;
    Ok(())
}
