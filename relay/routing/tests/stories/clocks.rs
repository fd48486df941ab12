//! Missing answers, silent visitors, work after an end (B13, B15, D05).

use yingke_routing::{Availability, Department, Fact, NoAnswer, QueuePolicy, Silence};

use crate::story::{MINUTE, SECOND, Story, calm};

fn impatient() -> Department {
    let no_answer = Some(NoAnswer { after_ms: 3 * MINUTE, transfers_max: 2 });
    Department { no_answer, ..calm("sales") }
}

#[test]
fn b13_a_missing_first_answer_goes_to_another_agent_and_never_back() {
    let mut story = Story::with(impatient()).agent("ana", 8).agent("ben", 8).agent("cho", 8);
    story.is_served("vera", "ana");
    story.passes(3 * MINUTE - 1, "");
    story.passes(1, "vera from ana to ben NoAnswer");
    story.done("");
    story.passes(3 * MINUTE, "vera from ben to cho NoAnswer");
    story.done("");
    // Moved as often as allowed: to the front of the line, and managers are told.
    story.passes(3 * MINUTE, "managers: vera NoAnswer, vera back from cho NoAnswer");
    // All three had it: nobody is there for it, though all are free.
    story.done("vera NobodyOnline");
}

#[test]
fn b13_an_answer_stops_the_clock() {
    let mut story = Story::with(impatient()).agent("ana", 8).agent("ben", 8);
    story.is_served("vera", "ana");
    story.passes(2 * MINUTE, "");
    story.agent_writes("ana", "vera", "");
    story.passes(30 * MINUTE, "");
    // It is the first answer that was awaited.
    story.visitor_writes("vera", "");
    story.passes(30 * MINUTE, "");
}

#[test]
fn b13_the_clock_stands_still_while_the_agent_types() {
    let mut story = Story::with(impatient()).agent("ana", 8).agent("ben", 8);
    story.is_served("vera", "ana");
    story.passes(2 * MINUTE, "");
    // A minute of typing, a key every five seconds; it counts until ten seconds after the last.
    for _ in 0..12 {
        story.types("ana", "vera");
        story.passes(5 * SECOND, "");
    }
    story.passes(MINUTE + 5 * SECOND - 1, "");
    story.passes(1, "vera from ana to ben NoAnswer");
}

#[test]
fn b13_with_all_others_full_it_goes_to_the_front_of_the_line() {
    let mut story = Story::with(impatient()).agent("ana", 2).agent("ben", 1);
    story.is_served("vera", "ana");
    story.is_served("b", "ben");
    story.agent_writes("ben", "b", "");
    story.passes(2 * MINUTE, "vera back from ana NoAnswer");
    story.done("vera AllFull");
    story.arrives("c", "c to ana");
    story.over("b", "vera to ben");
}

#[test]
fn b13_with_nobody_else_it_stays_and_managers_are_told_once() {
    let mut story = Story::with(impatient()).agent("ana", 8);
    story.is_served("vera", "ana");
    story.passes(3 * MINUTE, "managers: vera NoAnswer");
    story.passes(3 * MINUTE, "");
    // Somebody comes: taken at the next look.
    story.on(Fact::AgentConnected { agent: "ben".into() }, "");
    story.set("ben", Availability::Online, 8, "");
    story.passes(MINUTE, "vera from ana to ben NoAnswer");
}

#[test]
fn b13_b08_a_sticky_conversation_is_moved_by_nobody() {
    let sticky = Department { policy: QueuePolicy::Sticky, ..impatient() };
    let mut story = Story::with(sticky).agent("ana", 8).agent("ben", 8);
    story.is_served("vera", "ana");
    story.passes(30 * MINUTE, "managers: vera NoAnswer");
}

#[test]
fn b13_refused_because_the_answer_came_it_stays() {
    use yingke_routing::Refusal;
    let mut story = Story::with(impatient()).agent("ana", 8).agent("ben", 8);
    story.is_served("vera", "ana");
    story.passes(3 * MINUTE, "vera from ana to ben NoAnswer");
    let why = Refusal::Overtaken;
    story.after(0, Fact::Refused { conversation: "vera".into(), attempt: 2, why }, "");
    story.after(
        0,
        Fact::AgentWrote { conversation: "vera".into(), agent: "ana".into(), seq: 9 },
        "",
    );
    story.passes(30 * MINUTE, "");
    assert_eq!(story.router.running(&"ben".into()), 0);
}

#[test]
fn d05_b15_a_silent_visitor_is_asked_then_warned_then_the_conversation_ends() {
    let silence =
        Silence { ask_ms: Some(2 * MINUTE), warn_ms: Some(5 * MINUTE), end_ms: Some(MINUTE) };
    let mut story = Story::with(Department { silence, ..calm("sales") }).agent("ana", 8);
    story.is_served("vera", "ana");
    story.passes(60 * MINUTE, "");
    story.agent_writes("ana", "vera", "");
    story.passes(2 * MINUTE, "vera AskVisitor");
    story.passes(3 * MINUTE, "vera WarnVisitor");
    // One word, and the silence begins anew with the next answer.
    story.visitor_writes("vera", "");
    story.passes(60 * MINUTE, "");
    story.agent_writes("ana", "vera", "");
    story.passes(6 * MINUTE, "vera AskVisitor, vera WarnVisitor, vera ends VisitorSilent");
}

/// B14: where opening the window takes a seat it is not kept for ever.
#[test]
fn b15_a_visitor_who_never_said_anything_is_warned_and_the_conversation_ends() {
    use yingke_routing::rules::Demand;
    use yingke_routing::{Asks, Company};
    let silence = Silence { ask_ms: None, warn_ms: Some(5 * MINUTE), end_ms: Some(MINUTE) };
    let no_answer = Some(NoAnswer { after_ms: MINUTE, transfers_max: 3 });
    let department = Department { silence, no_answer, ..calm("sales") };
    let mut story = Story::with(department).agent("ana", 8);
    let mut company = Company::new("sales".into());
    company.seats_for_silent.insert("shop".into());
    story.on(Fact::CompanySet(Box::new(company)), "");
    story.enters("vera", Asks::Demand(Demand::of("sales".into())), false, "vera to ana");
    story.served("vera", "ana", "");
    story.passes(4 * MINUTE, "");
    story.passes(MINUTE, "vera WarnVisitor");
    story.passes(MINUTE, "vera ends VisitorSilent");
}

#[test]
fn d05_nothing_fires_with_the_tick_off() {
    let mut story = Story::new().agent("ana", 8);
    story.is_served("vera", "ana");
    story.agent_writes("ana", "vera", "");
    story.passes(600 * MINUTE, "");
    story.visitor_writes("vera", "");
    story.passes(600 * MINUTE, "");
}

#[test]
fn d05_a_missing_answer_is_explained_once_a_chain() {
    let department = Department { explain_ms: Some(MINUTE), ..calm("sales") };
    let mut story = Story::with(department).agent("ana", 8);
    story.is_served("vera", "ana");
    story.passes(MINUTE, "vera ExplainDelay");
    story.visitor_writes("vera", "");
    story.passes(10 * MINUTE, "");
    story.agent_writes("ana", "vera", "");
    story.visitor_writes("vera", "");
    story.passes(MINUTE, "vera ExplainDelay");
}

#[test]
fn c15_work_after_an_end_keeps_the_place_as_long_as_is_set() {
    let department = Department { wrap_up_ms: MINUTE, ..calm("sales") };
    let mut story = Story::with(department).agent("ana", 1);
    story.is_served("a", "ana");
    story.arrives("b", "b AllFull");
    story.over("a", "");
    story.passes(MINUTE, "b to ana");
    story.done("");
    story.arrives("c", "c AllFull");
    story.over("b", "");
    let done = Fact::WrapUpDone { conversation: "b".into(), agent: "ana".into() };
    story.after(SECOND, done, "c to ana");
}
