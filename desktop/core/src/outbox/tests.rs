//! The outbox, as tables: what is sent when, and what becomes of it.

// Random numbers below a handful.
#![allow(clippy::cast_possible_truncation)]

use super::*;

const LATER: u64 = GOES_AGAIN_WITHIN_MS + 1;
const JITTER: u32 = 0;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn id(name: &str) -> ClientId {
    ClientId::new(name).unwrap()
}

fn lane(name: &str) -> ConversationId {
    ConversationId::new(name).unwrap()
}

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

/// A message as the disk holds it: `a1` is the first of lane `a`.
fn message(name: &str, order: u64) -> StoredMessage {
    StoredMessage {
        order,
        client_id: id(name),
        conversation_id: lane(name.get(..1).unwrap()),
        text: format!("text of {name}"),
        at: Timestamp::from_millis(0).unwrap(),
        age_from_ms: 0,
        standing: Standing::Unsent,
        tried: false,
    }
}

fn with(names: &[&str]) -> Outbox {
    let mut outbox = Outbox::default();
    for (order, name) in names.iter().enumerate() {
        outbox.put(message(name, order as u64));
    }
    outbox
}

fn due(outbox: &mut Outbox, now: u64) -> Vec<String> {
    let (sends, _) = outbox.due(now, 0);
    sends.iter().map(|send| send.client_id.to_string()).collect()
}

fn states(outbox: &Outbox, name: &str, now: u64) -> Vec<(String, OutboxState)> {
    let items = outbox.items(&lane(name), now);
    items.into_iter().map(|item| (item.client_id.to_string(), item.state)).collect()
}

fn refusal(code: ErrorCode, retry_after_ms: Option<u32>) -> WireError {
    WireError { code, retry_after_ms }
}

#[test]
fn a_lane_sends_one_at_a_time_in_order_and_lanes_do_not_wait_for_each_other() {
    let mut outbox = with(&["a1", "b1", "a2", "a3"]);
    assert_eq!(due(&mut outbox, 0), ["a1", "b1"]);
    assert_eq!(due(&mut outbox, 1), [""; 0]);
    outbox.acked(&id("b1"), seq(7), 0);
    assert_eq!(due(&mut outbox, 2), [""; 0]);
    outbox.acked(&id("a1"), seq(3), 0);
    assert_eq!(due(&mut outbox, 3), ["a2"]);
    outbox.acked(&id("a2"), seq(4), 0);
    assert_eq!(due(&mut outbox, 4), ["a3"]);
}

#[test]
fn a_lost_link_sends_again_under_the_same_ids() {
    let mut outbox = with(&["a1", "a2", "b1"]);
    assert_eq!(due(&mut outbox, 0), ["a1", "b1"]);
    for link in 1..5 {
        outbox.link_lost();
        assert_eq!(due(&mut outbox, link), ["a1", "b1"], "link {link}");
    }
}

#[test]
fn what_a_refusal_leads_to() {
    use ErrorCode::*;
    for (code, retry_after_ms, goes_again_at) in [
        (TooFast, Some(3_000), Some(3_000)),
        (TooFast, None, Some(250)),
        (Busy, Some(10), Some(250)),
        (StorageFailed, None, Some(250)),
        (Internal, None, Some(250)),
        (Unavailable, None, Some(250)),
        (TooLarge, None, None),
        (ConversationEnded, None, None),
        (NotFound, None, None),
        (Forbidden, None, None),
        (IdReused, None, None),
    ] {
        let mut outbox = with(&["a1", "a2"]);
        due(&mut outbox, 0);
        let changes = outbox.refused(&id("a1"), refusal(code, retry_after_ms), 0, JITTER);
        match goes_again_at {
            Some(at) => {
                assert_eq!(changes, [], "{code:?}: unsent on disk all along");
                assert_eq!(outbox.deadline(0), Some(at));
                assert_eq!(due(&mut outbox, at - 1), [""; 0], "{code:?}: order is kept");
                assert_eq!(due(&mut outbox, at), ["a1"], "{code:?}");
            }
            None => {
                assert_eq!(
                    changes,
                    [Change::Standing {
                        client_id: id("a1"),
                        standing: Standing::Failed(code),
                        age_from_ms: 0
                    }]
                );
                assert_eq!(due(&mut outbox, 0), ["a2"], "{code:?}: the lane goes on");
                assert_eq!(states(&outbox, "a", 0)[0].1, OutboxState::Failed { code });
                assert_eq!(outbox.count(&lane("a")), (2, true));
            }
        }
    }
}

#[test]
fn failures_of_the_relay_wait_longer_each_time_and_a_success_forgives_them() {
    let mut outbox = with(&["a1", "a2"]);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..8 {
        assert_eq!(due(&mut outbox, now), ["a1"]);
        outbox.refused(&id("a1"), refusal(ErrorCode::Busy, None), now, JITTER);
        let next = outbox.deadline(now).unwrap();
        waits.push(next - now);
        now = next;
    }
    assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    due(&mut outbox, now);
    outbox.acked(&id("a1"), seq(1), 0);
    assert_eq!(due(&mut outbox, now), ["a2"]);
    outbox.refused(&id("a2"), refusal(ErrorCode::Busy, None), now, JITTER);
    assert_eq!(outbox.deadline(now), Some(now + 250));
}

#[test]
fn a_message_leaves_when_its_copy_is_here_and_blinks_never() {
    // Acknowledged first, seen later; and the other way round.
    let mut outbox = with(&["a1"]);
    due(&mut outbox, 0);
    assert_eq!(states(&outbox, "a", 999), [("a1".to_owned(), OutboxState::Queued)]);
    assert_eq!(outbox.deadline(0), Some(1_000));
    assert_eq!(states(&outbox, "a", 1_000), [("a1".to_owned(), OutboxState::Sending)]);
    outbox.acked(&id("a1"), seq(4), 5);
    assert_eq!(states(&outbox, "a", 1_000), [("a1".to_owned(), OutboxState::Sending)]);
    assert_eq!((outbox.total(), outbox.count(&lane("a"))), (0, (0, false)));
    assert_eq!(outbox.seen(&id("a1"), 6), [], "the disk knows already");
    assert_eq!(states(&outbox, "a", 1_000), []);

    let mut outbox = with(&["a1", "a2"]);
    due(&mut outbox, 0);
    let changes = outbox.seen(&id("a1"), 6);
    assert!(matches!(
        changes[..],
        [Change::Standing { standing: Standing::Acked { at_ms: 6 }, .. }]
    ));
    assert_eq!(outbox.acked(&id("a1"), seq(4), 7), [], "the late answer changes nothing");
    assert_eq!(due(&mut outbox, 1), ["a2"]);
}

#[test]
fn a_failed_message_seen_in_the_log_was_sent_after_all() {
    let mut outbox = with(&["a1"]);
    due(&mut outbox, 0);
    outbox.refused(&id("a1"), refusal(ErrorCode::Forbidden, None), 0, JITTER);
    assert_eq!(outbox.seen(&id("a1"), 1).len(), 1);
    assert_eq!(states(&outbox, "a", 0), []);
}

#[test]
fn sent_messages_are_shown_until_a_snapshot_covers_them_or_the_log_is_lost() {
    let mut outbox = with(&["a1", "a2", "b1"]);
    due(&mut outbox, 0);
    outbox.acked(&id("a1"), seq(4), 0);
    outbox.acked(&id("b1"), seq(2), 0);
    outbox.seen_up_to(&lane("a"), seq(3));
    assert_eq!(outbox.items(&lane("a"), 0).len(), 2);
    outbox.seen_up_to(&lane("a"), seq(4));
    assert_eq!(outbox.items(&lane("a"), 0).len(), 1, "the unsent one stays");
    outbox.log_lost(&lane("b"));
    assert_eq!(outbox.items(&lane("b"), 0).len(), 0);
}

#[test]
fn six_days_wedge_a_message_until_its_author_says_again() {
    let mut outbox = with(&["a1"]);
    let (sends, changes) = outbox.due(0, 6 * DAY_MS);
    assert_eq!((sends.len(), changes.len()), (1, 0), "six days to the millisecond still go");
    outbox.link_lost();
    let (sends, changes) = outbox.due(0, 6 * DAY_MS + 1);
    assert_eq!(sends, []);
    assert!(matches!(changes[..], [Change::Standing { standing: Standing::Wedged, .. }]));
    assert_eq!(states(&outbox, "a", 0), [("a1".to_owned(), OutboxState::Wedged)]);
    assert_eq!(outbox.due(0, 6 * DAY_MS + 2), (vec![], vec![]), "it never goes by itself");

    let changes = outbox.retry(&id("a1"), 7 * DAY_MS, id("new")).unwrap();
    assert_eq!(outbox.due(0, 7 * DAY_MS).0, [], "not before the disk knows");
    outbox.retried(&changes);
    let (sends, _) = outbox.due(0, 13 * DAY_MS);
    assert_eq!(sends[0].client_id, id("a1"), "the same id, and six days more");
}

#[test]
fn again_keeps_the_id_unless_the_id_was_the_trouble() {
    for (code, name) in [(ErrorCode::TooLarge, "a1"), (ErrorCode::IdReused, "new")] {
        let mut outbox = with(&["a1", "a2"]);
        due(&mut outbox, 0);
        outbox.refused(&id("a1"), refusal(code, None), 0, JITTER);
        let changes = outbox.retry(&id("a1"), 0, id("new")).unwrap();
        outbox.retried(&changes);
        // Said twice by an impatient author: nothing more.
        outbox.retried(&changes);
        assert_eq!(due(&mut outbox, 0), [name], "{code:?}: in its old place");
    }
}

#[test]
fn what_the_author_may_not_do_now() {
    let mut outbox = with(&["a1", "a2"]);
    assert_eq!(outbox.retry(&id("a1"), 0, id("new")), Err(NotNow::OnItsWay), "queued goes anyway");
    due(&mut outbox, 0);
    assert_eq!(outbox.discard(&id("a1")), Err(NotNow::OnItsWay));
    assert_eq!(outbox.retry(&id("a1"), 0, id("new")), Err(NotNow::OnItsWay));
    outbox.acked(&id("a1"), seq(1), 0);
    assert_eq!(outbox.discard(&id("a1")), Err(NotNow::OnItsWay));
    assert_eq!(outbox.discard(&id("nothing")), Err(NotNow::Unknown));
    assert_eq!(outbox.discard(&id("a2")), Ok(()));
    assert_eq!(due(&mut outbox, 0), [""; 0], "it goes nowhere while the disk is asked");
    assert_eq!(outbox.discard(&id("a2")), Err(NotNow::OnItsWay), "once is enough");
    assert_eq!(outbox.discarded(&id("a2"), false), Some(lane("a")));
    assert_eq!(due(&mut outbox, 0), ["a2"], "the disk could not: it stays");
    let mut outbox = with(&["a1"]);
    assert_eq!(outbox.discard(&id("a1")), Ok(()));
    assert_eq!(outbox.discarded(&id("a1"), true), Some(lane("a")));
    assert_eq!((outbox.total(), due(&mut outbox, 0)), (0, Vec::new()));
}

/// Broken once by looking at the state alone: a lost link queues the message again, and the relay may
/// have stored it.
#[test]
fn what_the_relay_may_have_cannot_be_taken_back_until_it_says_no() {
    let may_discard = |outbox: &Outbox| outbox.items(&lane("a"), 0)[0].may_discard;
    let mut outbox = with(&["a1"]);
    assert!(may_discard(&outbox));
    due(&mut outbox, 0);
    assert!(!may_discard(&outbox), "shown as queued, but on its way");
    outbox.refused(&id("a1"), refusal(ErrorCode::Busy, None), 0, JITTER);
    assert!(may_discard(&outbox), "refused for now: nothing of it is there");

    due(&mut outbox, 250);
    outbox.link_lost();
    assert!(!may_discard(&outbox));
    assert_eq!(outbox.discard(&id("a1")), Err(NotNow::OnItsWay));
    due(&mut outbox, 250);
    outbox.refused(&id("a1"), refusal(ErrorCode::TooFast, None), 250, JITTER);
    assert!(!may_discard(&outbox), "refused before the relay looked at the id");
    let (_, changes) = outbox.due(250, 7 * DAY_MS);
    assert_eq!(changes.len(), 1, "wedged");
    assert_eq!(outbox.discard(&id("a1")), Err(NotNow::OnItsWay));
    let again = outbox.retry(&id("a1"), 7 * DAY_MS, id("new")).unwrap();
    outbox.retried(&again);
    let (sends, _) = outbox.due(90_000, 7 * DAY_MS);
    assert_eq!(sends.len(), 1);
    outbox.refused(&id("a1"), refusal(ErrorCode::ConversationEnded, None), 0, JITTER);
    assert_eq!(outbox.discard(&id("a1")), Ok(()), "the relay looked and does not have it");

    let mut outbox = Outbox::default();
    outbox.put(StoredMessage { tried: true, ..message("a1", 0) });
    assert_eq!(outbox.discard(&id("a1")), Err(NotNow::OnItsWay), "found on disk after a crash");
}

#[test]
fn a_replaced_history_queues_what_it_acknowledged_in_front() {
    let mut outbox = with(&["a1", "a2", "a3"]);
    due(&mut outbox, 0);
    outbox.acked(&id("a1"), seq(1), 0);
    outbox.history_replaced();
    outbox.put(message("a1", 0));
    outbox.put(message("a2", 1));
    assert_eq!(due(&mut outbox, 0), ["a1"]);
    assert_eq!(outbox.total(), 3);
}

/// Seen failing before such messages were told from others: they stayed failed.
#[test]
fn what_is_offered_again_goes_when_its_conversation_is_ours_again() {
    let mut outbox = Outbox::default();
    outbox.offer_again(message("a1", 0));
    outbox.offer_again(message("a2", 1));
    outbox.put(message("a3", 2));
    for name in ["a1", "a2", "a3"] {
        assert_eq!(due(&mut outbox, 0), [name]);
        outbox.refused(&id(name), refusal(ErrorCode::Forbidden, None), 0, JITTER);
    }
    assert_eq!(outbox.gained(&lane("b"), LATER), []);
    let again =
        |name| Change::Standing { client_id: id(name), standing: Standing::Unsent, age_from_ms: 0 };
    assert_eq!(outbox.gained(&lane("a"), LATER), [again("a1"), again("a2")]);
    assert_eq!(due(&mut outbox, 0), ["a1"]);
    outbox.acked(&id("a1"), seq(1), 0);
    assert_eq!(due(&mut outbox, 0), ["a2"]);
    outbox.refused(&id("a2"), refusal(ErrorCode::ConversationEnded, None), 0, JITTER);
    assert_eq!(outbox.gained(&lane("a"), LATER), []);
    // What was never acknowledged waits for its author.
    assert!(matches!(states(&outbox, "a", 0)[2].1, OutboxState::Failed { .. }));
}

/// An agent was cut off beyond the grace period: back in line, and theirs again at once. Seen failing
/// under a relay that was killed again and again.
#[test]
fn what_was_refused_a_moment_ago_goes_when_its_conversation_comes_back() {
    for (after, goes) in [(0, true), (GOES_AGAIN_WITHIN_MS, true), (LATER, false)] {
        let mut outbox = with(&["a1", "b1"]);
        assert_eq!(due(&mut outbox, 0), ["a1", "b1"]);
        for (name, of, code) in
            [("a1", "a", ErrorCode::NotFound), ("b1", "b", ErrorCode::ConversationEnded)]
        {
            outbox.refused(&id(name), refusal(code, None), 0, JITTER);
            let gone = outbox.gained(&lane(of), after).len();
            assert_eq!(gone, usize::from(goes && name == "a1"));
        }
        let expected: &[&str] = if goes { &["a1"] } else { &[] };
        assert_eq!(due(&mut outbox, after), expected, "after {after}");
    }
}

/// Found by the simulation: refused one after the other; the conversation came back while the last of
/// them was on its way, which the relay took, and those before it went by themselves behind it.
#[test]
fn what_was_refused_never_goes_behind_what_was_written_after_it() {
    for heard_first in [true, false] {
        let mut outbox = with(&["a1", "a2", "a3"]);
        for name in ["a1", "a2"] {
            assert_eq!(due(&mut outbox, 0), [name]);
            outbox.refused(&id(name), refusal(ErrorCode::Forbidden, None), 0, JITTER);
        }
        assert_eq!(due(&mut outbox, 0), ["a3"]);
        if heard_first {
            outbox.acked(&id("a3"), seq(1), 0);
            outbox.seen(&id("a3"), 0);
        }
        assert_eq!(outbox.gained(&lane("a"), 0), []);
        outbox.acked(&id("a3"), seq(1), 0);
        assert_eq!(outbox.gained(&lane("a"), 0), []);
        assert_eq!(due(&mut outbox, 0), Vec::<String>::new());
        // They are not lost: their author decides.
        for (_, state) in &states(&outbox, "a", 0)[..2] {
            assert!(matches!(state, OutboxState::Failed { .. }), "{state:?}");
        }
    }
}

#[test]
fn only_so_many_are_on_their_way_at_once() {
    let mut outbox = Outbox::default();
    for order in 0..40 {
        let mut message = message("a1", order);
        message.client_id = id(&format!("m{order}"));
        message.conversation_id = lane(&format!("lane{order}"));
        outbox.put(message);
    }
    let first = due(&mut outbox, 0);
    assert_eq!(first.len(), SENDS_IN_FLIGHT_MAX);
    assert_eq!(due(&mut outbox, 0).len(), 0);
    outbox.acked(&id(&first[0]), seq(1), 0);
    assert_eq!(due(&mut outbox, 0).len(), 1);
    outbox.link_lost();
    assert_eq!(due(&mut outbox, 0).len(), SENDS_IN_FLIGHT_MAX);
}

/// Any order of links, answers and kills: each id reaches the relay's store once, in its lane's
/// order. Broken once by queueing what was on its way under new ids.
#[test]
fn random_faults_lose_double_and_reorder_nothing() {
    for seed in 1..200_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut disk: BTreeMap<u64, StoredMessage> = BTreeMap::new();
        let mut outbox = Outbox::default();
        let mut relay: BTreeMap<ConversationId, Vec<ClientId>> = BTreeMap::new();
        let mut on_their_way: Vec<Send> = Vec::new();
        let mut now = 0;
        for order in 0..60 {
            now += 1;
            let mut message = message("a1", order);
            message.client_id = id(&format!("m{order}"));
            message.conversation_id = lane(["a", "b", "c"][next(3) as usize]);
            if next(3) > 0 {
                disk.insert(order, message.clone());
                outbox.put(message);
            }
            on_their_way.extend(outbox.due(now, 0).0);
            match next(6) {
                0 => {
                    on_their_way.clear();
                    outbox.link_lost();
                }
                1 => {
                    // Killed: only the disk is left.
                    on_their_way.clear();
                    outbox = Outbox::default();
                    disk.values().for_each(|message| outbox.put(message.clone()));
                }
                _ => {}
            }
            settle(&mut next, &mut on_their_way, &mut relay, &mut outbox, &mut disk, now);
        }
        outbox.link_lost();
        for _ in 0..200 {
            now += 20_000;
            let mut sends = outbox.due(now, 0).0;
            settle(&mut |_| 1, &mut sends, &mut relay, &mut outbox, &mut disk, now);
        }
        assert_eq!(outbox.total(), 0, "seed {seed}");
        for (lane, stored) in &relay {
            let order = |id: &ClientId| id.as_str().trim_start_matches('m').parse::<u64>().unwrap();
            let numbers: Vec<u64> = stored.iter().map(order).collect();
            assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed} {lane}");
        }
    }
}

/// The relay's side of the story above: stores an id once, answers sometimes.
fn settle(
    next: &mut impl FnMut(u64) -> u64,
    on_their_way: &mut Vec<Send>,
    relay: &mut BTreeMap<ConversationId, Vec<ClientId>>,
    outbox: &mut Outbox,
    disk: &mut BTreeMap<u64, StoredMessage>,
    now: u64,
) {
    for send in std::mem::take(on_their_way) {
        match next(4) {
            0 => on_their_way.push(send),
            2 => {
                let error = refusal(ErrorCode::Busy, None);
                outbox.refused(&send.client_id, error, now, JITTER);
            }
            answer => {
                let stored = relay.entry(send.conversation_id.clone()).or_default();
                if !stored.contains(&send.client_id) {
                    stored.push(send.client_id.clone());
                }
                if answer == 3 {
                    // Stored, the answer is lost with the link.
                    outbox.link_lost();
                    on_their_way.clear();
                    return;
                }
                outbox.acked(&send.client_id, Seq::ZERO.next(), now);
                disk.retain(|_, message| message.client_id != send.client_id);
            }
        }
    }
}
