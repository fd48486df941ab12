//! Places, expected waits, sorted lists, leave-messages (A30, B09, B10, B16, H03).

use yingke_routing::rules::Demand;
use yingke_routing::{Department, Fact, LineOrder};

use crate::story::{MINUTE, Story, calm, of_class};

#[test]
fn a30_places_are_dense_and_the_expected_wait_follows_the_pace_of_the_line() {
    let mut story = Story::new().agent("ana", 1);
    story.is_served("a0", "ana");
    for nth in 1..=8 {
        story.arrives(&format!("a{nth}"), &format!("a{nth} AllFull"));
    }
    let expected = |story: &Story| {
        let sales = "sales".into();
        story.router.line(&sales).map(|it| (it.place, it.expected_ms)).collect::<Vec<_>>()
    };
    assert_eq!(expected(&story)[0], (1, None));
    // One enters every minute.
    for nth in 0..4 {
        story.over(&format!("a{nth}"), &format!("a{} to ana", nth + 1));
        story.done("");
    }
    assert_eq!(
        expected(&story),
        [(1, Some(MINUTE)), (2, Some(2 * MINUTE)), (3, Some(3 * MINUTE)), (4, Some(4 * MINUTE))]
    );
    assert_eq!(story.router.waiting(), 4);
}

#[test]
fn a30_a_line_that_stands_still_brings_nobody_nearer() {
    let mut story = Story::new().agent("ana", 1);
    story.is_served("a0", "ana");
    for nth in 1..=8 {
        story.arrives(&format!("a{nth}"), &format!("a{nth} AllFull"));
    }
    for nth in 0..4 {
        story.over(&format!("a{nth}"), &format!("a{} to ana", nth + 1));
        story.done("");
    }
    story.passes(30 * MINUTE, "");
    let sales = "sales".into();
    let expected: Vec<_> = story.router.line(&sales).map(|it| it.expected_ms).collect();
    assert_eq!(expected, [Some(0), Some(MINUTE), Some(2 * MINUTE), Some(3 * MINUTE)]);
}

#[test]
fn b16_the_list_is_sorted_by_wait_priority_department_or_place() {
    let support = Department { order: 9, ..calm("support") };
    let mut story = Story::new().department(support);
    story.arrives("a", "a NobodyOnline");
    story.asks("b", Demand::of("support".into()), "b NobodyOnline");
    story.asks("vip", of_class(true, 0), "vip NobodyOnline");
    let sorted = |order| {
        let lines = story.router.lines(order);
        lines.iter().map(|it| it.conversation.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sorted(LineOrder::Wait), ["a", "b", "vip"]);
    assert_eq!(sorted(LineOrder::Priority), ["vip", "b", "a"]);
    assert_eq!(sorted(LineOrder::Department), ["b", "vip", "a"]);
    assert_eq!(sorted(LineOrder::Place), ["b", "vip", "a"]);
}

#[test]
fn h03_with_nobody_there_a_waiting_conversation_becomes_a_leave_message() {
    let department = Department { file_after_ms: Some(10 * MINUTE), ..calm("sales") };
    let mut story = Story::with(department);
    story.arrives("a", "a NobodyOnline");
    story.passes(10 * MINUTE, "a filed");
    story.done("");
}

#[test]
fn h03_who_comes_in_time_is_in_time() {
    let department = Department { file_after_ms: Some(10 * MINUTE), ..calm("sales") };
    let mut story = Story::with(department);
    story.arrives("a", "a NobodyOnline");
    story.passes(9 * MINUTE, "");
    let mut story = { story }.agent("ana", 8);
    story.after(0, Fact::GoOn, "a to ana");
}

#[test]
fn o02_a_department_is_deleted_and_its_line_goes_to_the_default() {
    let mut story = Story::new().department(calm("support")).agent("ana", 8);
    story.asks("a", Demand::of("support".into()), "a NobodyOnline");
    let gone = Fact::DepartmentRemoved { department: "support".into() };
    story.on(gone, "a asks for sales, a to ana");
}

#[test]
fn b03_a_waiting_conversation_is_sent_to_another_department() {
    let mut story = Story::new().department(calm("support")).agent_of("ben", 8, &["support"], &[]);
    story.arrives("a", "a NobodyOnline");
    let demand = Demand::of("support".into());
    let moved = Fact::ConversationRerouted { conversation: "a".into(), demand };
    story.on(moved, "a to ben");
}
