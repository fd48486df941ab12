//! The link, as tables: what happens, when, and what it leads to.

use super::*;
use ConnectionState::{Connected, Connecting, Offline, Reconnecting};

const HALF: u32 = u32::MAX / 2;

/// Runs a story of (time, input, actions, state shown afterwards).
fn check(story: &[(u64, Input, &[Action], ConnectionState)]) -> Connection {
    let mut machine = Connection::default();
    for (line, (now, input, actions, state)) in story.iter().enumerate() {
        assert_eq!(machine.step(*now, HALF, *input), *actions, "line {line}: {input:?}");
        assert_eq!(machine.state(), *state, "line {line}: state after {input:?}");
    }
    machine
}

fn open(dial: u64) -> Action {
    Action::Open { dial }
}

const HELLO: Action = Action::Hello { resume: true };
const FRESH_HELLO: Action = Action::Hello { resume: false };

#[test]
fn a_good_link_is_opened_greeted_and_stays_live_while_heard() {
    let machine = check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (50, Input::Opened, &[HELLO], Connecting),
        (90, Input::Welcomed, &[], Connected),
        (4_000, Input::Heard, &[], Connected),
        (8_000, Input::Heard, &[], Connected),
        (17_999, Input::Tick, &[], Connected),
    ]);
    assert_eq!(machine.deadline(), Some(18_000));
}

#[test]
fn a_silent_link_is_dead_within_ten_seconds() {
    check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (0, Input::Opened, &[HELLO], Connecting),
        (0, Input::Welcomed, &[], Connected),
        (10_000, Input::Tick, &[Action::Close], Reconnecting),
        (10_186, Input::Tick, &[], Reconnecting),
        (10_187, Input::Tick, &[open(2)], Reconnecting),
    ]);
}

#[test]
fn failures_in_a_row_wait_longer_and_show_as_offline() {
    let mut machine = check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (0, Input::Broken, &[Action::Close], Connecting),
        (187, Input::Tick, &[open(2)], Connecting),
        (187, Input::Broken, &[Action::Close], Connecting),
        (562, Input::Tick, &[open(3)], Connecting),
        (562, Input::Broken, &[Action::Close], Connecting),
    ]);
    let mut now = 562;
    let mut waits = Vec::new();
    for failures in 4..60 {
        let due = machine.deadline().unwrap();
        waits.push(due - now);
        now = due;
        machine.step(now, HALF, Input::Tick);
        machine.step(now, HALF, Input::Broken);
        let shown = if failures < TRIES_BEFORE_OFFLINE { Connecting } else { Offline };
        assert_eq!(machine.state(), shown, "{failures} failures");
    }
    // After a short outage the link is back within a second; a long one is asked about less often.
    let (short, long) = waits.split_at(BACKOFF_SOON_TRIES as usize - 2);
    assert!(short.iter().all(|wait| *wait <= BACKOFF_SOON_MS_MAX), "{short:?}");
    assert_eq!(long, [562, 1124, 2249, 4499, 8999, 11249, 11249, 11249]);
}

#[test]
fn jitter_spreads_the_wait_between_half_and_the_whole() {
    for (jitter, wait) in [(0, 125), (u32::MAX, 250)] {
        let mut machine = Connection::default();
        machine.step(0, jitter, Input::Start);
        machine.step(0, jitter, Input::Broken);
        assert_eq!(machine.deadline(), Some(wait));
    }
}

#[test]
fn only_a_stable_link_forgives_earlier_failures() {
    for (stood, wait) in [(STABLE_AFTER_MS - 1, 374), (STABLE_AFTER_MS, 187)] {
        let mut machine = check(&[
            (0, Input::Start, &[open(1)], Connecting),
            (0, Input::Broken, &[Action::Close], Connecting),
            (187, Input::Tick, &[open(2)], Connecting),
            (187, Input::Opened, &[HELLO], Connecting),
            (187, Input::Welcomed, &[], Connected),
        ]);
        machine.step(187 + stood, HALF, Input::Broken);
        assert_eq!(machine.deadline(), Some(187 + stood + wait), "stood {stood}");
    }
}

#[test]
fn goodbyes() {
    let bye = |code, retry_after_ms| Input::Bye(WireError { code, retry_after_ms });
    let live: [(u64, Input, &[Action], ConnectionState); 3] = [
        (0, Input::Start, &[open(1)], Connecting),
        (0, Input::Opened, &[HELLO], Connecting),
        (0, Input::Welcomed, &[], Connected),
    ];
    for (input, actions, deadline) in [
        (
            bye(ErrorCode::Unauthenticated, None),
            vec![Action::Close, Action::EndSession(SignedOutNotice::EndedByRelay)],
            None,
        ),
        (
            bye(ErrorCode::UnsupportedVersion, None),
            vec![Action::Close, Action::EndSession(SignedOutNotice::Incompatible)],
            None,
        ),
        (bye(ErrorCode::Unavailable, Some(4_000)), vec![Action::Close], Some(1_000 + 4_999)),
        (bye(ErrorCode::Unavailable, None), vec![Action::Close], Some(1_187)),
        (bye(ErrorCode::TooFast, Some(100)), vec![Action::Close], Some(1_187)),
    ] {
        let mut machine = check(&live);
        assert_eq!(machine.step(1_000, HALF, input), actions, "{input:?}");
        assert_eq!(machine.deadline(), deadline, "{input:?}");
    }
}

#[test]
fn a_refused_hello_ends_the_session() {
    check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (0, Input::Opened, &[HELLO], Connecting),
        (
            1,
            Input::Bye(WireError::new(ErrorCode::Unauthenticated)),
            &[Action::Close, Action::EndSession(SignedOutNotice::EndedByRelay)],
            Offline,
        ),
        (2, Input::Tick, &[], Offline),
        (3, Input::Start, &[open(2)], Connecting),
    ]);
}

#[test]
fn a_misfit_says_a_fresh_hello_once_and_then_waits_like_any_failure() {
    check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (0, Input::Opened, &[HELLO], Connecting),
        (0, Input::Welcomed, &[], Connected),
        (10, Input::Misfit, &[Action::Close, open(2)], Reconnecting),
        (11, Input::Opened, &[FRESH_HELLO], Reconnecting),
        (12, Input::Welcomed, &[], Connected),
        (13, Input::Misfit, &[Action::Close], Reconnecting),
        (200, Input::Tick, &[open(3)], Reconnecting),
        (200, Input::Opened, &[FRESH_HELLO], Reconnecting),
        (200, Input::Welcomed, &[], Connected),
        // Stable again: a later misfit is a new story.
        (20_000, Input::Heard, &[], Connected),
        (20_000, Input::Misfit, &[Action::Close, open(4)], Reconnecting),
    ]);
}

#[test]
fn a_fresh_hello_survives_a_break_before_its_welcome() {
    check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (0, Input::Opened, &[HELLO], Connecting),
        (0, Input::Welcomed, &[], Connected),
        (10, Input::Misfit, &[Action::Close, open(2)], Reconnecting),
        (11, Input::Opened, &[FRESH_HELLO], Reconnecting),
        (12, Input::Broken, &[Action::Close], Reconnecting),
        (199, Input::Tick, &[open(3)], Reconnecting),
        (199, Input::Opened, &[FRESH_HELLO], Reconnecting),
        (199, Input::Welcomed, &[], Connected),
    ]);
}

#[test]
fn dialling_and_greeting_have_their_time() {
    check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (9_999, Input::Tick, &[], Connecting),
        (10_000, Input::Tick, &[Action::Close], Connecting),
        (10_187, Input::Tick, &[open(2)], Connecting),
        (10_200, Input::Opened, &[HELLO], Connecting),
        (20_199, Input::Tick, &[], Connecting),
        (20_200, Input::Tick, &[Action::Close], Connecting),
    ]);
}

#[test]
fn a_persons_action_cuts_a_wait_short_but_not_more_than_every_two_seconds() {
    let mut machine = check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (0, Input::Broken, &[Action::Close], Connecting),
        (1, Input::Nudge, &[open(2)], Connecting),
        (2, Input::Broken, &[Action::Close], Connecting),
        (3, Input::Nudge, &[], Connecting),
    ]);
    assert_eq!(machine.step(4, HALF, Input::Opened), [], "nothing is being dialled");
    assert_eq!(machine.step(2_001, HALF, Input::Nudge), [open(3)]);
}

#[test]
fn waking_from_sleep_dials_at_once() {
    check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (0, Input::Opened, &[HELLO], Connecting),
        (0, Input::Welcomed, &[], Connected),
        (5, Input::Woke, &[Action::Close, open(2)], Reconnecting),
    ]);
}

#[test]
fn stopping_is_final_until_the_next_start() {
    check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (0, Input::Opened, &[HELLO], Connecting),
        (1, Input::Stop, &[Action::Close], Offline),
        (2, Input::Broken, &[], Offline),
        (2, Input::Nudge, &[], Offline),
        (2, Input::Woke, &[], Offline),
        (3, Input::Start, &[open(2)], Connecting),
    ]);
}

#[test]
fn what_is_lost_while_the_hello_is_on_its_way_is_not_resumed_from() {
    let mut machine = check(&[
        (0, Input::Start, &[open(1)], Connecting),
        (0, Input::Opened, &[HELLO], Connecting),
    ]);
    machine.forget_place();
    assert_eq!(machine.step(1, HALF, Input::Misfit), [Action::Close, open(2)]);
    assert_eq!(machine.step(2, HALF, Input::Opened), [FRESH_HELLO]);
    // Before a dial is open nothing was said yet.
    let mut machine = check(&[(0, Input::Start, &[open(1)], Connecting)]);
    machine.forget_place();
    assert_eq!(machine.step(1, HALF, Input::Misfit), []);
    assert_eq!(machine.step(2, HALF, Input::Opened), [FRESH_HELLO]);
}
