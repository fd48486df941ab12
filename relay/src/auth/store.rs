//! The SQL of sessions and of the sign-in's columns of accounts.

use std::collections::BTreeSet;

use yingke_shared::ids::{AgentId, SiteId, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::Role;

use super::TokenHash;
use super::rules::role_of_word;
use crate::params;
use crate::store::{ReadTx, StoreError, WriteTx};

/// What a sign-in is checked against.
pub(crate) struct Credentials {
    pub(crate) agent_id: AgentId,
    pub(crate) account: String,
    pub(crate) password_hash: String,
    pub(crate) role: Role,
    pub(crate) disabled: bool,
}

fn credentials(row: &crate::store::Row<'_>) -> Result<Credentials, StoreError> {
    Ok(Credentials {
        agent_id: row.id(0)?,
        account: row.text(1)?,
        password_hash: row.text(2)?,
        role: role_of_word(&row.text(3)?).ok_or(StoreError::Corrupt("role"))?,
        disabled: row.flag(4)?,
    })
}

pub(crate) fn credentials_of_account(
    tx: &ReadTx<'_>,
    account_key: &str,
) -> Result<Option<Credentials>, StoreError> {
    tx.query_one(
        "SELECT id, account, password_hash, role, disabled FROM agents WHERE account_key = ?",
        params![account_key],
        credentials,
    )
}

pub(crate) fn credentials_of(
    tx: &ReadTx<'_>,
    id: &AgentId,
) -> Result<Option<Credentials>, StoreError> {
    tx.query_one(
        "SELECT id, account, password_hash, role, disabled FROM agents WHERE id = ?",
        params![id],
        credentials,
    )
}

/// Only if the hash is still `old`: of two changes at once one wins.
pub(crate) fn replace_password(
    tx: &mut WriteTx<'_>,
    id: &AgentId,
    old: &str,
    new: &str,
) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "UPDATE agents SET password_hash = ? WHERE id = ? AND password_hash = ?",
        params![new, id, old],
    )?;
    Ok(changed == 1)
}

/// A session with the rights its account has now.
pub(crate) struct Session {
    pub(crate) agent_id: AgentId,
    pub(crate) role: Role,
    pub(crate) disabled: bool,
    pub(crate) expires_at: Timestamp,
}

pub(crate) const SESSION: &str = "SELECT s.agent_id, a.role, a.disabled, s.expires_at \
     FROM staff_sessions s JOIN agents a ON a.id = s.agent_id WHERE s.token_hash = ?";

pub(crate) fn session(tx: &ReadTx<'_>, token: &TokenHash) -> Result<Option<Session>, StoreError> {
    tx.query_one(SESSION, params![token], |row| {
        Ok(Session {
            agent_id: row.id(0)?,
            role: role_of_word(&row.text(1)?).ok_or(StoreError::Corrupt("role"))?,
            disabled: row.flag(2)?,
            expires_at: row.time(3)?,
        })
    })
}

pub(crate) fn insert_session(
    tx: &mut WriteTx<'_>,
    token: &TokenHash,
    agent_id: &AgentId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    // The newest must be known as such, also when the clock was set back.
    let newest = tx.query_one(
        "SELECT COALESCE(MAX(created_at), 0) FROM staff_sessions WHERE agent_id = ?",
        params![agent_id],
        |row| row.time(0),
    )?;
    let now = newest.map_or(now, |newest| now.max(newest.next()));
    tx.execute(
        "INSERT INTO staff_sessions (token_hash, agent_id, created_at, expires_at) \
         VALUES (?, ?, ?, ?)",
        params![token, agent_id, now, expires_at],
    )?;
    Ok(())
}

/// Ends what has expired and, beyond `kept`, the oldest sessions of the account, those in use last;
/// gives those that were ended for being too many.
pub(crate) fn tidy_sessions(
    tx: &mut WriteTx<'_>,
    agent_id: &AgentId,
    now: Timestamp,
    kept: usize,
    in_use: &BTreeSet<TokenHash>,
) -> Result<Vec<TokenHash>, StoreError> {
    tx.execute(
        "DELETE FROM staff_sessions WHERE agent_id = ? AND expires_at <= ?",
        params![agent_id, now],
    )?;
    let oldest_first = tx.query(
        "SELECT token_hash FROM staff_sessions WHERE agent_id = ? \
         ORDER BY created_at, token_hash LIMIT 1000",
        params![agent_id],
        |row| Ok(TokenHash::stored(&row.text(0)?)),
    )?;
    let over = oldest_first.len().saturating_sub(kept);
    let (used, idle): (Vec<_>, Vec<_>) =
        oldest_first.into_iter().partition(|token| in_use.contains(token));
    let too_many: Vec<TokenHash> = idle.into_iter().chain(used).take(over).collect();
    for token in &too_many {
        end_session(tx, token)?;
    }
    Ok(too_many)
}

pub(crate) fn prolong_session(
    tx: &mut WriteTx<'_>,
    token: &TokenHash,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE staff_sessions SET expires_at = ? WHERE token_hash = ?",
        params![expires_at, token],
    )?;
    Ok(())
}

pub(crate) fn end_session(tx: &mut WriteTx<'_>, token: &TokenHash) -> Result<(), StoreError> {
    tx.execute("DELETE FROM staff_sessions WHERE token_hash = ?", params![token])?;
    Ok(())
}

/// Ends all sessions of the account but `kept`; gives which.
pub(crate) fn end_sessions(
    tx: &mut WriteTx<'_>,
    agent_id: &AgentId,
    kept: Option<&TokenHash>,
) -> Result<Vec<TokenHash>, StoreError> {
    let kept = kept.map_or("", TokenHash::as_str);
    let ended = tx.query(
        "SELECT token_hash FROM staff_sessions WHERE agent_id = ? AND token_hash <> ?",
        params![agent_id, kept],
        |row| Ok(TokenHash::stored(&row.text(0)?)),
    )?;
    tx.execute(
        "DELETE FROM staff_sessions WHERE agent_id = ? AND token_hash <> ?",
        params![agent_id, kept],
    )?;
    Ok(ended)
}

/// Whether the account is signed in anywhere.
pub(crate) fn has_session(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = tx.query_one(
        "SELECT 1 FROM staff_sessions WHERE agent_id = ? AND expires_at > ? LIMIT 1",
        params![agent_id, now],
        |row| row.int(0),
    )?;
    Ok(found.is_some())
}

/// A visitor as the token's bearer.
pub(crate) struct Bearer {
    pub(crate) visitor_id: VisitorId,
    pub(crate) site_id: SiteId,
    /// When the visitor was seen last, as far as it is kept; of one who had a conversation it is not.
    pub(crate) seen_at: Option<Timestamp>,
}

/// Whose token it is, of which site.
pub(crate) const VISITOR_OF_TOKEN: &str = "SELECT v.id, v.site_id, \
     CASE v.heard WHEN 0 THEN v.seen_at END FROM visitor_tokens t \
     JOIN visitors v ON v.id = t.visitor_id WHERE t.token_hash = ?";

pub(crate) fn visitor_of_token(
    tx: &ReadTx<'_>,
    token: &TokenHash,
) -> Result<Option<Bearer>, StoreError> {
    tx.query_one(VISITOR_OF_TOKEN, params![token], |row| {
        Ok(Bearer { visitor_id: row.id(0)?, site_id: row.id(1)?, seen_at: row.opt_time(2)? })
    })
}
