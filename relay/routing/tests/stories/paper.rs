//! A day played by people with a list on paper: three minutes without an answer, two transfers, the least
//! loaded agent, read from the rules by looking at everything whenever something can happen. Knows nothing
//! of the router.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of this is test")]

use yingke_routing::replay::PastDay;

use crate::story::MINUTE;

#[derive(Clone, Default)]
pub(crate) struct Said {
    pub(crate) wait: Option<u64>,
    pub(crate) answer: Option<u64>,
}

struct Talk {
    came: u64,
    with: Option<(usize, u64)>,
    first: u64,
    had: Vec<usize>,
    tries: u32,
    front: bool,
    back: Option<u64>,
    answered: Option<u64>,
    looked: u64,
    over: bool,
}

struct Agent {
    capacity: usize,
    idle_since: u64,
}

pub(crate) fn play(day: &PastDay, agents: &[(&str, u32)]) -> Option<Vec<Said>> {
    let mut staff: Vec<Agent> = agents
        .iter()
        .map(|(_, capacity)| Agent { capacity: *capacity as usize, idle_since: 0 })
        .collect();
    let mut talks: Vec<Talk> = Vec::new();
    let mut said = vec![Said::default(); day.conversations.len()];
    let mut now = 0;
    while let Some(next) = next(day, &talks, now).filter(|next| next.0 <= day.until) {
        now = next.0;
        if next.1 > 1 {
            return None;
        }
        for nth in 0..talks.len() {
            let (past, talk) = (&day.conversations[nth], &mut talks[nth]);
            let Some((agent, since)) = talk.with else { continue };
            let ends = match talk.answered {
                Some(at) => at + past.ends_after_ms.unwrap(),
                None => talk.first + past.served_ms,
            };
            let answers = past.holders[agent].1.map(|after| since + after);
            if ends == now {
                (talk.with, talk.over) = (None, true);
                staff[agent].idle_since = now;
            } else if talk.answered.is_none() && answers == Some(now) {
                (talk.answered, talk.tries) = (Some(now), 0);
                said[nth].answer = Some(now - talk.came);
            }
        }
        if let Some(past) = day.conversations.get(talks.len()).filter(|past| past.at == now) {
            talks.push(Talk {
                came: past.at,
                with: None,
                first: 0,
                had: Vec::new(),
                tries: 0,
                front: false,
                back: None,
                answered: None,
                looked: 0,
                over: false,
            });
        }
        for nth in 0..talks.len() {
            let Some((agent, since)) = talks[nth].with else { continue };
            let late = since.max(talks[nth].looked) + 3 * MINUTE == now;
            if talks[nth].answered.is_some() || !late {
                continue;
            }
            let others: Vec<usize> = (0..3).filter(|it| !talks[nth].had.contains(it)).collect();
            let best = best(&others, &talks, &staff);
            if talks[nth].tries < 2 && others.is_empty() {
                talks[nth].looked = now;
            } else if talks[nth].tries < 2 && best.is_some() {
                talks[nth].tries += 1;
                talks[nth].with = None;
                staff[agent].idle_since = now;
                give(nth, best.unwrap(), now, &mut talks, &mut staff);
            } else {
                (talks[nth].with, talks[nth].front, talks[nth].back) = (None, true, Some(now));
                talks[nth].tries += 1;
                staff[agent].idle_since = now;
            }
        }
        let mut line: Vec<usize> = (0..talks.len())
            .filter(|nth| talks[*nth].with.is_none() && !talks[*nth].over)
            .collect();
        line.sort_by_key(|nth| (!talks[*nth].front, *nth));
        for nth in line {
            let may: Vec<usize> =
                (0..3).filter(|it| talks[nth].tries == 0 || !talks[nth].had.contains(it)).collect();
            if let Some(agent) = best(&may, &talks, &staff) {
                if talks[nth].had.is_empty() {
                    said[nth].wait = Some(now - talks[nth].came);
                }
                give(nth, agent, now, &mut talks, &mut staff);
            }
        }
    }
    Some(said)
}

fn give(nth: usize, agent: usize, now: u64, talks: &mut [Talk], staff: &mut [Agent]) {
    let talk = &mut talks[nth];
    if talk.had.is_empty() {
        talk.first = now;
    } else if let Some(since) = talk.back.take() {
        // The time in line is no time with an agent.
        talk.first += now - since;
    }
    talk.had.push(agent);
    (talk.with, talk.looked) = (Some((agent, now)), 0);
    staff[agent].idle_since = now;
}

fn best(of: &[usize], talks: &[Talk], staff: &[Agent]) -> Option<usize> {
    let load =
        |agent: usize| talks.iter().filter(|it| it.with.is_some_and(|it| it.0 == agent)).count();
    // Sixths are whole for one, two and three places.
    let rank =
        |agent: usize| (load(agent) * 6 / staff[agent].capacity, staff[agent].idle_since, agent);
    let free = of.iter().copied().filter(|agent| load(*agent) < staff[*agent].capacity);
    free.min_by_key(|agent| rank(*agent))
}

/// When the next thing happens, and how many do then.
fn next(day: &PastDay, talks: &[Talk], now: u64) -> Option<(u64, usize)> {
    let mut all: Vec<u64> = day.conversations.iter().map(|past| past.at).collect();
    for (past, talk) in day.conversations.iter().zip(talks) {
        let Some((agent, since)) = talk.with else { continue };
        match talk.answered {
            Some(at) => all.push(at + past.ends_after_ms.unwrap()),
            None => {
                all.push(talk.first + past.served_ms);
                all.push(since.max(talk.looked) + 3 * MINUTE);
                all.extend(past.holders[agent].1.map(|after| since + after));
            }
        }
    }
    let next = all.iter().copied().filter(|at| *at > now).min()?;
    Some((next, all.iter().filter(|at| **at == next).count()))
}
