//! A past day with other settings, side by side (X04). What the replay says is counted again: by hand in
//! the stories, and by a plain list of people in the last one.

use std::collections::BTreeMap;

use yingke_routing::replay::{
    Entry, Fate, Hand, PastConversation, PastDay, PastFact, Patience, Replayed, Settings, Word,
    compare, replay,
};
use yingke_routing::{
    AgentSettings, Availability, Company, Department, Described, Fact, NoAnswer, Silence,
};

use crate::paper;
use crate::story::{MINUTE, SECOND, calm};

fn account(agent: &str, capacity: u32, availability: Availability) -> Fact {
    Fact::AgentSet(Box::new(AgentSettings {
        agent: agent.into(),
        capacity,
        availability,
        departments: ["sales".into()].into(),
        skills: [].into(),
    }))
}

fn on(at: u64, fact: Fact) -> PastFact {
    PastFact { at, fact, hands_over: false }
}

/// A day on which these are online from the start.
fn day_of(agents: &[(&str, u32)]) -> PastDay {
    let mut day = PastDay { until: 600 * MINUTE, ..PastDay::default() };
    for (agent, capacity) in agents {
        day.agents.push(on(0, account(agent, *capacity, Availability::Online)));
        day.agents.push(on(0, Fact::AgentConnected { agent: (*agent).into() }));
    }
    day
}

/// Came in this minute, was answered by this agent at once and talked for ten minutes.
fn came(id: &str, minute: u64, holder: &str) -> PastConversation {
    PastConversation {
        conversation: id.into(),
        at: minute * MINUTE,
        number: minute,
        visitor: Described::default(),
        entry: Entry::Written,
        holders: vec![(holder.into(), Some(0))],
        served_ms: 10 * MINUTE,
        words: Vec::new(),
        ends_after_ms: Some(10 * MINUTE),
        patience: None,
        hands: Vec::new(),
        wrapped_up: None,
    }
}

fn with(department: Department) -> Settings {
    Settings {
        company: Company::new("sales".into()),
        departments: vec![department],
        rules: Vec::new(),
        capacities: BTreeMap::new(),
    }
}

fn impatient() -> Department {
    let no_answer = Some(NoAnswer { after_ms: 3 * MINUTE, transfers_max: 2 });
    Department { no_answer, ..calm("sales") }
}

fn served(by: &str, after_ms: u64) -> Fate {
    Fate::Served { after_ms, agent: by.into() }
}

fn load(replayed: &Replayed, agent: &str) -> (u64, u32) {
    replayed.loads.get(&agent.into()).copied().unwrap_or_default()
}

#[test]
fn x04_the_same_day_with_more_capacity() {
    let mut day = day_of(&[("ana", 1)]);
    let left = PastConversation {
        patience: Some(Patience::InLine(5 * MINUTE)),
        holders: Vec::new(),
        ..came("c", 3, "ana")
    };
    day.conversations = vec![came("a", 1, "ana"), came("b", 2, "ana"), left, came("d", 4, "ana")];
    day.answer_ms = Some(0);
    let capacity =
        |of| Settings { capacities: BTreeMap::from([("ana".into(), of)]), ..with(calm("sales")) };
    let both = compare(&day, &[capacity(1), capacity(3)]);
    let [one, three] = both.as_slice() else { panic!("two") };
    assert_eq!((one.all.came, one.all.served, one.all.missed), (4, 3, 1));
    assert_eq!(one.fates[&"c".into()], Fate::Left);
    // b waits from minute 2 to 11, d from 4 to 21.
    assert_eq!(one.all.wait_sum_ms, (9 + 17) * MINUTE);
    assert_eq!(one.all.wait_max_ms, 17 * MINUTE);
    assert_eq!((one.all.answered, one.all.answer_sum_ms), (3, (9 + 17) * MINUTE));
    assert_eq!(load(one, "ana"), (3, 1));
    assert_eq!((three.all.served, three.all.missed), (4, 0));
    assert_eq!(three.all.wait_max_ms, 7 * MINUTE);
    assert_eq!(load(three, "ana"), (4, 3));
    assert_eq!(both, compare(&day, &[capacity(1), capacity(3)]));
}

/// B13: whoever gave no answer that day gives none again; the next answers as usual.
#[test]
fn x04_b13_a_missing_answer_is_moved_by_the_clock_that_is_tried() {
    let mut day = day_of(&[("ana", 1), ("ben", 1)]);
    let waits = PastConversation { holders: vec![("ana".into(), None)], ..came("a", 1, "ana") };
    day.conversations = vec![waits];
    day.answers = BTreeMap::from([("ben".into(), MINUTE)]);
    let moved = replay(&day, &with(impatient()));
    assert_eq!(moved.fates[&"a".into()], served("ana", 0), "first");
    assert_eq!((moved.all.moved, moved.all.answer_sum_ms), (1, 4 * MINUTE));
    assert_eq!((load(&moved, "ana"), load(&moved, "ben")), ((1, 1), (1, 1)));
    // Without the clock it stays with Ana for as long as it did.
    let stays = replay(&day, &with(calm("sales")));
    assert_eq!((stays.all.moved, stays.all.answered, load(&stays, "ben")), (0, 0, (0, 0)));
    // She would have answered after two minutes: in time for three, too late for one.
    day.conversations[0].holders = vec![("ana".into(), Some(2 * MINUTE))];
    assert_eq!(replay(&day, &with(impatient())).all.answer_sum_ms, 2 * MINUTE);
    let no_answer = Some(NoAnswer { after_ms: MINUTE, transfers_max: 2 });
    let hasty = replay(&day, &with(Department { no_answer, ..calm("sales") }));
    assert_eq!((hasty.all.moved, hasty.all.answer_sum_ms), (1, 2 * MINUTE));
    assert_eq!(load(&hasty, "ben"), (1, 1));
}

/// B15: a silence ends a talk as the settings tried say, and the place is free then.
#[test]
fn x04_b15_a_silence_ends_a_talk_and_frees_the_place() {
    let mut day = day_of(&[("ana", 1)]);
    let talk = |id: &str, minute| PastConversation {
        words: vec![
            Word { after_ms: MINUTE, by_visitor: true },
            Word { after_ms: 2 * MINUTE, by_visitor: false },
        ],
        ends_after_ms: Some(60 * MINUTE),
        ..came(id, minute, "ana")
    };
    day.conversations = vec![talk("a", 1), talk("b", 2)];
    let calm_day = replay(&day, &with(calm("sales")));
    assert_eq!(calm_day.fates[&"b".into()], served("ana", 59 * MINUTE));
    let silence = Silence { ask_ms: None, warn_ms: Some(5 * MINUTE), end_ms: Some(MINUTE) };
    let ended = replay(&day, &with(Department { silence, ..calm("sales") }));
    // Her last word was in minute 3, the warning in 8, the end in 9.
    assert_eq!(ended.fates[&"b".into()], served("ana", 7 * MINUTE));
    // Work after the end keeps the place, as long as is set or until she was done with it.
    let wrap_up_ms = 4 * MINUTE;
    let kept = with(Department { silence, wrap_up_ms, ..calm("sales") });
    assert_eq!(replay(&day, &kept).fates[&"b".into()], served("ana", 11 * MINUTE));
    day.conversations[0].wrapped_up = Some(("ana".into(), MINUTE));
    assert_eq!(replay(&day, &kept).fates[&"b".into()], served("ana", 8 * MINUTE));
    // Only a silence ended it that day: with none to end it, it keeps its place.
    day.conversations[0].ends_after_ms = None;
    assert_eq!(replay(&day, &with(calm("sales"))).fates[&"b".into()], Fate::StillWaiting);
}

/// B11: who goes away ends what runs, or hands it over as that day; a talk stands still in line.
#[test]
fn x04_b11_a_lost_agent_an_away_and_a_hand_over() {
    let mut day = day_of(&[("ana", 2)]);
    day.conversations = vec![came("a", 1, "ana"), came("b", 2, "ana")];
    day.agents.push(on(3 * MINUTE, Fact::AgentLost { agent: "ana".into() }));
    day.agents.push(on(10 * MINUTE, Fact::AgentConnected { agent: "ana".into() }));
    let mut late = came("c", 11, "ana");
    late.patience = None;
    day.conversations.push(late);
    let lost = replay(&day, &with(calm("sales")));
    // Out of her hands from minute 4 to 10: a would have been over in 11, is in 17, and c waits for it.
    assert_eq!(lost.fates[&"c".into()], served("ana", 6 * MINUTE));
    assert_eq!(load(&lost, "ana"), (5, 2));

    let mut day = day_of(&[("ana", 2), ("ben", 1)]);
    day.conversations = vec![came("a", 1, "ana"), came("b", 2, "ben"), came("c", 3, "ana")];
    let away = Fact::AgentSet(Box::new(AgentSettings {
        agent: "ana".into(),
        capacity: 2,
        availability: Availability::Away,
        departments: ["sales".into()].into(),
        skills: [].into(),
    }));
    day.agents.push(PastFact { at: 5 * MINUTE, fact: away.clone(), hands_over: true });
    let over = replay(&day, &with(calm("sales")));
    // Ben takes them one after the other when b is over.
    assert_eq!(load(&over, "ben"), (3, 1));
    day.agents.pop();
    day.agents.push(on(5 * MINUTE, away));
    assert_eq!(load(&replay(&day, &with(calm("sales"))), "ben"), (1, 1), "ended with her");
}

/// What people did by hand is done again only where it stands as it stood.
#[test]
fn x04_transfers_and_assignments_by_hand_are_repeated_where_they_fit() {
    let mut day = day_of(&[("ana", 1), ("ben", 1)]);
    let hand = |from: Option<&str>, to: Option<&str>, minute| Hand {
        from: from.map(Into::into),
        to: to.map(Into::into),
        after_ms: minute * MINUTE,
    };
    let mut first = came("a", 1, "ana");
    first.hands = vec![hand(Some("ana"), Some("ben"), 4)];
    let mut second = came("b", 2, "ben");
    second.at = 6 * MINUTE;
    day.conversations = vec![first, second];
    let fits = replay(&day, &with(calm("sales")));
    // Ana is free again in minute 5, so b goes to her.
    assert_eq!((load(&fits, "ana"), load(&fits, "ben")), ((2, 1), (1, 1)));
    assert_eq!(fits.fates[&"b".into()], served("ana", 0));
    // Another agent has it: nobody gives it away.
    day.agents.insert(0, on(0, account("abe", 1, Availability::Online)));
    day.agents.insert(1, on(0, Fact::AgentConnected { agent: "abe".into() }));
    day.answer_ms = Some(0);
    let other = replay(&day, &with(calm("sales")));
    assert_eq!((load(&other, "abe"), load(&other, "ben")), ((1, 1), (0, 0)));

    // By hand out of the line, over capacity; and given back.
    let mut day = day_of(&[("ana", 1)]);
    let mut second = came("b", 2, "ana");
    second.hands = vec![hand(None, Some("ana"), 3), hand(Some("ana"), None, 1)];
    day.conversations = vec![came("a", 1, "ana"), second];
    let by_hand = replay(&day, &with(calm("sales")));
    assert_eq!(by_hand.fates[&"b".into()], served("ana", 3 * MINUTE));
    assert_eq!(load(&by_hand, "ana"), (3, 2), "back in line, and hers again later");
}

/// What ran when the day began takes its places and counts nowhere.
#[test]
fn x04_what_ran_at_midnight_takes_its_place() {
    let mut day = day_of(&[("ana", 1)]);
    let with_ana = Entry::With { agent: "ana".into(), department: "sales".into() };
    let old = PastConversation { at: 0, entry: with_ana, ..came("old", 0, "ana") };
    let in_line =
        PastConversation { at: 0, number: 1, entry: Entry::InLine, ..came("line", 0, "ana") };
    day.conversations = vec![old, in_line, came("a", 2, "ana")];
    let replayed = replay(&day, &with(calm("sales")));
    assert_eq!((replayed.all.came, replayed.fates.len()), (1, 1));
    // old until 10, the one in line until 20.
    assert_eq!(replayed.fates[&"a".into()], served("ana", 18 * MINUTE));
    assert_eq!(load(&replayed, "ana"), (3, 1));
}

/// B14: who only opened the window takes a place where the settings tried say so.
#[test]
fn x04_b14_opened_windows_take_seats_where_the_site_says_so() {
    let mut day = day_of(&[("ana", 1)]);
    let opened = |after| Entry::Opened { wrote_after_ms: after };
    let at_shop = Described { site: Some("shop".into()), ..Described::default() };
    let mut silent = came("a", 1, "ana");
    (silent.entry, silent.visitor) = (opened(None), at_shop.clone());
    let mut slow = came("b", 2, "ana");
    (slow.entry, slow.visitor) = (opened(Some(3 * MINUTE)), at_shop);
    day.conversations = vec![silent, slow];
    let none = replay(&day, &with(calm("sales")));
    assert_eq!(none.fates[&"a".into()], Fate::Silent);
    assert_eq!((none.all.came, none.all.served), (1, 1), "who never asked did not come");
    assert_eq!(none.fates[&"b".into()], served("ana", 3 * MINUTE));
    let mut seats = with(calm("sales"));
    seats.company.seats_for_silent.insert("shop".into());
    let seated = replay(&day, &seats);
    assert_eq!(seated.fates[&"a".into()], served("ana", 0));
    assert_eq!(seated.fates[&"b".into()], served("ana", 9 * MINUTE));
}

/// Who went away without an answer stays if one comes in time.
#[test]
fn x04_who_gave_up_gives_up_again_unless_answered_in_time() {
    let mut day = day_of(&[("ana", 1), ("ben", 1)]);
    let mut gave_up = came("a", 1, "ana");
    gave_up.holders = vec![("ana".into(), None)];
    (gave_up.patience, gave_up.served_ms) = (Some(Patience::ForAnswer(8 * MINUTE)), 8 * MINUTE);
    day.conversations = vec![gave_up, came("b", 2, "ben"), came("c", 4, "ana")];
    day.answers = BTreeMap::from([("ben".into(), 2 * MINUTE)]);
    let as_was = replay(&day, &with(calm("sales")));
    assert_eq!(
        (as_was.all.answered, as_was.fates[&"c".into()].clone()),
        (2, served("ana", 5 * MINUTE))
    );
    // Moved to nobody while Ben is full; to Ben when he has a second place, who answers in minute 6.
    let more = Settings { capacities: BTreeMap::from([("ben".into(), 2)]), ..with(impatient()) };
    let moved = replay(&day, &more);
    assert_eq!((moved.all.answered, moved.all.moved), (3, 1));
    assert_eq!(moved.fates[&"c".into()], served("ana", 0));
}

/// The same day played by people with a list on paper.
#[test]
fn x04_a_random_day_is_what_a_plain_list_says() {
    let mut compared = 0;
    for seed in 1..=100_u64 {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed) | 1;
        let mut below = |most: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % most
        };
        let agents =
            ["ana", "ben", "cho"].map(|agent| (agent, u32::try_from(1 + below(3)).unwrap()));
        let mut day = day_of(&agents);
        let mut at = 0;
        for nth in 0..40 {
            at += below(90 * SECOND) + 1;
            let ends_after_ms = Some(below(10 * MINUTE) + 1);
            let mut one = came(&format!("c{nth:02}"), 0, "ana");
            (one.at, one.number, one.ends_after_ms) = (at, nth, ends_after_ms);
            one.holders = agents
                .iter()
                .map(|(agent, _)| ((*agent).into(), (below(3) > 0).then(|| below(4 * MINUTE))))
                .collect();
            one.served_ms = below(30 * MINUTE) + 10 * MINUTE;
            day.conversations.push(one);
        }
        let replayed = replay(&day, &with(impatient()));
        // Two things at once have no order that the rules would say.
        let Some(said) = paper::play(&day, &agents) else { continue };
        compared += 1;
        let its: Vec<_> = day.conversations.iter().map(|it| &it.conversation).collect();
        for (id, said) in its.iter().zip(said) {
            let answer = replayed.answers.get(*id).copied();
            let wait = match replayed.fates.get(*id) {
                Some(Fate::Served { after_ms, .. }) => Some(*after_ms),
                _ => None,
            };
            assert_eq!((wait, answer), (said.wait, said.answer), "seed {seed}: {id}");
        }
    }
    assert!(compared >= 30, "{compared} days");
}
