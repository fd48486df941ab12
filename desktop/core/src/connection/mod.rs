//! The link to the relay as a pure machine: inputs and the time in, actions out. No socket, no
//! clock, no randomness of its own.
//!
//! The happy path: `start` → *opening* (dial) → *greeting* (hello sent) → *live* (welcomed). Every
//! frame heard keeps it live.
//!
//! When it breaks (closed, refused, silent, a command never answered) it waits: 250 ms, then 750 ms
//! while the outage is short, later doubling to 15 s, each wait drawn between half and the whole so
//! that a thousand clients of a restarted relay do not come back in one instant. `bye` may ask for
//! longer. A link that stood ten seconds resets the waits. A person's action cuts a long wait short.
//!
//! The worst case is a reader whose place in the log no longer fits (a delivery's `after` is not its
//! position): it dials again at once and says hello without `resume`, *once*. If the fresh link
//! misfits as well before it proved stable, that is a failure like any other and waits its turn:
//! a relay and a client that disagree can never chase each other in a loop.
//!
//! Each dial has a number; what a former socket still says is about another number and is ignored by
//! whoever carries out the actions.

#[cfg(test)]
mod tests;

use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::limits::HELLO_WITHIN_MS;

use crate::bridge::types::{ConnectionState, SignedOutNotice};
use crate::limits::{
    BACKOFF_MS_MAX, BACKOFF_MS_MIN, BACKOFF_SOON_MS_MAX, BACKOFF_SOON_TRIES, NUDGE_EVERY_MS,
    OPEN_WITHIN_MS, SILENCE_MS_MAX, STABLE_AFTER_MS, TRIES_BEFORE_OFFLINE,
};

/// What happens to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A session has a token: connect.
    Start,
    /// The session ended: disconnect and stay so.
    Stop,
    /// The socket is open.
    Opened,
    /// The socket could not be opened, or closed, or an answer never came.
    Broken,
    /// The relay welcomed us.
    Welcomed,
    /// Any frame arrived.
    Heard,
    /// The relay said goodbye and why.
    Bye(WireError),
    /// A delivery did not fit our position, or what was held of it is lost.
    Misfit,
    /// A person did something that wants the network.
    Nudge,
    /// The computer slept: the socket is certainly dead, and waiting out a timeout helps nobody.
    Woke,
    /// Time passed.
    Tick,
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Dial; the number tells this socket from former ones.
    Open {
        /// Of this dial.
        dial: u64,
    },
    /// Say hello, with or without the place where reading stopped.
    Hello {
        /// Whether to name it.
        resume: bool,
    },
    /// Let go of the socket.
    Close,
    /// The session is over: show the sign-in screen, or sign in again if that was remembered.
    EndSession(SignedOutNotice),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing is wanted.
    Stopped,
    /// Between two tries.
    Waiting { until: u64 },
    /// Dialling.
    Opening { since: u64 },
    /// Hello sent.
    Greeting { since: u64 },
    /// Welcomed.
    Live { since: u64, heard: u64 },
}

/// The machine. Times are monotonic milliseconds.
#[derive(Debug)]
pub struct Connection {
    phase: Phase,
    dial: u64,
    /// Failed tries since a link proved stable: decides the wait.
    failures: u32,
    /// Failed tries since the last welcome: decides what is shown.
    shown_failures: u32,
    /// Whether this session ever was live: before, it is "connecting", later "reconnecting".
    was_live: bool,
    /// The next hello names no place.
    fresh: bool,
    /// A misfit was answered by a fresh hello and no link has proved stable since.
    misfitted: bool,
    nudged: Option<u64>,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            phase: Phase::Stopped,
            dial: 0,
            failures: 0,
            shown_failures: 0,
            was_live: false,
            fresh: false,
            misfitted: false,
            nudged: None,
        }
    }
}

impl Connection {
    /// One step. `jitter` is a random number over its whole range.
    pub fn step(&mut self, now: u64, jitter: u32, input: Input) -> Vec<Action> {
        match input {
            Input::Start if self.phase == Phase::Stopped => {
                *self = Self { dial: self.dial, ..Self::default() };
                self.open(now)
            }
            Input::Start => Vec::new(),
            Input::Stop => self.stop(),
            _ if self.phase == Phase::Stopped => Vec::new(),
            Input::Opened => self.opened(now),
            Input::Broken => self.broken(now, jitter, 0),
            Input::Welcomed => self.welcomed(now),
            Input::Heard => {
                if let Phase::Live { heard, .. } = &mut self.phase {
                    *heard = now;
                }
                Vec::new()
            }
            Input::Bye(error) => self.bye(now, jitter, error),
            Input::Misfit => self.misfit(now, jitter),
            Input::Nudge => self.nudge(now),
            Input::Woke => self.woke(now),
            Input::Tick => self.tick(now, jitter),
        }
    }

    /// When the next `Tick` is due, if any.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        match self.phase {
            Phase::Stopped => None,
            Phase::Waiting { until } => Some(until),
            Phase::Opening { since } => Some(since + OPEN_WITHIN_MS),
            Phase::Greeting { since } => Some(since + HELLO_WITHIN_MS),
            Phase::Live { heard, .. } => Some(heard + SILENCE_MS_MAX),
        }
    }

    /// The number of the socket that counts.
    #[must_use]
    pub fn dial(&self) -> u64 {
        self.dial
    }

    /// Whether commands can go out.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live { .. })
    }

    /// What is shown.
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        match self.phase {
            Phase::Live { .. } => ConnectionState::Connected,
            Phase::Stopped => ConnectionState::Offline,
            _ if self.shown_failures >= TRIES_BEFORE_OFFLINE => ConnectionState::Offline,
            _ if self.was_live => ConnectionState::Reconnecting,
            _ => ConnectionState::Connecting,
        }
    }

    /// The next hello must name no place: what was held is no longer trusted.
    pub fn forget_place(&mut self) {
        self.fresh = true;
    }

    fn open(&mut self, now: u64) -> Vec<Action> {
        self.phase = Phase::Opening { since: now };
        self.dial += 1;
        vec![Action::Open { dial: self.dial }]
    }

    fn stop(&mut self) -> Vec<Action> {
        let had_socket = self.has_socket();
        self.phase = Phase::Stopped;
        if had_socket { vec![Action::Close] } else { Vec::new() }
    }

    fn has_socket(&self) -> bool {
        !matches!(self.phase, Phase::Stopped | Phase::Waiting { .. })
    }

    fn opened(&mut self, now: u64) -> Vec<Action> {
        if !matches!(self.phase, Phase::Opening { .. }) {
            return Vec::new();
        }
        self.phase = Phase::Greeting { since: now };
        vec![Action::Hello { resume: !self.fresh }]
    }

    fn welcomed(&mut self, now: u64) -> Vec<Action> {
        if matches!(self.phase, Phase::Greeting { .. }) {
            self.phase = Phase::Live { since: now, heard: now };
            self.was_live = true;
            self.fresh = false;
            self.shown_failures = 0;
        }
        Vec::new()
    }

    /// A stable link forgives what went before it.
    fn settle(&mut self, now: u64) {
        if let Phase::Live { since, .. } = self.phase
            && now.saturating_sub(since) >= STABLE_AFTER_MS
        {
            self.failures = 0;
            self.misfitted = false;
        }
    }

    fn broken(&mut self, now: u64, jitter: u32, at_least: u64) -> Vec<Action> {
        let had_socket = self.has_socket();
        if !had_socket {
            return Vec::new();
        }
        self.settle(now);
        let wait = backoff(self.failures, jitter).max(with_jitter(at_least, jitter));
        self.failures = self.failures.saturating_add(1);
        self.shown_failures = self.shown_failures.saturating_add(1);
        self.phase = Phase::Waiting { until: now + wait };
        vec![Action::Close]
    }

    fn bye(&mut self, now: u64, jitter: u32, error: WireError) -> Vec<Action> {
        let notice = match error.code {
            ErrorCode::Unauthenticated => SignedOutNotice::EndedByRelay,
            ErrorCode::UnsupportedVersion => SignedOutNotice::Incompatible,
            _ => {
                let at_least = u64::from(error.retry_after_ms.unwrap_or(0));
                return self.broken(now, jitter, at_least);
            }
        };
        let mut actions = self.stop();
        actions.push(Action::EndSession(notice));
        actions
    }

    fn misfit(&mut self, now: u64, jitter: u32) -> Vec<Action> {
        // A hello that was said may have named the place that is no longer trusted.
        if !matches!(self.phase, Phase::Live { .. } | Phase::Greeting { .. }) {
            return Vec::new();
        }
        self.settle(now);
        self.fresh = true;
        if self.misfitted {
            return self.broken(now, jitter, 0);
        }
        self.misfitted = true;
        let mut actions = vec![Action::Close];
        actions.extend(self.open(now));
        actions
    }

    fn nudge(&mut self, now: u64) -> Vec<Action> {
        let Phase::Waiting { .. } = self.phase else { return Vec::new() };
        if self.nudged.is_some_and(|last| now.saturating_sub(last) < NUDGE_EVERY_MS) {
            return Vec::new();
        }
        self.nudged = Some(now);
        self.open(now)
    }

    fn woke(&mut self, now: u64) -> Vec<Action> {
        let had_socket = self.has_socket();
        self.failures = 0;
        let mut actions = if had_socket { vec![Action::Close] } else { Vec::new() };
        actions.extend(self.open(now));
        actions
    }

    fn tick(&mut self, now: u64, jitter: u32) -> Vec<Action> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Vec::new();
        }
        match self.phase {
            Phase::Waiting { .. } => self.open(now),
            _ => self.broken(now, jitter, 0),
        }
    }
}

/// The wait after `failures` earlier failures: short ones first, then doubling; between half and the
/// whole of it.
fn backoff(failures: u32, jitter: u32) -> u64 {
    let whole = match failures.checked_sub(BACKOFF_SOON_TRIES) {
        None => (BACKOFF_MS_MIN << failures.min(16)).min(BACKOFF_SOON_MS_MAX),
        Some(late) => (BACKOFF_SOON_MS_MAX << late.min(16)).min(BACKOFF_MS_MAX),
    };
    whole / 2 + scaled(whole / 2, jitter)
}

/// At least what was asked, and up to half as much again.
fn with_jitter(asked: u64, jitter: u32) -> u64 {
    asked + scaled(asked / 2, jitter)
}

fn scaled(whole: u64, jitter: u32) -> u64 {
    whole * u64::from(jitter) / u64::from(u32::MAX)
}
