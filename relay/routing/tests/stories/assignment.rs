//! Who gets whom: load, capacity, the line, lost races.

use yingke_routing::{Availability, DECISIONS_MAX, Fact, Refusal, Router};

use crate::story::{Story, of_class};

#[test]
fn b02_the_least_loaded_agent_relative_to_capacity_is_next() {
    let mut story = Story::new().agent("ana", 2).agent("ben", 8);
    story.is_served("vera", "ana");
    story.is_served("viktor", "ben");
    // Ana has 1 of 2, Ben 1 of 8, 2 of 8, 3 of 8.
    story.arrives("c", "c to ben");
    story.arrives("d", "d to ben");
    story.arrives("e", "e to ben");
    // 4 of 8 equals 1 of 2, and Ana got her last one earlier: she has been idle longer.
    story.served("c", "ben", "");
    story.arrives("f", "f to ana");
}

#[test]
fn b02_among_equals_the_longest_idle_is_next_and_then_the_smaller_id() {
    let mut story = Story::new().agent("ben", 8).agent("ana", 8);
    story.is_served("a", "ana");
    story.is_served("b", "ben");
    story.over("b", "");
    story.over("a", "");
    // Ben ended his one first.
    story.arrives("c", "c to ben");
}

#[test]
fn b06_at_capacity_new_visitors_wait_and_are_told() {
    let mut story = Story::new().agent("ana", 1);
    story.arrives("vera", "vera to ana");
    story.arrives("viktor", "viktor AllFull");
    story.served("vera", "ana", "");
    assert_eq!(story.line(), ["viktor"]);
}

#[test]
fn b07_c15_the_first_in_line_enters_a_freed_place_once() {
    let mut story = Story::new().agent("ana", 1);
    story.is_served("a", "ana");
    story.arrives("b", "b AllFull");
    story.arrives("c", "c AllFull");
    story.over("a", "b to ana");
    story.over("a", "");
    story.served("b", "ana", "");
    assert_eq!(story.line(), ["c"]);
}

#[test]
fn b05_b18_vips_wait_before_others_and_higher_priorities_before_lower() {
    let mut story = Story::new().agent("ana", 1);
    story.is_served("a", "ana");
    story.asks("plain", of_class(false, 0), "plain AllFull");
    story.asks("urgent", of_class(false, 9), "urgent AllFull");
    story.asks("vip", of_class(true, 0), "vip AllFull");
    story.asks("vip2", of_class(true, 0), "vip2 AllFull");
    assert_eq!(story.line(), ["vip", "vip2", "urgent", "plain"]);
    story.over("a", "vip to ana");
}

#[test]
fn b03_an_agent_in_two_departments_takes_the_earlier_of_both_lines() {
    use crate::story::calm;
    use yingke_routing::rules::Demand;
    let mut story = Story::new()
        .department(calm("support"))
        .agent_of("ana", 1, &["sales", "support"], &[])
        .agent_of("ben", 1, &["support"], &[]);
    story.asks("a", Demand::of("support".into()), "a to ana");
    story.done("");
    story.asks("b", Demand::of("support".into()), "b to ben");
    story.done("");
    story.arrives("c", "c AllFull");
    story.asks("d", Demand::of("support".into()), "d AllFull");
    story.over("a", "c to ana");
    story.over("b", "d to ben");
}

#[test]
fn b03_a_skill_is_asked_of_those_who_have_it() {
    use yingke_routing::rules::Demand;
    let mut story = Story::new().agent_of("ana", 8, &["sales"], &[]).agent_of(
        "ben",
        1,
        &["sales"],
        &["french"],
    );
    let french = || Demand { skill: Some("french".into()), ..Demand::of("sales".into()) };
    story.asks("a", french(), "a to ben");
    story.asks("b", french(), "b AllFull");
    story.arrives("c", "c to ana");
}

#[test]
fn h03_with_nobody_online_the_visitor_is_told_and_served_when_someone_comes() {
    let mut story = Story::new();
    story.arrives("vera", "vera NobodyOnline");
    story.chooses("ana", Availability::Online, "");
    story.connected("ana", "vera to ana");
}

#[test]
fn b11_a_busy_agent_gets_nothing_new_and_keeps_what_runs() {
    let mut story = Story::new().agent("ana", 8);
    story.is_served("vera", "ana");
    story.chooses("ana", Availability::Busy, "");
    story.arrives("viktor", "viktor NobodyOnline");
    assert_eq!(story.router.running(&"ana".into()), 1);
    story.chooses("ana", Availability::Online, "viktor to ana");
}

#[test]
fn b07_a_refused_conversation_is_back_at_its_place_and_the_agent_is_left_alone() {
    let mut story = Story::new().agent("ana", 1).agent("ben", 1);
    story.arrives("a", "a to ana");
    story.arrives("b", "b to ben");
    story.arrives("c", "c AllFull");
    let refused = Fact::Refused { conversation: "a".into(), attempt: 1, why: Refusal::AgentUnfit };
    story.on(refused.clone(), "a AllFull");
    story.on(refused, "");
    assert_eq!(story.line(), ["a", "c"]);
    story.set("ana", Availability::Online, 1, "a to ana");
}

#[test]
fn b07_a_conversation_that_was_overtaken_rests_until_the_news_of_it_comes() {
    let mut story = Story::new().agent("ana", 1);
    story.arrives("a", "a to ana");
    story.arrives("b", "b AllFull");
    let why = Refusal::Overtaken;
    story.on(Fact::Refused { conversation: "a".into(), attempt: 1, why }, "b to ana");
    story.after(0, Fact::ConversationOver { conversation: "a".into() }, "");
    assert!(story.line().is_empty());
}

#[test]
fn b07_the_visitor_leaves_the_line_in_the_instant_of_the_assignment() {
    let mut story = Story::new().agent("ana", 1);
    story.arrives("a", "a to ana");
    story.arrives("b", "b AllFull");
    // The log says that the visitor left before the store answers the decision.
    story.after(0, Fact::ConversationOver { conversation: "a".into() }, "b to ana");
    let why = Refusal::Overtaken;
    story.after(0, Fact::Refused { conversation: "a".into(), attempt: 1, why }, "");
}

#[test]
fn b07_a_failure_of_the_store_is_tried_again() {
    let mut story = Story::new().agent("ana", 1);
    story.arrives("a", "a to ana");
    let why = Refusal::Failed;
    story.on(Fact::Refused { conversation: "a".into(), attempt: 1, why }, "a to ana");
}

#[test]
fn b06_a_capacity_lowered_below_what_runs_ends_nothing() {
    let mut story = Story::new().agent("ana", 2);
    story.is_served("a", "ana");
    story.is_served("b", "ana");
    story.set("ana", Availability::Online, 1, "");
    story.arrives("c", "c AllFull");
    story.over("a", "");
    story.over("b", "c to ana");
}

#[test]
fn b09_assigned_by_hand_over_capacity_and_nobody_else_follows() {
    let mut story = Story::new().agent("ana", 1);
    story.is_served("a", "ana");
    story.arrives("b", "b AllFull");
    story.arrives("c", "c AllFull");
    story.served("b", "ana", "");
    assert_eq!(story.router.running(&"ana".into()), 2);
    story.over("a", "");
    story.over("b", "c to ana");
}

#[test]
fn b09_two_managers_assign_the_same_visitor_at_once() {
    let mut story = Story::new().agent("ana", 1).agent("ben", 1);
    story.is_served("a", "ana");
    story.is_served("b", "ben");
    story.arrives("c", "c AllFull");
    // The store lets one of them win; that is the one fact, however often it is told.
    story.served("c", "ben", "");
    story.served("c", "ben", "");
    assert_eq!(story.router.running(&"ben".into()), 2);
    assert_eq!(story.router.running(&"ana".into()), 1);
    assert_eq!(story.router.holder(&"c".into()), Some(&"ben".into()));
}

#[test]
fn b07_a_hand_was_faster_than_the_core() {
    let mut story = Story::new().agent("ana", 1).agent("ben", 1);
    story.arrives("a", "a to ana");
    story.served("a", "ben", "");
    let why = Refusal::Overtaken;
    story.on(Fact::Refused { conversation: "a".into(), attempt: 1, why }, "");
    story.arrives("b", "b to ana");
}

#[test]
fn b14_who_only_opens_the_window_takes_no_seat() {
    use yingke_routing::Asks;
    use yingke_routing::rules::Demand;
    let mut story = Story::new().agent("ana", 8);
    story.enters("vera", Asks::Demand(Demand::of("sales".into())), false, "");
    story.arrives("viktor", "viktor to ana");
    story.visitor_writes("vera", "vera to ana");
}

#[test]
fn b14_a_site_may_give_a_seat_for_opening_the_window() {
    use yingke_routing::rules::Demand;
    use yingke_routing::{Asks, Company};
    let mut story = Story::new().agent("ana", 8);
    let mut company = Company::new("sales".into());
    company.seats_for_silent.insert("shop".into());
    story.on(Fact::CompanySet(Box::new(company)), "");
    story.enters("vera", Asks::Demand(Demand::of("sales".into())), false, "vera to ana");
}

/// The site changed its mind before routing heard of the start: nobody waits until they write.
#[test]
fn b14_whoever_was_let_in_is_not_turned_away_afterwards() {
    use yingke_routing::rules::Demand;
    use yingke_routing::{Arrival, Asks};
    let mut story = Story::new().agent("ana", 8);
    let arrival = Arrival {
        conversation: "vera".into(),
        number: 1,
        site: Some("shop".into()),
        has_written: false,
        let_in: true,
        asks: Asks::Demand(Demand::of("sales".into())),
    };
    story.on(Fact::ConversationWaiting(Box::new(arrival)), "vera to ana");
}

#[test]
fn a_crowd_is_told_in_pieces() {
    use yingke_routing::rules::Demand;
    use yingke_routing::{Arrival, Asks, Company};
    let mut router = Router::new(Company::new("sales".into()));
    for number in 0..200 {
        let conversation = yingke_routing::ConversationId::new(&format!("c{number}"));
        let asks = Asks::Demand(Demand::of("sales".into()));
        let arrival =
            Arrival { conversation, number, site: None, has_written: true, let_in: false, asks };
        router.note(0, Fact::ConversationWaiting(Box::new(arrival)));
    }
    let mut told = 0;
    while router.has_more() {
        let decisions = router.step(0, Fact::GoOn);
        assert!(decisions.len() <= DECISIONS_MAX);
        told += decisions.len();
    }
    assert_eq!(told, 200);
}
