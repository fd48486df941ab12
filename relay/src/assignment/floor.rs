//! Tells how things stand: the floor to whoever looks at it, places to those who wait, how many wait to
//! staff (B09, B10, A30, L01-L05).
//!
//! Everything goes from the driver outwards: after a turn its bell rings, and at most once a second this
//! asks how the core stands, reads what rows must add, and tells what became another. It runs beside
//! the driver and takes nothing from the path of messages: a question to the core, one read, and
//! frames encoded once. Rows of the floor are read only while a socket looks at it; then also
//! without a bell, because what is said last changes without the driver.
//!
//! Worst case: no driver answers (it begins anew, or none runs). Then nothing is told until one does;
//! nothing here is stored, so nothing is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use yingke_shared::frame::{StaffFrame, StaffSignal};
use yingke_shared::ids::{AgentId, ConversationId, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{Floor, Role};

use super::floor_rows::{Rows, Wanted, read};
use super::questions::Overview;
use super::{floor_view, words};
use crate::agents::Agent;
use crate::app::App;
use crate::limits::{
    DAY_COUNTED_EVERY_MS, FLOOR_EVERY_AT_WORST_MS, FLOOR_EVERY_MS, FLOOR_PAUSE_TIMES,
};
use crate::live::{LinePlace, frames};
use crate::store::StoreError;
use crate::store::faults::trip;

const EVERY: Duration = Duration::from_millis(FLOOR_EVERY_MS);
/// However long it takes: nobody's place is older than this.
const EVERY_AT_WORST: Duration = Duration::from_millis(FLOOR_EVERY_AT_WORST_MS);
const DAY_COUNTED_EVERY: Duration = Duration::from_millis(DAY_COUNTED_EVERY_MS);

/// Tells until the relay stops. One for each relay.
pub async fn run(app: Arc<App>) {
    let stopping = app.stopping.clone();
    let mut teller = Teller::new(app);
    tokio::select! {
        biased;
        () = stopping.cancelled() => {}
        () = teller.tell_all() => {}
    }
}

/// What was told last.
struct Teller {
    app: Arc<App>,
    /// Nobody is known to be what they are for longer.
    began_at: Timestamp,
    turns: watch::Receiver<u64>,
    asked: watch::Receiver<u64>,
    /// When it may be looked again.
    next: Instant,
    /// Whose the waiting conversations are.
    visitors: BTreeMap<ConversationId, VisitorId>,
    /// The newest frames of the floor, while somebody looks.
    whole: Option<Bytes>,
    short: Option<Bytes>,
    /// When the day was counted, and its sums.
    counted: Option<Instant>,
    days: floor_view::Days,
}

/// The store is closed: nothing more will be told.
struct Closed;

impl Teller {
    fn new(app: Arc<App>) -> Self {
        let mut turns = app.routing.turns();
        turns.mark_changed();
        let asked = app.hub.floor_bell();
        Self {
            began_at: app.world.now(),
            app,
            turns,
            asked,
            next: Instant::now(),
            visitors: BTreeMap::new(),
            whole: None,
            short: None,
            counted: None,
            days: floor_view::Days::new(),
        }
    }

    async fn tell_all(&mut self) {
        while self.wait().await {
            let Ok(cost) = self.look().await else { return };
            let pause = cost.saturating_mul(FLOOR_PAUSE_TIMES).clamp(EVERY, EVERY_AT_WORST);
            self.next = Instant::now() + pause;
        }
    }

    /// Waits until there is a reason to look and the pause is over. Who asks meanwhile gets the floor
    /// as it was told last, which is at most one pause old. Gives whether there is anything to wait for.
    async fn wait(&mut self) -> bool {
        let mut has_reason = false;
        loop {
            let is_watched = self.is_watched();
            let may_look = Instant::now() >= self.next;
            if may_look && (has_reason || is_watched) {
                return true;
            }
            let is_pausing = !may_look && (has_reason || is_watched);
            tokio::select! {
                biased;
                rung = self.asked.changed() => {
                    if rung.is_err() {
                        return false;
                    }
                    if self.give_what_is_there() {
                        return true;
                    }
                }
                rung = self.turns.changed(), if !has_reason => {
                    if rung.is_err() {
                        return false;
                    }
                    has_reason = true;
                }
                () = sleep_until(self.next), if is_pausing => {}
            }
        }
    }

    fn is_watched(&self) -> bool {
        let (by_managers, by_agents) = self.app.hub.floor_asked();
        by_managers || by_agents
    }

    /// Gives new onlookers the newest frames; gives whether new ones are to be made.
    fn give_what_is_there(&self) -> bool {
        if Instant::now() >= self.next {
            return true;
        }
        self.app.hub.put_floor(self.whole.as_ref(), self.short.as_ref(), false);
        let (by_managers, by_agents) = self.app.hub.floor_asked();
        (by_managers && self.whole.is_none()) || (by_agents && self.short.is_none())
    }

    /// Looks once and tells what became another. Gives how long that took, without the driver's part.
    async fn look(&mut self) -> Result<Duration, Closed> {
        let Some(overview) = self.app.routing.overview().await else {
            // Without an answer there is no bell: the next look is after the pause.
            self.turns.mark_changed();
            return Ok(Duration::ZERO);
        };
        let began = Instant::now();
        let is_watched = self.is_watched();
        let wanted = self.wanted(&overview, is_watched);
        let counts = wanted.counts_days;
        let rows = self.app.store.read("floor", move |tx| read(tx, &wanted));
        let rows = match rows.await {
            Ok(rows) => rows,
            Err(StoreError::Closed) => return Err(Closed),
            Err(error) => {
                tracing::warn!(%error, "how things stand cannot be read; trying again");
                self.turns.mark_changed();
                return Ok(began.elapsed());
            }
        };
        if counts {
            self.counted = Some(Instant::now());
        }
        trip("panic_in_telling");
        self.tell_lengths(&overview, &rows.agents);
        self.tell_places(&overview, &rows.visitors);
        if is_watched {
            self.tell_floor(&overview, rows);
        } else {
            (self.whole, self.short) = (None, None);
        }
        Ok(began.elapsed())
    }

    fn wanted(&mut self, overview: &Overview, is_watched: bool) -> Wanted {
        let ids = overview.lines.iter().filter_map(|it| words::conversation_id(&it.conversation));
        let waiting: BTreeSet<_> = ids.clone().collect();
        self.visitors.retain(|id, _| waiting.contains(id));
        let is_new = |id: &ConversationId| !self.visitors.contains_key(id);
        let is_counted = self.counted.is_some_and(|at| at.elapsed() < DAY_COUNTED_EVERY);
        Wanted {
            now: self.app.world.now(),
            unknown: waiting.iter().filter(|id| is_new(id)).cloned().collect(),
            line: if is_watched { floor_view::shown(overview) } else { Vec::new() },
            is_watched,
            counts_days: is_watched && !is_counted,
        }
    }

    fn tell_lengths(&self, overview: &Overview, agents: &[Agent]) {
        let waiting = floor_view::lengths(overview);
        let total = waiting.values().sum();
        let of = |agent: &Agent| {
            if agent.role >= Role::Manager {
                return total;
            }
            let departments: BTreeSet<_> = agent.departments.iter().map(|id| id.as_str()).collect();
            departments.into_iter().filter_map(|id| waiting.get(id)).sum()
        };
        let lengths = agents.iter().map(|agent| (agent.id.clone(), of(agent))).collect();
        self.app.hub.tell_lengths(lengths);
    }

    fn tell_places(&mut self, overview: &Overview, new: &[(ConversationId, VisitorId)]) {
        self.visitors.extend(new.iter().cloned());
        let places = overview.lines.iter().filter_map(|it| {
            let conversation_id = words::conversation_id(&it.conversation)?;
            let visitor_id = self.visitors.get(&conversation_id)?.clone();
            let place = u32::try_from(it.place).unwrap_or(u32::MAX);
            let expected_wait_ms = it.expected_ms.map(floor_view::rounded);
            let since = it.since;
            Some((visitor_id, LinePlace { conversation_id, place, expected_wait_ms, since }))
        });
        self.app.hub.tell_places(places.collect());
    }

    fn tell_floor(&mut self, overview: &Overview, rows: Rows) {
        if let Some(days) = rows.days {
            self.days = days;
        }
        let connected = self.app.hub.connected_agents();
        let since = |agent: &Agent| rows.since.get(&agent.id).copied().unwrap_or(self.began_at);
        let floor = floor_view::floor(overview, &rows.agents, since, &connected, &self.days);
        let floor = floor_view::with_lists(floor, overview, rows.waiting, rows.served);
        let short = Floor { waiting: Vec::new(), running: Vec::new(), ..floor.clone() };
        let frame =
            |floor| frames::shared(&StaffFrame::Signal { signal: StaffSignal::Floor { floor } });
        let (by_managers, by_agents) = self.app.hub.floor_asked();
        let whole = if by_managers { frame(floor) } else { None };
        let short = if by_agents { frame(short) } else { None };
        // Each audience is told when what it sees is another; a new onlooker in any case.
        let changed = |new: &Option<Bytes>, before: &Option<Bytes>| new.is_some() && new != before;
        let (is_whole_new, is_short_new) =
            (changed(&whole, &self.whole), changed(&short, &self.short));
        self.app.hub.put_floor(whole.as_ref(), None, is_whole_new);
        self.app.hub.put_floor(None, short.as_ref(), is_short_new);
        (self.whole, self.short) = (whole, short);
    }
}

/// Since when somebody is what the log says last, by agent.
pub(super) type Since = BTreeMap<AgentId, Timestamp>;
