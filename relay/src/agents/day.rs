//! What agents were over the day, as the presence log tells it (L03): since when each is what it is,
//! and how long each was 在线, 忙碌 and 离开.

use yingke_shared::ids::AgentId;
use yingke_shared::time::Timestamp;

use crate::params;
use crate::store::{ReadTx, StoreError};

/// Seconds connected, by availability.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Presence {
    pub(crate) online_s: u32,
    pub(crate) busy_s: u32,
    pub(crate) away_s: u32,
}

/// Since when the agent is what the log says last; `None` without a line.
pub(crate) fn since(tx: &ReadTx<'_>, id: &AgentId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT at FROM presence_log WHERE agent_id = ? ORDER BY at DESC LIMIT 1";
    tx.query_one(sql, params![id], |row| row.time(0))
}

/// What the agent was from `began` until `now`.
pub(crate) fn presence(
    tx: &ReadTx<'_>,
    id: &AgentId,
    began: Timestamp,
    now: Timestamp,
) -> Result<Presence, StoreError> {
    Ok(summed(&lines(tx, id, began, now)?, began, now))
}

/// What the log says from `began`, and what it said last before, until `until`.
pub(crate) fn lines(
    tx: &ReadTx<'_>,
    id: &AgentId,
    began: Timestamp,
    until: Timestamp,
) -> Result<Vec<(Timestamp, String)>, StoreError> {
    tx.query(
        "SELECT at, state FROM presence_log WHERE agent_id = ? AND at <= ? AND at >= coalesce((\
         SELECT max(at) FROM presence_log WHERE agent_id = ? AND at <= ?), 0) ORDER BY at",
        params![id, until, id, began],
        |row| Ok((row.time(0)?, row.text(1)?)),
    )
}

/// Each line holds from its time, but not from before `began`, to the next.
fn summed(lines: &[(Timestamp, String)], began: Timestamp, now: Timestamp) -> Presence {
    let ends = lines.iter().skip(1).map(|(at, _)| *at).chain(std::iter::once(now));
    let (mut online_ms, mut busy_ms, mut away_ms) = (0_u64, 0_u64, 0_u64);
    for ((at, state), end) in lines.iter().zip(ends) {
        let lasted = end.min(now).millis().saturating_sub((*at).max(began).millis());
        match state.as_str() {
            "online" => online_ms += lasted,
            "busy" => busy_ms += lasted,
            "away" => away_ms += lasted,
            _ => {}
        }
    }
    let seconds = |ms: u64| u32::try_from(ms / 1_000).unwrap_or(u32::MAX);
    Presence { online_s: seconds(online_ms), busy_s: seconds(busy_ms), away_s: seconds(away_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_millis(second * 1_000).unwrap()
    }

    #[test]
    fn a_day_is_cut_at_its_beginning_and_at_now() {
        let lines = |of: &[(u64, &str)]| {
            of.iter().map(|(second, state)| (at(*second), state.to_string())).collect::<Vec<_>>()
        };
        let sum = |of: &[(u64, &str)]| {
            let sum = summed(&lines(of), at(100), at(200));
            (sum.online_s, sum.busy_s, sum.away_s)
        };
        assert_eq!(sum(&[]), (0, 0, 0));
        assert_eq!(sum(&[(40, "online")]), (100, 0, 0));
        assert_eq!(sum(&[(40, "online"), (130, "lost"), (150, "online")]), (80, 0, 0));
        let day = [(90, "out"), (110, "online"), (120, "busy"), (150, "away"), (190, "out")];
        assert_eq!(sum(&day), (10, 30, 40));
        assert_eq!(sum(&[(250, "online")]), (0, 0, 0));
    }
}
