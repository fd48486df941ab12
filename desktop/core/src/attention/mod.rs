//! Which conversations ask for the reader's attention, how loudly, and what came of it: each wait was
//! shown, sounded, toasted, seen, answered, or is not yet (X05). Pure: it is shown how everything
//! stands now and says what to do about it; the time is a value.
//!
//! What is new sounds once, unless a person is looking at it. A wait without an answer sounds again
//! when the company's first limit is passed, louder at the second, and then each time that limit
//! passes anew. What was known when this run of the client began is not new, and limits that passed
//! while the relay could not be reached are not made up for: only what is new is heard then.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use yingke_shared::ids::ConversationId;
use yingke_shared::time::Timestamp;

use crate::bridge::types::{AlertKind, AlertLevel, Ledger};

/// Two sounds of the same loudness are at least so far apart: a visitor who sends five short lines,
/// or twenty conversations after a night, are one sound. A louder one is heard at once.
const SOUNDS_APART_MS: u64 = 3_000;

/// So many system notifications at once; further ones stay in the list of conversations alone.
const TOASTS_AT_ONCE_MAX: usize = 5;

/// How a conversation stands to the reader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wait {
    /// It is in the inbox.
    pub(crate) held: bool,
    /// How many messages the visitor wrote.
    pub(crate) wrote: u64,
    /// Since when the visitor waits for the reader, by the relay's clock. Nobody waits where an answer
    /// is on its way.
    pub(crate) since_ms: Option<u64>,
    /// Nothing is unviewed, on whatever device it was viewed.
    pub(crate) viewed: bool,
    /// It is open in the focused window.
    pub(crate) in_view: bool,
    /// The reader began it or spoke last.
    pub(crate) own_word: bool,
    /// The invitation to the reader, by its position in the log.
    pub(crate) invitation: Option<u64>,
    /// What managers are told of it, by its position in the log.
    pub(crate) alert: Option<u64>,
}

/// What a person wishes, and the company's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) warn_ms: u64,
    pub(crate) red_ms: u64,
    pub(crate) sounds: bool,
    pub(crate) toasts: bool,
}

/// The clocks, and how sure the scene is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Monotonic milliseconds.
    pub(crate) now: u64,
    /// The relay's clock.
    pub(crate) relay_ms: u64,
    /// This computer's clock: for what is shown.
    pub(crate) at: Timestamp,
    /// The relay is connected: limits that pass are heard.
    pub(crate) live: bool,
    /// A part of the inbox is still on its way: what is not there may only not be there yet.
    pub(crate) partial: bool,
}

/// Something to hear or to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alert {
    pub(crate) conversation_id: ConversationId,
    pub(crate) kind: AlertKind,
    pub(crate) level: AlertLevel,
    pub(crate) sound: bool,
    pub(crate) toast: bool,
}

/// What a look at the scene led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Looked {
    pub(crate) alerts: Vec<Alert>,
    /// Their notification says what is no longer so.
    pub(crate) settled: Vec<ConversationId>,
    /// Their ledger is another.
    pub(crate) changed: Vec<ConversationId>,
}

#[derive(Default)]
struct Entry {
    wait: Wait,
    /// Limits of the present wait that passed: heard, or not to be made up for.
    passed: u64,
    toasted: bool,
    ledger: Option<Ledger>,
}

/// The machine.
#[derive(Default)]
pub(crate) struct Attention {
    entries: BTreeMap<ConversationId, Entry>,
    begun: bool,
    was_live: bool,
    last_sound: Option<(u64, AlertLevel)>,
    deadline: Option<u64>,
}

impl Attention {
    /// What came of the present wait, or of the last one.
    pub(crate) fn ledger(&self, conversation_id: &ConversationId) -> Option<Ledger> {
        self.entries.get(conversation_id).and_then(|entry| entry.ledger)
    }

    /// When to look again although nothing happened.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.deadline
    }

    /// Conversations whose notification was not taken away.
    pub(crate) fn toasted(&self) -> impl Iterator<Item = &ConversationId> {
        self.entries.iter().filter(|(_, entry)| entry.toasted).map(|(id, _)| id)
    }

    /// Compares how everything stands with how it stood; with `touched`, only these were looked at.
    pub(crate) fn look(
        &mut self,
        moment: Moment,
        rules: Rules,
        scene: &BTreeMap<ConversationId, Wait>,
        touched: Option<&BTreeSet<ConversationId>>,
    ) -> Looked {
        let mut looked = Looked::default();
        // The first look is at what an earlier run kept and told; a link that comes back does not
        // repeat what passed without it.
        let is_first = !std::mem::replace(&mut self.begun, true);
        let was_live = std::mem::replace(&mut self.was_live, moment.live);
        let rings = moment.live && was_live;
        if !moment.partial {
            self.forget_absent(scene, touched, &mut looked);
        }
        if touched.is_none() {
            self.deadline = None;
        }
        let mut toasts = 0;
        for (id, wait) in scene {
            let entry = self.entries.entry(id.clone()).or_default();
            let before = std::mem::replace(&mut entry.wait, wait.clone());
            let ledger_before = entry.ledger;
            entry.keep_ledger(&before, wait, moment.at);
            let news = if is_first { None } else { news(&before, wait) };
            let passed = wait.passed(moment.relay_ms, rules);
            let is_due = passed > entry.passed && rings && !is_first;
            let is_same_wait = before.since_ms == wait.since_ms;
            entry.passed = if is_same_wait && !moment.live {
                // Without the relay nobody knows what time it is there: no limit counts as passed.
                entry.passed
            } else if is_same_wait && rings {
                // A clock that was set back brings no limit a second time.
                passed.max(entry.passed)
            } else {
                passed
            };
            // Viewed but not open here: it was read on another device.
            let is_read = wait.viewed && !before.viewed && !wait.asks_otherwise();
            if entry.toasted && (is_read || wait.is_settled()) {
                entry.toasted = false;
                looked.settled.push(id.clone());
            }
            let kind = match news {
                Some(_) if wait.in_view => None,
                Some(kind) => Some(kind),
                None => is_due.then_some(AlertKind::StillWaiting),
            };
            if let Some(kind) = kind {
                let level = level_of(entry.passed);
                let toast = rules.toasts && !wait.in_view && toasts < TOASTS_AT_ONCE_MAX;
                let sound = rules.sounds && may_sound(self.last_sound, moment.now, level);
                if sound {
                    self.last_sound = Some((moment.now, level));
                }
                toasts += usize::from(toast);
                entry.toasted |= toast;
                entry.told(level, sound, toast, moment.at);
                let conversation_id = id.clone();
                looked.alerts.push(Alert { conversation_id, kind, level, sound, toast });
            }
            if entry.ledger != ledger_before {
                looked.changed.push(id.clone());
            }
            if moment.live
                && let Some(left) = wait.until_next(moment.relay_ms, rules)
            {
                let at = moment.now.saturating_add(left);
                self.deadline = Some(self.deadline.map_or(at, |known| known.min(at)));
            }
        }
        looked
    }

    fn forget_absent(
        &mut self,
        scene: &BTreeMap<ConversationId, Wait>,
        touched: Option<&BTreeSet<ConversationId>>,
        looked: &mut Looked,
    ) {
        self.entries.retain(|id, entry| {
            let was_looked_at = touched.is_none_or(|touched| touched.contains(id));
            let stays = !was_looked_at || scene.contains_key(id);
            if !stays && entry.toasted {
                looked.settled.push(id.clone());
            }
            stays
        });
    }
}

/// What is new, the most urgent of it.
fn news(before: &Wait, now: &Wait) -> Option<AlertKind> {
    let came = |now: Option<u64>, before: Option<u64>| now.is_some() && now != before;
    if came(now.invitation, before.invitation) {
        return Some(AlertKind::Invitation);
    }
    if came(now.alert, before.alert) {
        return Some(AlertKind::Manager);
    }
    if !now.held || now.own_word || now.viewed {
        return None;
    }
    if !before.held {
        // Who was asked before knows of it; only who did not is told.
        return before.invitation.is_none().then_some(AlertKind::Conversation);
    }
    (now.wrote > before.wrote).then_some(AlertKind::Message)
}

fn may_sound(last: Option<(u64, AlertLevel)>, now: u64, level: AlertLevel) -> bool {
    last.is_none_or(|(at, louder)| level > louder || now.saturating_sub(at) >= SOUNDS_APART_MS)
}

fn level_of(passed: u64) -> AlertLevel {
    match passed {
        0 => AlertLevel::Calm,
        1 => AlertLevel::Warn,
        _ => AlertLevel::Alarm,
    }
}

impl Wait {
    /// How many limits a wait passed: the first, the second, and the second again and again.
    fn passed(&self, relay_ms: u64, rules: Rules) -> u64 {
        let Some(since) = self.since_ms else { return 0 };
        let waited = relay_ms.saturating_sub(since);
        let red = rules.red_ms.max(1);
        if waited >= red { 1 + waited / red } else { u64::from(waited >= rules.warn_ms) }
    }

    /// How long until the next limit passes.
    fn until_next(&self, relay_ms: u64, rules: Rules) -> Option<u64> {
        let waited = relay_ms.saturating_sub(self.since_ms?);
        let red = rules.red_ms.max(1);
        let next = if waited < rules.warn_ms.min(red) {
            rules.warn_ms.min(red)
        } else {
            (waited / red + 1) * red
        };
        Some(next.saturating_sub(waited).max(1))
    }

    /// Nothing asks for attention any more.
    fn is_settled(&self) -> bool {
        let held = self.held && self.since_ms.is_some() && !self.in_view;
        let unread = self.held && !self.viewed && !self.own_word;
        !held && !unread && !self.asks_otherwise()
    }

    /// It asks for more than to be read.
    fn asks_otherwise(&self) -> bool {
        self.invitation.is_some() || self.alert.is_some()
    }
}

impl Entry {
    /// A wait that begins opens a new page; one that ends is answered.
    fn keep_ledger(&mut self, before: &Wait, wait: &Wait, at: Timestamp) {
        if !wait.held {
            return;
        }
        if wait.since_ms.is_some() && wait.since_ms != before.since_ms {
            self.ledger = Some(Ledger {
                shown_at: at,
                sounded_at: None,
                level: AlertLevel::Calm,
                toasted_at: None,
                seen_at: None,
                answered_at: None,
            });
        }
        let Some(ledger) = &mut self.ledger else { return };
        if (wait.viewed || wait.in_view) && ledger.seen_at.is_none() {
            ledger.seen_at = Some(at);
        }
        if wait.since_ms.is_none() && ledger.answered_at.is_none() {
            ledger.answered_at = Some(at);
        }
    }

    fn told(&mut self, level: AlertLevel, sound: bool, toast: bool, at: Timestamp) {
        let Some(ledger) = &mut self.ledger else { return };
        ledger.level = ledger.level.max(level);
        if sound {
            ledger.sounded_at = Some(at);
        }
        if toast {
            ledger.toasted_at = Some(at);
        }
    }
}
