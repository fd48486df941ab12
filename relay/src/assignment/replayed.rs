//! A past day with other settings (X04): read in one transaction, played by the routing core on a
//! thread of its own with a limit of time, and put into figures. Nothing is saved and the running
//! driver is not asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use yingke_routing::replay::{self as core, Fate, Figures, Replayed};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::AgentId;
use yingke_shared::replay::{
    HourFigures, ReplayAnswer, ReplayDay, ReplayFigures, WaitFigures, WorkFigures,
};
use yingke_shared::settings::SettingsSection;
use yingke_shared::time::Timestamp;

use super::past_day::{self, Found, Happened, Known};
use super::{settings as converted, words};
use crate::agents::rules::may_be_capacity;
use crate::app::App;
use crate::auth::StaffIdentity;
use crate::error::RelayError;
use crate::limits::REPLAY_MS_MAX;
use crate::policy::{self, Deed};
use crate::settings;

const HOURS: usize = 24;

/// What happened that day, and what would have happened.
pub(crate) async fn replay(
    app: &App,
    who: &StaffIdentity,
    asked: ReplayDay,
) -> Result<ReplayAnswer, RelayError> {
    policy::may(who.role, Deed::ChangeSettings)?;
    let trial = checked(asked)?;
    let busy = |_| RelayError::later(ErrorCode::Busy, 2_000);
    let admitted = Arc::clone(&app.replays).try_acquire_owned().map_err(busy)?;
    let (day, now) = (trial.day.clone(), app.world.now());
    let found = app.store.read("past day", move |tx| past_day::read(tx, &day, now)).await?;
    let known = match found {
        Found::Day(known) => known,
        Found::NoDay => return Err(ErrorCode::Invalid.into()),
        Found::TooMuch => return Err(ErrorCode::TooLarge.into()),
    };
    let (stopwatch, stopping) = (app.world.stopwatch(), app.stopping.clone());
    let played = tokio::task::spawn_blocking(move || {
        let go_on = || stopwatch.passed_ms() < REPLAY_MS_MAX && !stopping.is_cancelled();
        let answer = play(&known, &trial, go_on);
        // Given back by the work itself: a caller who went away does not let others in early.
        drop(admitted);
        answer
    });
    let answer = played.await.map_err(|error| {
        tracing::error!(%error, "playing a past day failed");
        RelayError::refused(ErrorCode::Internal)
    })?;
    answer.ok_or(ErrorCode::TooLarge.into())
}

/// The settings to try, within the bounds of those that are saved.
fn checked(mut asked: ReplayDay) -> Result<ReplayDay, ErrorCode> {
    use settings::rules::checked;
    if let Some(company) = asked.company.take()
        && let SettingsSection::Company(company) = checked(SettingsSection::Company(company))?
    {
        asked.company = Some(company);
    }
    if let Some(all) = asked.departments.take()
        && let SettingsSection::Departments(all) = checked(SettingsSection::Departments(all))?
    {
        asked.departments = Some(all);
    }
    if let Some(all) = asked.rules.take()
        && let SettingsSection::Rules(all) = checked(SettingsSection::Rules(all))?
    {
        asked.rules = Some(all);
    }
    for capacity in asked.capacities.values() {
        may_be_capacity(*capacity).map_err(|_| ErrorCode::Invalid)?;
    }
    Ok(asked)
}

fn play(known: &Known, trial: &ReplayDay, go_on: impl Fn() -> bool) -> Option<ReplayAnswer> {
    let now = ReplayDay::default();
    let as_now = core::replay_while(&known.day, &settings_of(known, &now), &go_on)?;
    let after = core::replay_while(&known.day, &settings_of(known, trial), &go_on)?;
    let came = hours_of(known);
    Some(ReplayAnswer {
        before: happened(known, &came),
        as_now: figures(known, &came, &as_now),
        after: figures(known, &came, &after),
    })
}

fn settings_of(known: &Known, trial: &ReplayDay) -> core::Settings {
    let company = trial.company.as_ref().unwrap_or(&known.company);
    let departments = trial.departments.as_ref().unwrap_or(&known.departments);
    let rules = trial.rules.as_ref().unwrap_or(&known.rules);
    // Places on earth have the offsets of that day.
    let department = |set| converted::department(set, &company.zone, known.began);
    core::Settings {
        company: converted::company(company, known.began),
        departments: departments.iter().map(department).collect(),
        rules: rules.iter().map(converted::rule).collect(),
        capacities: trial.capacities.iter().map(|(id, of)| (words::agent(id), *of)).collect(),
    }
}

/// In which hour each came, in the order of the day.
type Hours = BTreeMap<yingke_routing::ConversationId, usize>;

fn hours_of(known: &Known) -> Hours {
    let hour = |at: u64| {
        let at = Timestamp::from_millis(at).unwrap_or(known.began);
        converted::hour(&known.company.zone, at)
    };
    let all = known.day.conversations.iter();
    all.map(|past| (past.conversation.clone(), hour(past.at))).collect()
}

/// What happened.
fn happened(known: &Known, hours: &Hours) -> ReplayFigures {
    let mut departments: BTreeMap<_, Day> = BTreeMap::new();
    let mut all = Day::default();
    let mut by_hour = ByHour::default();
    let mut turns = Vec::new();
    let mut agents: BTreeMap<AgentId, WorkFigures> = BTreeMap::new();
    for (id, what) in &known.happened {
        for held in &what.had {
            agents.entry(held.agent_id.clone()).or_default().served += 1;
            // Ends come first: who gives one up and gets another had one.
            turns.push((held.to, false, &held.agent_id));
            turns.push((held.from, true, &held.agent_id));
        }
        if !what.counts {
            continue;
        }
        departments.entry(what.department_id.clone()).or_default().add(what);
        all.add(what);
        by_hour.add(hours.get(&words::conversation(id)), what.waited());
    }
    at_once(turns, &mut agents);
    let by_department = departments.into_iter().map(|(id, day)| (id, wait(&day.figures())));
    ReplayFigures {
        all: wait(&all.figures()),
        departments: by_department.collect(),
        hours: by_hour.done(),
        agents,
    }
}

/// What is summed of those who came.
#[derive(Default)]
struct Day {
    came: u64,
    waits: Vec<u64>,
    answers: Vec<u64>,
    moved: u64,
}

impl Day {
    fn add(&mut self, what: &Happened) {
        self.came += 1;
        self.waits.extend(what.waited());
        self.answers.extend(what.answer_ms);
        self.moved += what.moved;
    }

    fn figures(self) -> Figures {
        let mut figures = Figures { moved: self.moved, ..Figures::of(self.came, self.waits) };
        for after_ms in self.answers {
            figures.answer(after_ms);
        }
        figures
    }
}

impl Happened {
    fn waited(&self) -> Option<u64> {
        let first = self.had.first()?;
        Some(first.from.millis().saturating_sub(self.came.millis()))
    }
}

/// The most conversations each had at once.
fn at_once(
    mut turns: Vec<(Timestamp, bool, &AgentId)>,
    agents: &mut BTreeMap<AgentId, WorkFigures>,
) {
    turns.sort_unstable();
    let mut running: BTreeMap<&AgentId, u32> = BTreeMap::new();
    for (_, begins, agent_id) in turns {
        let count = running.entry(agent_id).or_default();
        *count = if begins { *count + 1 } else { count.saturating_sub(1) };
        if let Some(work) = agents.get_mut(agent_id) {
            work.at_once = work.at_once.max(*count);
        }
    }
}

/// What would have happened.
fn figures(known: &Known, hours: &Hours, replayed: &Replayed) -> ReplayFigures {
    let mut by_hour = ByHour::default();
    for past in &known.day.conversations {
        let waited = match replayed.fates.get(&past.conversation) {
            None | Some(Fate::Silent) => continue,
            Some(Fate::Served { after_ms, .. }) => Some(*after_ms),
            Some(_) => None,
        };
        by_hour.add(hours.get(&past.conversation), waited);
    }
    let departments = replayed.departments.iter();
    let agents = replayed.loads.iter();
    ReplayFigures {
        all: wait(&replayed.all),
        departments: departments
            .filter_map(|(id, figures)| Some((words::department_id(id)?, wait(figures))))
            .collect(),
        hours: by_hour.done(),
        agents: agents
            .filter_map(|(id, (served, at_once))| {
                let work = WorkFigures { served: short(*served), at_once: *at_once };
                Some((words::agent_id(id)?, work))
            })
            .collect(),
    }
}

#[derive(Default)]
struct ByHour([(HourFigures, u64); HOURS]);

impl ByHour {
    fn add(&mut self, hour: Option<&usize>, waited: Option<u64>) {
        let Some((hour, sum_ms)) = hour.and_then(|hour| self.0.get_mut(*hour)) else { return };
        hour.came += 1;
        match waited {
            Some(waited) => *sum_ms += waited,
            None => hour.missed += 1,
        }
    }

    fn done(self) -> Vec<HourFigures> {
        let mean = |(hour, sum_ms): (HourFigures, u64)| HourFigures {
            wait_mean_ms: mean(sum_ms, u64::from(hour.came - hour.missed)),
            ..hour
        };
        self.0.into_iter().map(mean).collect()
    }
}

fn wait(of: &Figures) -> WaitFigures {
    WaitFigures {
        came: short(of.came),
        served: short(of.served),
        missed: short(of.missed),
        wait_mean_ms: mean(of.wait_sum_ms, of.served),
        wait_p50_ms: short(of.wait_p50_ms),
        wait_p95_ms: short(of.wait_p95_ms),
        wait_max_ms: short(of.wait_max_ms),
        answer_mean_ms: mean(of.answer_sum_ms, of.answered),
        moved: short(of.moved),
    }
}

fn mean(sum_ms: u64, count: u64) -> u32 {
    short(sum_ms.checked_div(count).unwrap_or(0))
}

fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "replayed_tests.rs"]
mod tests;
