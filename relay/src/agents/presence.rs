//! Whether an agent's clients are there, as far as it must outlive the relay: since when an agent is
//! lost, and what the agent was over the day (L03). Told by the assignment driver, and
//! by whoever chooses another availability.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::AgentId;
use yingke_shared::time::Timestamp;

use super::rules::availability_word;
use super::store;
use crate::app::App;
use crate::auth::store::has_session;
use crate::conversations;
use crate::error::RelayError;
use crate::limits::{PRESENCE_FORGOTTEN_AT_ONCE, PRESENCE_KEPT_DAYS};
use crate::params;
use crate::store::{Abort, ReadTx, Row, StoreError, WriteTx};

/// How an agent went whose last socket is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Without a word: may be back.
    Lost,
    /// Signed out everywhere.
    SignedOut,
}

/// The agent's last socket went.
pub async fn gone(app: &App, agent_id: AgentId) -> Result<Gone, RelayError> {
    let now = app.world.now();
    let written = app.store.write("agent gone", move |tx| {
        if has_session(tx, &agent_id, now)? {
            set_lost(tx, &agent_id, now)?;
            log(tx, &agent_id, now, "lost")?;
            return Ok::<_, Abort<ErrorCode>>(Gone::Lost);
        }
        forget_lost(tx, &agent_id)?;
        log(tx, &agent_id, now, "out")?;
        Ok(Gone::SignedOut)
    });
    Ok(written.await?)
}

/// The agent's first socket is there.
pub async fn back(app: &App, agent_id: AgentId) -> Result<(), RelayError> {
    let now = app.world.now();
    let written = app.store.write("agent back", move |tx| {
        forget_lost(tx, &agent_id)?;
        if let Some(agent) = store::load(tx, &agent_id)? {
            log(tx, &agent_id, now, availability_word(agent.availability))?;
        }
        Ok::<_, Abort<ErrorCode>>(())
    });
    Ok(written.await?)
}

/// The relay is here and so is somebody: should it be killed, this is the time until which whoever was
/// there was there. Told every now and then while anybody is connected.
pub async fn seen(app: &App) -> Result<(), RelayError> {
    let now = app.world.now();
    let written = app.store.write("presence seen", move |tx| {
        tx.execute(
            "INSERT INTO presence_seen (id, at) VALUES (1, ?) \
             ON CONFLICT (id) DO UPDATE SET at = excluded.at",
            params![now],
        )?;
        Ok::<_, Abort<ErrorCode>>(())
    });
    Ok(written.await?)
}

/// Nobody is connected when the relay starts. Whoever has conversations and was not lost before is
/// lost from now on: clients come back to a relay that is there, and not to one that is down. Their
/// day ended when the relay did.
pub async fn all_gone(app: &App) -> Result<(), RelayError> {
    let now = app.world.now();
    let connected = app.hub.connected_agents();
    let written = app.store.write("agents gone with the relay", move |tx| {
        for agent_id in conversations::serving_agents(tx)? {
            if !connected.contains(&agent_id) {
                set_lost(tx, &agent_id, now)?;
            }
        }
        let sql = "SELECT at FROM presence_seen WHERE id = 1";
        let seen = tx.query_one(sql, params![], |row| row.time(0))?.unwrap_or(now).min(now);
        for (agent_id, since, state) in tx.query(NEWEST_LINES, params![], newest_line)? {
            // Whoever is back already is told so after this.
            if matches!(state.as_str(), "online" | "busy" | "away") {
                log(tx, &agent_id, seen.max(since), "lost")?;
            }
        }
        Ok::<_, Abort<ErrorCode>>(())
    });
    Ok(written.await?)
}

/// What the log says last of everybody it tells of.
pub(crate) const NEWEST_LINES: &str = "SELECT a.id, l.at, l.state FROM agents a \
     JOIN presence_log l ON l.agent_id = a.id \
     AND l.at = (SELECT max(at) FROM presence_log n WHERE n.agent_id = a.id) ORDER BY a.id";

fn newest_line(row: &Row<'_>) -> Result<(AgentId, Timestamp, String), StoreError> {
    Ok((row.id(0)?, row.time(1)?, row.text(2)?))
}

/// Whether the agent was lost and is not back, or has signed out.
pub(crate) fn is_gone(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(is_lost(tx, agent_id)? || !has_session(tx, agent_id, now)?)
}

/// Whether the agent is signed in and was neither lost nor, as the relay noted it, is there: signed out and
/// in again before a socket came. Only somebody without a socket is asked about.
pub(crate) async fn is_awaited(app: &App, agent_id: AgentId) -> Result<bool, RelayError> {
    let now = app.world.now();
    let read = app.store.read_for_spine("agent awaited", move |tx| {
        Ok(has_session(tx, &agent_id, now)? && !is_lost(tx, &agent_id)?)
    });
    Ok(read.await?)
}

/// Whether the agent was lost and is not back.
pub(crate) fn is_lost(tx: &ReadTx<'_>, agent_id: &AgentId) -> Result<bool, StoreError> {
    let agent = store::load(tx, agent_id)?;
    Ok(agent.is_some_and(|agent| agent.lost_at.is_some()))
}

fn set_lost(tx: &mut WriteTx<'_>, agent_id: &AgentId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE agents SET lost_at = ? WHERE id = ? AND lost_at IS NULL",
        params![now, agent_id],
    )?;
    Ok(())
}

fn forget_lost(tx: &mut WriteTx<'_>, agent_id: &AgentId) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE agents SET lost_at = NULL WHERE id = ? AND lost_at IS NOT NULL",
        params![agent_id],
    )?;
    Ok(())
}

/// What the agent is from now on.
pub(crate) fn log(
    tx: &mut WriteTx<'_>,
    agent_id: &AgentId,
    now: Timestamp,
    state: &'static str,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO presence_log (agent_id, at, state) VALUES (?, ?, ?) \
         ON CONFLICT (agent_id, at) DO UPDATE SET state = excluded.state",
        params![agent_id, now, state],
    )?;
    forget_old(tx, agent_id, now)
}

/// What an agent was long ago is of no use any more. What the agent is stays, however old: it is the
/// newest row.
fn forget_old(tx: &mut WriteTx<'_>, agent_id: &AgentId, now: Timestamp) -> Result<(), StoreError> {
    let kept_ms = PRESENCE_KEPT_DAYS * 24 * 60 * 60 * 1_000;
    let before = Timestamp::from_millis(now.millis().saturating_sub(kept_ms)).unwrap_or_default();
    tx.execute(
        "DELETE FROM presence_log WHERE agent_id = ? AND at IN (\
         SELECT at FROM presence_log WHERE agent_id = ? AND at < ? ORDER BY at LIMIT ?)",
        params![agent_id, agent_id, before, PRESENCE_FORGOTTEN_AT_ONCE],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use yingke_shared::views::Role;

    use super::*;
    use crate::testing::TestRelay;

    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

    async fn times(relay: &TestRelay, agent_id: &AgentId) -> Vec<i64> {
        let id = agent_id.clone();
        let sql = "SELECT at FROM presence_log WHERE agent_id = ? ORDER BY at";
        let read =
            relay.app.store.read("times", move |tx| tx.query(sql, params![id], |row| row.int(0)));
        read.await.unwrap()
    }

    /// The table grew for ever.
    #[tokio::test]
    async fn what_an_agent_was_long_ago_is_forgotten_and_what_it_is_stays() {
        let relay = TestRelay::open().await;
        let ana = relay.account("Ana", Role::Agent, 8).await.agent_id;
        let ben = relay.account("Ben", Role::Agent, 8).await.agent_id;
        for _ in 0..10 {
            relay.pass(1_000);
            gone(&relay.app, ana.clone()).await.unwrap();
        }
        relay.pass(1_000);
        gone(&relay.app, ben.clone()).await.unwrap();
        let (old, of_ben) = (times(&relay, &ana).await, times(&relay, &ben).await);
        assert!(old.len() >= 10, "{old:?}");
        relay.pass((PRESENCE_KEPT_DAYS + 1) * DAY_MS);
        for _ in 0..=old.len() / PRESENCE_FORGOTTEN_AT_ONCE as usize {
            relay.pass(1_000);
            gone(&relay.app, ana.clone()).await.unwrap();
        }
        let left = times(&relay, &ana).await;
        assert!(left.first() > old.last(), "{left:?}");
        assert_eq!(times(&relay, &ben).await, of_ben, "nothing newer says what Ben is");
    }
}
