//! The hard rules as short stories. Each was made to fail once by breaking the rule it tells.

use crate::{Decision, Fact, Refusal, Router};

/// A company on a slow morning: every `at` is a minute later than the one before.
struct Story {
    router: Router<&'static str, &'static str>,
    now: u64,
    number: u64,
}

impl Story {
    fn new() -> Self {
        Self { router: Router::new(), now: 0, number: 0 }
    }

    fn agent(mut self, agent: &'static str, capacity: u32) -> Self {
        self.quietly(Fact::AgentSet { agent, capacity, online: true });
        self.quietly(Fact::AgentConnected { agent });
        self
    }

    fn quietly(&mut self, fact: Fact<&'static str, &'static str>) {
        let decisions = self.router.step(self.now, fact);
        assert_eq!(decisions, [], "nobody was expected to be affected");
    }

    /// `fact` happens and gives exactly `expected`, one decision a line.
    fn on(&mut self, fact: Fact<&'static str, &'static str>, expected: &str) {
        self.now += 60_000;
        let decisions = self.router.step(self.now, fact);
        let told: Vec<String> = decisions
            .iter()
            .map(|decision| match decision {
                Decision::Assign { conversation, agent } => format!("{conversation} to {agent}"),
                Decision::Wait { conversation, reason } => format!("{conversation} {reason:?}"),
            })
            .collect();
        assert_eq!(told.join(", "), expected);
    }

    fn arrives(&mut self, conversation: &'static str, expected: &str) {
        self.number += 1;
        let number = self.number;
        self.on(Fact::ConversationWaiting { conversation, number, told: None }, expected);
    }

    fn served(&mut self, conversation: &'static str, agent: &'static str) {
        self.on(Fact::ConversationServed { conversation, agent }, "");
    }

    fn over(&mut self, conversation: &'static str, expected: &str) {
        self.on(Fact::ConversationOver { conversation }, expected);
    }
}

#[test]
fn the_least_loaded_agent_relative_to_capacity_is_next() {
    let mut story = Story::new().agent("ana", 2).agent("ben", 8);
    story.arrives("vera", "vera to ana");
    story.served("vera", "ana");
    story.arrives("viktor", "viktor to ben");
    story.served("viktor", "ben");
    // Ana has 1 of 2, Ben 1 of 8, 2 of 8, 3 of 8.
    story.arrives("c", "c to ben");
    story.arrives("d", "d to ben");
    story.arrives("e", "e to ben");
    // 4 of 8 equals 1 of 2, and Ana got her last one earlier: she has been idle longer.
    story.served("c", "ben");
    story.arrives("f", "f to ana");
}

#[test]
fn among_equals_the_longest_idle_is_next_and_then_the_smaller_id() {
    let mut story = Story::new().agent("ben", 8).agent("ana", 8);
    story.arrives("a", "a to ana");
    story.served("a", "ana");
    story.arrives("b", "b to ben");
    story.served("b", "ben");
    story.over("b", "");
    story.over("a", "");
    // Ben ended his one first.
    story.arrives("c", "c to ben");
}

#[test]
fn at_capacity_new_visitors_wait_and_are_told() {
    let mut story = Story::new().agent("ana", 1);
    story.arrives("vera", "vera to ana");
    story.arrives("viktor", "viktor AllFull");
    story.served("vera", "ana");
    assert_eq!(story.router.line().copied().collect::<Vec<_>>(), ["viktor"]);
}

#[test]
fn the_first_in_line_enters_a_freed_place_once() {
    let mut story = Story::new().agent("ana", 1);
    story.arrives("a", "a to ana");
    story.served("a", "ana");
    story.arrives("b", "b AllFull");
    story.arrives("c", "c AllFull");
    story.over("a", "b to ana");
    story.over("a", "");
    story.served("b", "ana");
    assert_eq!(story.router.line().copied().collect::<Vec<_>>(), ["c"]);
}

#[test]
fn with_nobody_online_the_message_is_kept_and_assigned_when_someone_comes() {
    let mut story = Story::new();
    story.arrives("vera", "vera NobodyOnline");
    story.on(Fact::AgentSet { agent: "ana", capacity: 8, online: true }, "");
    story.on(Fact::AgentConnected { agent: "ana" }, "vera to ana");
}

#[test]
fn a_busy_agent_gets_nothing_new_and_keeps_what_runs() {
    let mut story = Story::new().agent("ana", 8);
    story.arrives("vera", "vera to ana");
    story.served("vera", "ana");
    story.on(Fact::AgentSet { agent: "ana", capacity: 8, online: false }, "");
    story.arrives("viktor", "viktor NobodyOnline");
    assert_eq!(story.router.running(&"ana"), 1);
    story.on(Fact::AgentSet { agent: "ana", capacity: 8, online: true }, "viktor to ana");
}

#[test]
fn a_lost_connection_takes_no_conversation_away() {
    let mut story = Story::new().agent("ana", 2);
    story.arrives("vera", "vera to ana");
    story.served("vera", "ana");
    story.on(Fact::AgentDisconnected { agent: "ana" }, "");
    story.arrives("viktor", "viktor NobodyOnline");
    story.on(Fact::AgentConnected { agent: "ana" }, "viktor to ana");
    assert_eq!(story.router.running(&"ana"), 2);
}

#[test]
fn a_refused_conversation_is_back_at_its_place_and_the_agent_is_left_alone() {
    let mut story = Story::new().agent("ana", 1).agent("ben", 1);
    story.arrives("a", "a to ana");
    story.arrives("b", "b to ben");
    story.arrives("c", "c AllFull");
    let why = Refusal::AgentUnfit;
    story.on(Fact::AssignmentRefused { conversation: "a", agent: "ana", why }, "a AllFull");
    assert_eq!(story.router.line().copied().collect::<Vec<_>>(), ["a", "c"]);
    story.on(Fact::AgentSet { agent: "ana", capacity: 1, online: true }, "a to ana");
}

#[test]
fn a_conversation_that_someone_has_leaves_the_line() {
    let mut story = Story::new().agent("ana", 1);
    story.arrives("a", "a to ana");
    story.arrives("b", "b AllFull");
    let why = Refusal::ConversationGone;
    story.on(Fact::AssignmentRefused { conversation: "a", agent: "ana", why }, "b to ana");
}

#[test]
fn a_failure_of_the_store_is_tried_again() {
    let mut story = Story::new().agent("ana", 1);
    story.arrives("a", "a to ana");
    let why = Refusal::Failed;
    story.on(Fact::AssignmentRefused { conversation: "a", agent: "ana", why }, "a to ana");
}

#[test]
fn a_lowered_capacity_ends_nothing() {
    let mut story = Story::new().agent("ana", 2);
    story.arrives("a", "a to ana");
    story.served("a", "ana");
    story.arrives("b", "b to ana");
    story.served("b", "ana");
    story.on(Fact::AgentSet { agent: "ana", capacity: 1, online: true }, "");
    story.arrives("c", "c AllFull");
    story.over("a", "");
    story.over("b", "c to ana");
}

#[test]
fn a_crowd_is_told_in_pieces() {
    let mut router: Router<u32, u32> = Router::new();
    for conversation in 0..200 {
        let number = u64::from(conversation);
        router.note(0, Fact::ConversationWaiting { conversation, number, told: None });
    }
    let mut told = 0;
    while router.has_more() {
        let decisions = router.step(0, Fact::GoOn);
        assert!(!decisions.is_empty() && decisions.len() <= crate::DECISIONS_MAX);
        told += decisions.len();
    }
    assert_eq!(told, 200);
}
