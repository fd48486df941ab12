//! Every rule of the machine on a computer whose clock the test moves. Ana serves `c1`.

use super::*;

const WARN: u64 = 60_000;
const RED: u64 = 180_000;
const RULES: Rules = Rules { warn_ms: WARN, red_ms: RED, sounds: true, toasts: true };

/// One client as it runs.
struct Ana {
    machine: Attention,
    scene: BTreeMap<ConversationId, Wait>,
    now: u64,
    rules: Rules,
    live: bool,
    partial: bool,
}

impl Ana {
    /// Signed in, with nothing in the inbox.
    fn begins() -> Self {
        let mut ana = Self::starts(&[]);
        ana.live = true;
        assert_eq!(ana.look(), Looked::default());
        ana
    }

    /// Her client starts with what its cache kept; it has no link yet.
    fn starts(kept: &[(&str, Wait)]) -> Self {
        let mut ana = Self {
            machine: Attention::default(),
            scene: BTreeMap::new(),
            now: 1_000_000,
            rules: RULES,
            live: false,
            partial: false,
        };
        for (id, wait) in kept {
            ana.scene.insert(conversation(id), wait.clone());
        }
        let looked = ana.look();
        assert!(looked.alerts.is_empty(), "what an earlier run knew is not new");
        ana
    }

    fn look(&mut self) -> Looked {
        let moment = self.moment();
        self.machine.look(moment, self.rules, &self.scene, None)
    }

    fn moment(&self) -> Moment {
        let at = Timestamp::from_millis(self.now).unwrap();
        Moment { now: self.now, relay_ms: self.now, at, live: self.live, partial: self.partial }
    }

    /// What is heard and seen now: kind, loudness, whether by sound and by notification.
    fn told(&mut self) -> Vec<(AlertKind, AlertLevel, bool, bool)> {
        let alerts = self.look().alerts.into_iter();
        alerts.map(|alert| (alert.kind, alert.level, alert.sound, alert.toast)).collect()
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Wait)) {
        change(self.scene.entry(conversation(id)).or_default());
    }

    /// The visitor writes, and waits from now on if nobody waited.
    fn visitor_writes(&mut self, id: &str) {
        let now = self.now;
        self.change(id, |wait| {
            wait.held = true;
            wait.wrote += 1;
            wait.viewed = false;
            wait.own_word = false;
            wait.since_ms = wait.since_ms.or(Some(now));
        });
    }

    fn ledger(&self) -> Ledger {
        self.machine.ledger(&conversation("c1")).unwrap()
    }
}

fn conversation(id: &str) -> ConversationId {
    ConversationId::new(id).unwrap()
}

const CONVERSATION: AlertKind = AlertKind::Conversation;
const MESSAGE: AlertKind = AlertKind::Message;
const WAITS: AlertKind = AlertKind::StillWaiting;
const CALM: AlertLevel = AlertLevel::Calm;
const LOUDER: AlertLevel = AlertLevel::Warn;
const ALARM: AlertLevel = AlertLevel::Alarm;

#[test]
fn what_is_new_is_told_once() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    assert_eq!(ana.told(), [(CONVERSATION, CALM, true, true)]);
    assert_eq!(ana.told(), []);
    ana.now += 10_000;
    ana.visitor_writes("c1");
    assert_eq!(ana.told(), [(MESSAGE, CALM, true, true)]);
    assert_eq!(ana.told(), []);
}

#[test]
fn what_a_person_looks_at_is_not_told() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.told();
    ana.now += 10_000;
    ana.change("c1", |wait| wait.in_view = true);
    ana.visitor_writes("c1");
    assert_eq!(ana.told(), []);
    // It stays unanswered: heard, but there is nothing to point at.
    ana.now += WARN;
    assert_eq!(ana.told(), [(WAITS, LOUDER, true, false)]);
}

#[test]
fn a_wait_gets_louder_until_it_is_answered() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.told();
    let began = ana.now;
    for (after, expected) in [
        (WARN - 1, vec![]),
        (WARN, vec![(WAITS, LOUDER, true, true)]),
        (RED - 1, vec![]),
        (RED, vec![(WAITS, ALARM, true, true)]),
        (RED + WARN, vec![]),
        (2 * RED, vec![(WAITS, ALARM, true, true)]),
        (3 * RED + 5, vec![(WAITS, ALARM, true, true)]),
    ] {
        ana.now = began + after;
        assert_eq!(ana.told(), expected, "after {after} ms");
        let next = ana.machine.deadline().unwrap();
        let limit = [WARN, RED, 2 * RED, 3 * RED, 4 * RED].map(|limit| began + limit);
        assert_eq!(Some(&next), limit.iter().find(|limit| **limit > ana.now));
    }
    ana.change("c1", |wait| wait.since_ms = None);
    ana.now += 10 * RED;
    assert_eq!(ana.told(), []);
    assert_eq!(ana.machine.deadline(), None);
}

#[test]
fn the_next_wait_begins_quietly() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.told();
    ana.now += RED;
    ana.told();
    ana.change("c1", |wait| {
        wait.since_ms = None;
        wait.own_word = true;
    });
    ana.told();
    ana.now += 10_000;
    ana.visitor_writes("c1");
    assert_eq!(ana.told(), [(MESSAGE, CALM, true, true)]);
    ana.now += WARN;
    assert_eq!(ana.told(), [(WAITS, LOUDER, true, true)]);
}

#[test]
fn who_left_rings_no_more_and_their_notification_goes() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.told();
    ana.scene.clear();
    assert_eq!(ana.look().settled, [conversation("c1")]);
    ana.now += 10 * RED;
    assert_eq!(ana.look(), Looked::default());
    // Given to her again, it is new again.
    ana.visitor_writes("c1");
    assert_eq!(ana.told(), [(CONVERSATION, CALM, true, true)]);
}

#[test]
fn what_was_viewed_elsewhere_or_said_by_oneself_is_no_news() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.change("c1", |wait| wait.viewed = true);
    ana.change("c2", |wait| {
        wait.held = true;
        wait.own_word = true;
    });
    assert_eq!(ana.told(), []);
}

#[test]
fn what_is_read_on_another_device_settles_the_notification() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.told();
    ana.change("c1", |wait| wait.viewed = true);
    assert_eq!(ana.look().settled, [conversation("c1")]);
    assert!(ana.look().settled.is_empty(), "once");
    // It still waits for an answer, and that is told anew.
    ana.now += WARN;
    assert_eq!(ana.told(), [(WAITS, LOUDER, true, true)]);
    assert!(ana.look().settled.is_empty(), "read, but not answered");
    ana.change("c1", |wait| wait.since_ms = None);
    assert_eq!(ana.look().settled, [conversation("c1")]);
    assert!(ana.look().settled.is_empty(), "once");
}

#[test]
fn reading_what_one_is_invited_to_settles_nothing() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.change("c1", |wait| wait.invitation = Some(7));
    ana.told();
    ana.change("c1", |wait| wait.viewed = true);
    assert!(ana.look().settled.is_empty());
    ana.change("c1", |wait| wait.invitation = None);
    ana.change("c1", |wait| wait.since_ms = None);
    assert_eq!(ana.look().settled, [conversation("c1")]);
}

#[test]
fn after_a_reconnect_exactly_what_is_new_is_told() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.visitor_writes("c2");
    ana.told();
    ana.live = false;
    ana.look();
    ana.now += RED + 5;
    assert_eq!(ana.told(), [], "nobody rings for what may long be answered");
    assert_eq!(ana.machine.deadline(), None);
    ana.live = true;
    ana.visitor_writes("c2");
    ana.visitor_writes("c3");
    let heard: Vec<(String, AlertKind, AlertLevel)> = ana
        .look()
        .alerts
        .into_iter()
        .map(|alert| (alert.conversation_id.to_string(), alert.kind, alert.level))
        .collect();
    let expected = [("c2", MESSAGE, ALARM), ("c3", CONVERSATION, CALM)];
    assert_eq!(heard, expected.map(|(id, kind, level)| (id.to_owned(), kind, level)));
    ana.now += RED;
    assert_eq!(ana.told().len(), 3, "from then on limits are heard again");
}

#[test]
fn a_run_after_a_crash_tells_what_the_last_one_did_not() {
    let known = Wait { held: true, wrote: 2, since_ms: Some(900_000), ..Wait::default() };
    let mut ana = Ana::starts(&[("c1", known)]);
    ana.live = true;
    ana.visitor_writes("c2");
    assert_eq!(ana.told(), [(CONVERSATION, CALM, true, true)]);
    // The wait goes on: its next limit is heard, not the one that passed before.
    ana.now = 900_000 + RED;
    assert_eq!(ana.told().first(), Some(&(WAITS, ALARM, true, true)));
}

#[test]
fn an_inbox_that_comes_in_pages_is_told_once() {
    let mut ana = Ana::begins();
    for id in ["c1", "c2"] {
        ana.visitor_writes(id);
    }
    ana.told();
    ana.partial = true;
    let late = ana.scene.remove(&conversation("c2")).unwrap();
    assert_eq!(ana.told(), []);
    ana.partial = false;
    ana.scene.insert(conversation("c2"), late);
    assert_eq!(ana.told(), []);
}

#[test]
fn invitations_and_what_managers_are_told_of_come_once_each() {
    let mut ana = Ana::begins();
    ana.change("c1", |wait| wait.invitation = Some(7));
    assert_eq!(ana.told(), [(AlertKind::Invitation, CALM, true, true)]);
    assert_eq!(ana.told(), []);
    ana.now += 10_000;
    ana.change("c2", |wait| wait.alert = Some(8));
    assert_eq!(ana.told(), [(AlertKind::Manager, CALM, true, true)]);
    // She accepts: she knows of it.
    ana.now += 10_000;
    ana.change("c1", |wait| wait.invitation = None);
    ana.visitor_writes("c1");
    let looked = ana.look();
    assert!(looked.alerts.is_empty());
    // The managers' matter is over.
    ana.scene.remove(&conversation("c2"));
    assert_eq!(ana.look().settled, [conversation("c2")]);
}

#[test]
fn many_at_once_are_one_sound_and_a_few_notifications() {
    let mut ana = Ana::begins();
    for n in 0..20 {
        ana.visitor_writes(&format!("c{n}"));
    }
    let told = ana.told();
    assert_eq!(told.len(), 20);
    assert_eq!(told.iter().filter(|told| told.2).count(), 1);
    assert_eq!(told.iter().filter(|told| told.3).count(), TOASTS_AT_ONCE_MAX);
    // A second line a moment later is not heard, a louder limit is.
    ana.now += SOUNDS_APART_MS - 1;
    ana.visitor_writes("c1");
    assert_eq!(ana.told(), [(MESSAGE, CALM, false, true)]);
}

#[test]
fn do_not_disturb_is_silent_and_repeats_nothing_afterwards() {
    let mut ana = Ana::begins();
    ana.rules = Rules { sounds: false, toasts: false, ..RULES };
    ana.visitor_writes("c1");
    assert_eq!(ana.told(), [(CONVERSATION, CALM, false, false)]);
    assert_eq!(ana.ledger().sounded_at, None);
    ana.rules = RULES;
    assert_eq!(ana.told(), []);
    ana.now += WARN;
    assert_eq!(ana.told(), [(WAITS, LOUDER, true, true)]);
}

#[test]
fn the_ledger_says_what_came_of_a_wait() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    assert_eq!(ana.look().changed, [conversation("c1")]);
    let began = ana.moment().at;
    ana.now += WARN;
    ana.look();
    let rang = ana.moment().at;
    ana.now += 1_000;
    ana.change("c1", |wait| wait.viewed = true);
    ana.look();
    let seen = ana.moment().at;
    ana.now += 1_000;
    ana.change("c1", |wait| wait.since_ms = None);
    ana.look();
    let expected = Ledger {
        shown_at: began,
        sounded_at: Some(rang),
        level: LOUDER,
        toasted_at: Some(rang),
        seen_at: Some(seen),
        answered_at: Some(ana.moment().at),
    };
    assert_eq!(ana.ledger(), expected);
    ana.now += 1_000;
    ana.visitor_writes("c1");
    ana.look();
    assert_eq!(ana.ledger().shown_at, ana.moment().at, "a new wait, a new page");
    assert_eq!(ana.ledger().answered_at, None);
}

#[test]
fn a_look_at_some_leaves_the_others_as_they_are() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.look();
    let due = ana.machine.deadline();
    ana.now += 5_000;
    ana.visitor_writes("c2");
    let touched = BTreeSet::from([conversation("c2")]);
    let some = BTreeMap::from([(conversation("c2"), ana.scene[&conversation("c2")].clone())]);
    let (moment, rules) = (ana.moment(), ana.rules);
    let looked = ana.machine.look(moment, rules, &some, Some(&touched));
    assert_eq!(looked.alerts.len(), 1);
    assert!(looked.settled.is_empty());
    assert_eq!(ana.machine.deadline(), due, "the older wait comes first");
    assert_eq!(ana.told(), [], "neither is new any more");
}

#[test]
fn a_clock_set_back_brings_no_limit_twice() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.told();
    ana.now += WARN;
    assert_eq!(ana.told().len(), 1);
    ana.now -= 10_000;
    assert_eq!(ana.told(), []);
    ana.now += 10_000;
    assert_eq!(ana.told(), []);
}

#[test]
fn a_clock_set_forward_while_there_is_no_link_costs_no_limit() {
    let mut ana = Ana::begins();
    ana.visitor_writes("c1");
    ana.told();
    let began = ana.now;
    // The computer's clock leaps by a day; until the relay says its own there is no better one.
    ana.live = false;
    ana.now = began + 24 * 60 * 60 * 1_000;
    assert_eq!(ana.told(), []);
    ana.live = true;
    ana.now = began + 1_000;
    assert_eq!(ana.told(), []);
    ana.now = began + WARN;
    assert_eq!(ana.told(), [(WAITS, LOUDER, true, true)]);
}
