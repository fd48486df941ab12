//! 在线, 忙碌, 离开, crashes and the grace period (B11).

use yingke_routing::{
    AgentSettings, Availability, Department, Fact, Refusal, RequeueReason, Router,
};

use crate::story::{MINUTE, SECOND, Story, calm, meant_for};

#[test]
fn b11_away_ends_every_running_conversation_and_the_visitor_gets_another_agent() {
    let mut story = Story::new().agent("ana", 8).agent("ben", 8);
    story.is_served("vera", "ana");
    story.chooses("ana", Availability::Away, "vera ends AgentAway");
    story.done("");
    // She applies again: a new conversation.
    story.arrives("vera-again", "vera-again to ben");
}

#[test]
fn b11_handed_over_before_leaving_goes_to_the_front_and_to_another() {
    let mut story = Story::new().agent("ana", 8).agent("ben", 8);
    story.is_served("vera", "ana");
    let why = RequeueReason::HandedOver;
    story.chooses("ana", Availability::Busy, "");
    story.on(Fact::ConversationRequeued { conversation: "vera".into(), why }, "vera to ben");
    story.done("");
    story.chooses("ana", Availability::Away, "");
}

#[test]
fn b11_a_crash_is_never_away_back_within_the_grace_nothing_happened() {
    let mut story = Story::new().agent("ana", 3);
    for visitor in ["a", "b", "c"] {
        story.is_served(visitor, "ana");
    }
    story.lost("ana", "");
    story.passes(59 * SECOND, "");
    story.connected("ana", "");
    story.passes(10 * MINUTE, "");
    assert_eq!(story.router.running(&"ana".into()), 3);
}

#[test]
fn b11_after_the_grace_three_conversations_go_back_to_the_front_of_the_line() {
    let mut story = Story::new().agent("ana", 3);
    for visitor in ["a", "b", "c"] {
        story.is_served(visitor, "ana");
    }
    story.arrives("d", "d AllFull");
    story.lost("ana", "d NobodyOnline");
    story.passes(
        60 * SECOND,
        "a back from ana AgentLost, b back from ana AgentLost, c back from ana AgentLost",
    );
    story.done("a NobodyOnline, b NobodyOnline, c NobodyOnline");
    assert_eq!(story.line(), ["a", "b", "c", "d"]);
    // Back after the grace: whoever is first comes first.
    story.connected("ana", "a to ana, b to ana, c to ana, d AllFull");
}

#[test]
fn b11_h03_where_nobody_is_there_a_lost_conversation_becomes_a_leave_message() {
    let mut story = Story::with(Department {
        file_after_ms: Some(5 * MINUTE),
        no_answer: None,
        ..Department::new("sales".into())
    })
    .agent("ana", 3);
    story.is_served("a", "ana");
    story.lost("ana", "");
    story.passes(60 * SECOND, "a back from ana AgentLost");
    story.done("a NobodyOnline");
    story.passes(5 * MINUTE, "a filed");
    story.done("");
    assert_eq!(story.router.waiting(), 0);
}

#[test]
fn b11_a_signed_out_agent_is_not_waited_for() {
    let mut story = Story::new().agent("ana", 3).agent("ben", 3);
    story.is_served("a", "ana");
    story.on(Fact::AgentSignedOut { agent: "ana".into() }, "a back from ana AgentSignedOut");
    story.done("a to ben");
}

/// Signed in again before the conversation was taken away: lost like anybody whose socket is missing.
#[test]
fn b11_who_signs_in_again_without_coming_has_the_grace_period() {
    let mut story = Story::new().agent("ana", 3);
    story.is_served("a", "ana");
    story.on(Fact::AgentSignedOut { agent: "ana".into() }, "a back from ana AgentSignedOut");
    let why = Refusal::Overtaken;
    story.after(0, Fact::Refused { conversation: "a".into(), attempt: 2, why }, "");
    story.after(0, Fact::AgentLost { agent: "ana".into() }, "");
    story.passes(59 * SECOND, "");
    story.passes(SECOND, "a back from ana AgentLost");
}

#[test]
fn b11_the_last_agent_goes_busy_with_five_waiting() {
    let mut story = Story::new().agent("ana", 1);
    story.is_served("a", "ana");
    for visitor in ["b", "c", "d", "e", "f"] {
        story.arrives(visitor, &format!("{visitor} AllFull"));
    }
    story.set(
        "ana",
        Availability::Busy,
        1,
        "b NobodyOnline, c NobodyOnline, d NobodyOnline, e NobodyOnline, f NobodyOnline",
    );
    // What runs goes on, and its end brings nobody in.
    story.over("a", "");
    story.set(
        "ana",
        Availability::Online,
        1,
        "b to ana, c AllFull, d AllFull, e AllFull, f AllFull",
    );
}

#[test]
fn o01_an_agent_disabled_while_serving_loses_the_conversations_at_once() {
    let mut story = Story::new().agent("ana", 8).agent("ben", 8);
    story.is_served("a", "ana");
    story.on(Fact::AgentRemoved { agent: "ana".into() }, "a back from ana AgentRemoved");
    story.done("a to ben");
}

#[test]
fn b08_sticky_waits_for_its_own_agent_and_only_a_person_moves_it() {
    use yingke_routing::QueuePolicy;
    let sticky = Department { policy: QueuePolicy::Sticky, ..calm("sales") };
    let mut story = Story::with(sticky).agent("ana", 1).agent("ben", 8);
    story.is_served("a", "ana");
    story.asks("b", meant_for("ana", false), "b AllFull");
    story.passes(60 * MINUTE, "");
    story.lost("ana", "b NobodyOnline");
    story.passes(60 * SECOND, "a back from ana AgentLost");
    story.done("a NobodyOnline");
    story.served("b", "ben", "");
    story.connected("ana", "a to ana");
}

#[test]
fn b08_sticky_then_pool_opens_to_all_after_its_time() {
    use yingke_routing::QueuePolicy;
    let policy = QueuePolicy::StickyThenPool { after_ms: 2 * MINUTE };
    let mut story =
        Story::with(Department { policy, ..calm("sales") }).agent("ana", 1).agent("ben", 8);
    story.is_served("a", "ana");
    story.asks("b", meant_for("ana", false), "b AllFull");
    story.passes(2 * MINUTE - 1, "");
    story.passes(1, "b to ben");
}

#[test]
fn a25_in_a_pool_a_named_agent_is_preferred_if_free_and_else_anyone() {
    let mut story = Story::new().agent("ana", 1).agent("ben", 8);
    story.asks("a", meant_for("ana", true), "a to ana");
    story.done("");
    story.asks("b", meant_for("ana", true), "b to ben");
}

#[test]
fn b08_an_own_agent_who_is_gone_for_good_is_told_to_managers() {
    use yingke_routing::QueuePolicy;
    let sticky = Department { policy: QueuePolicy::Sticky, ..calm("sales") };
    let mut story = Story::with(sticky).agent("ana", 1).agent("ben", 8);
    story.is_served("a", "ana");
    story.asks("b", meant_for("ana", false), "b AllFull");
    story.on(
        Fact::AgentRemoved { agent: "ana".into() },
        "a back from ana AgentRemoved, managers: b OwnAgentGone, b NobodyOnline",
    );
}

#[test]
fn b11_after_a_restart_it_is_known_why_one_stands_at_the_front_and_how_fast_the_line_moved() {
    use yingke_routing::rules::Demand;
    use yingke_routing::{
        Cause, Company, ConversationRow, Decision, RequeueReason, Rows, StandingRow, Talk,
        WaitingReason,
    };
    let row = |id: &str, department: &str, number, since, requeued: Option<RequeueReason>| {
        ConversationRow {
            conversation: id.into(),
            number,
            demand: Demand::of(department.into()),
            had: Vec::new(),
            tries: 0,
            alerted: false,
            talk: Talk::default(),
            standing: StandingRow::Waiting {
                since,
                front: requeued.is_some(),
                requeued,
                told: Some((WaitingReason::AllFull, since)),
            },
        }
    };
    let lost = Some(RequeueReason::AgentLost);
    let moved =
        |department: &str| (1..=4).map(|nth| (department.into(), nth * MINUTE)).collect::<Vec<_>>();
    let mut router = Router::rebuild(Rows {
        now: 5 * MINUTE,
        wall_ahead_ms: 0,
        position: 90,
        company: Company::new("sales".into()),
        departments: vec![calm("sales"), calm("support")],
        rules: Vec::new(),
        agents: Vec::new(),
        // Somebody stood in line of sales all the time; that of support was empty a while ago.
        conversations: vec![
            row("a", "sales", 10, 0, lost),
            row("b", "sales", 20, 0, None),
            row("c", "support", 30, 5 * MINUTE, None),
        ],
        invitations: Vec::new(),
        pace: [moved("sales"), moved("support")].concat(),
    });
    let expected = |department: &str| {
        let department = department.into();
        router.line(&department).map(|it| it.expected_ms).collect::<Vec<_>>()
    };
    assert_eq!(expected("sales"), [Some(0), Some(MINUTE)]);
    assert_eq!(expected("support"), [None]);
    let settings = AgentSettings {
        agent: "ana".into(),
        capacity: 1,
        availability: Availability::Online,
        departments: ["sales".into()].into(),
        skills: [].into(),
    };
    router.note(5 * MINUTE, Fact::AgentSet(Box::new(settings)));
    let decided = router.step(5 * MINUTE, Fact::AgentConnected { agent: "ana".into() });
    let Some(Decision::Assign { why, .. }) = decided.first() else { panic!("{decided:?}") };
    assert_eq!(why.cause, Cause::Requeued { why: lost, for_ms: 5 * MINUTE });
}

#[test]
fn the_relay_restarts_with_a_full_queue_and_order_places_and_clocks_go_on() {
    use yingke_routing::rules::Demand;
    use yingke_routing::{
        AgentRow, Company, Connection, ConversationRow, Rows, StandingRow, Talk, WaitingReason,
    };
    let row = |id: &str, number, front| ConversationRow {
        conversation: id.into(),
        number,
        demand: Demand::of("sales".into()),
        had: Vec::new(),
        tries: 0,
        alerted: false,
        talk: Talk::default(),
        standing: StandingRow::Waiting {
            since: 0,
            front,
            requeued: None,
            told: Some((WaitingReason::NobodyOnline, 4 * MINUTE)),
        },
    };
    let department =
        Department { file_after_ms: Some(5 * MINUTE), ..Department::new("sales".into()) };
    let settings = AgentSettings {
        agent: "ana".into(),
        capacity: 1,
        availability: Availability::Online,
        departments: ["sales".into()].into(),
        skills: [].into(),
    };
    let mut router = Router::rebuild(Rows {
        now: 6 * MINUTE,
        wall_ahead_ms: 0,
        position: 90,
        company: Company::new("sales".into()),
        departments: vec![department],
        rules: Vec::new(),
        agents: vec![AgentRow {
            settings,
            removed: false,
            connection: Connection::Lost(6 * MINUTE),
            idle_since: 0,
            wrap_ups: Vec::new(),
        }],
        conversations: vec![row("b", 20, false), row("a", 10, false), row("c", 30, true)],
        invitations: Vec::new(),
        pace: Vec::new(),
    });
    assert_eq!(router.step(6 * MINUTE, Fact::GoOn), []);
    let sales = "sales".into();
    let line: Vec<_> = router.line(&sales).map(|it| (it.conversation, it.place)).collect();
    assert_eq!(line, [("c".into(), 1), ("a".into(), 2), ("b".into(), 3)]);
    // Five minutes after they were told, not after the restart.
    assert_eq!(router.next_deadline(), Some(7 * MINUTE));
    // What the log said before is known.
    assert_eq!(router.heard(90, 9 * MINUTE, Fact::AgentConnected { agent: "ana".into() }).len(), 3);
}
