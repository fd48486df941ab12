//! What rows say of a conversation, and what is made of what they leave open.

use yingke_shared::explanation::Explanation;

use super::*;

const MINUTE: u64 = 60_000;

fn at(minute: u64) -> Timestamp {
    Timestamp::from_millis(minute * MINUTE).unwrap()
}

fn id(name: &str) -> AgentId {
    AgentId::new(name).unwrap()
}

fn routed(cause: Cause) -> Option<AssignedHow> {
    let why = Explanation {
        cause,
        rule: None,
        department_id: DepartmentId::new("sales").unwrap(),
        skill_id: None,
        own_agent: None,
        candidates: Vec::new(),
        unlisted: 0,
    };
    Some(AssignedHow::Routing { why })
}

fn got(minute: u64, name: &str, how: Option<AssignedHow>) -> Got {
    Got { at: at(minute), agent_id: id(name), how }
}

/// Came in minute 1, nobody had it, nothing more was said, and it is still open.
fn lived() -> Lived {
    Lived {
        id: ConversationId::new("c").unwrap(),
        number: 7,
        visitor: Described::default(),
        counts: true,
        department_id: DepartmentId::new("sales").unwrap(),
        came: at(1),
        ended: None,
        left_message: false,
        got: Vec::new(),
        requeued: Vec::new(),
        wrote: vec![(at(1), true)],
        wrapped_up: None,
    }
}

/// Ana said nothing for three minutes, Ben answered after one and was done in minute 20.
fn moved() -> Lived {
    Lived {
        ended: Some((at(20), Some(EndedBy::Agent))),
        got: vec![
            got(2, "ana", routed(Cause::Waited { for_ms: 60_000 })),
            got(5, "ben", routed(Cause::NoAnswer {})),
        ],
        wrote: vec![(at(1), true), (at(3), true), (at(6), false), (at(8), true), (at(9), false)],
        ..lived()
    }
}

const UNTIL: u64 = 100;

fn past(lived: &Lived) -> PastConversation {
    lived.past(&Usual::default(), at(UNTIL), &BTreeSet::new())
}

#[test]
fn each_took_its_time_for_an_answer_and_the_talk_went_on_from_there() {
    let past = past(&moved());
    assert_eq!(past.entry, Entry::Written);
    assert_eq!(past.holders, [("ana".into(), None), ("ben".into(), Some(MINUTE))]);
    let word = |minute, by_visitor| Word { after_ms: minute * MINUTE, by_visitor };
    assert_eq!(past.words, [word(2, true), word(3, false)]);
    assert_eq!((past.ends_after_ms, past.served_ms), (Some(14 * MINUTE), 18 * MINUTE));
    assert_eq!((past.patience, past.hands.len()), (None, 0), "routing is no hand");
    assert_eq!(moved().moved(), 1);
    let held = moved().held(at(UNTIL));
    assert_eq!((held[0].to, held[1].to), (at(5), at(20)));
}

#[test]
fn what_is_usual_is_the_middle_of_the_day() {
    let usual = Usual::of(&[moved(), moved(), lived()], at(UNTIL));
    assert_eq!(usual.answers, BTreeMap::from([(id("ben"), MINUTE)]), "Ana gave none");
    assert_eq!(usual.answer_ms, Some(MINUTE));
    // Never served: as long as the others.
    let past = lived().past(&usual, at(UNTIL), &BTreeSet::new());
    assert_eq!((past.served_ms, past.ends_after_ms), (18 * MINUTE, Some(14 * MINUTE)));
}

#[test]
fn what_was_cut_short_would_have_lasted_as_long_as_usual() {
    let usual = Usual::of(&[moved()], at(UNTIL));
    let ends = |ended: Option<(Timestamp, Option<EndedBy>)>| {
        let past = Lived { ended, ..moved() }.past(&usual, at(UNTIL), &BTreeSet::new());
        past.ends_after_ms
    };
    assert_eq!(ends(Some((at(10), Some(EndedBy::AgentAway)))), Some(14 * MINUTE));
    assert_eq!(ends(Some((at(30), Some(EndedBy::AgentAway)))), Some(24 * MINUTE));
    assert_eq!(ends(None), Some((UNTIL - 6) * MINUTE));
    assert_eq!(ends(Some((at(10), Some(EndedBy::Visitor)))), Some(4 * MINUTE));
    assert_eq!(ends(Some((at(10), Some(EndedBy::VisitorSilent)))), None);
}

#[test]
fn who_gave_up_did_so_in_line_or_with_an_agent_who_said_nothing() {
    let ended = |by| Some((at(4), Some(by)));
    let in_line = Some(Patience::InLine(3 * MINUTE));
    assert_eq!(past(&Lived { ended: ended(EndedBy::LeftQueue), ..lived() }).patience, in_line);
    let mut left = Lived { ended: ended(EndedBy::LeaveMessage), ..lived() };
    assert_eq!(past(&left).patience, None, "the relay filed it");
    left.left_message = true;
    assert_eq!(past(&left).patience, in_line);
    let unanswered = Lived {
        ended: ended(EndedBy::Visitor),
        got: vec![got(2, "ana", None)],
        wrote: vec![(at(1), true)],
        ..lived()
    };
    assert_eq!(past(&unanswered).patience, Some(Patience::ForAnswer(3 * MINUTE)));
    assert_eq!(past(&Lived { ended: ended(EndedBy::Visitor), ..moved() }).patience, None);
}

#[test]
fn what_people_did_by_hand_is_told_from_what_routing_did() {
    let hand = |from: Option<&str>, to: Option<&str>, minute| Hand {
        from: from.map(Into::into),
        to: to.map(Into::into),
        after_ms: minute * MINUTE,
    };
    let mut by_hand = moved();
    by_hand.got = vec![
        got(2, "ana", Some(AssignedHow::ByHand { by: id("mia") })),
        got(4, "ben", Some(AssignedHow::Accepted { from: id("ana") })),
        got(9, "mia", Some(AssignedHow::TookOver {})),
    ];
    // Ben put it back in line in between, a minute before.
    by_hand.requeued = vec![(at(8), RequeueReason::HandedOver)];
    let expected = [
        hand(None, Some("ana"), 1),
        hand(Some("ana"), Some("ben"), 2),
        hand(Some("ben"), None, 6),
        hand(None, Some("mia"), 8),
    ];
    assert_eq!(past(&by_hand).hands, expected);
    // Ben went away in that moment: that is told with his going.
    let over = by_hand.handed_over(at(UNTIL)).into_iter().collect();
    assert_eq!(over, BTreeSet::from([(id("ben"), at(8))]));
    let hands = by_hand.past(&Usual::default(), at(UNTIL), &over).hands;
    assert_eq!(hands.len(), 3);
    assert!(hands.iter().all(|hand| hand.to.is_some()));
}

#[test]
fn what_ran_already_is_with_somebody_or_in_line() {
    let mut ran = Lived { counts: false, came: at(0), wrote: vec![(at(3), true)], ..moved() };
    assert_eq!(past(&ran).entry, Entry::InLine, "nobody had it then");
    ran.got.insert(0, got(0, "eli", routed(Cause::Waited { for_ms: 0 })));
    let found = past(&ran);
    let department = "sales".into();
    assert_eq!(found.entry, Entry::With { agent: "eli".into(), department });
    assert_eq!((found.words.len(), found.ends_after_ms), (1, Some(20 * MINUTE)));
    ran.ended = Some((at(20), Some(EndedBy::VisitorSilent)));
    assert_eq!(past(&ran).ends_after_ms, None);
}

#[test]
fn an_opened_window_began_without_a_word() {
    let silent = Lived { wrote: Vec::new(), ..lived() };
    assert_eq!(past(&silent).entry, Entry::Opened { wrote_after_ms: None });
    let slow = Lived { wrote: vec![(at(3), true)], ..lived() };
    assert_eq!(past(&slow).entry, Entry::Opened { wrote_after_ms: Some(2 * MINUTE) });
    // Greeted before the visitor said anything: no answer yet.
    let greeted = Lived {
        got: vec![got(2, "ana", None)],
        wrote: vec![(at(2), false), (at(3), true), (at(4), false)],
        ..lived()
    };
    assert_eq!(greeted.answered_at(), Some(at(4)));
    assert_eq!(past(&greeted).holders, [("ana".into(), Some(MINUTE))]);
}

#[test]
fn who_was_done_early_with_the_work_after_an_end() {
    let done = Lived { wrapped_up: Some(at(22)), ..moved() };
    assert_eq!(past(&done).wrapped_up, Some(("ben".into(), 2 * MINUTE)));
}
