//! Invitations, three-way conversations, taking over (F01-F06).

use yingke_routing::{Availability, Fact, Invitee};

use crate::story::{MINUTE, SECOND, Story, calm};

fn invite(invitation: &str, from: &str, to: Invitee) -> Fact {
    let (conversation, from) = ("vera".into(), from.into());
    Fact::InvitationMade { invitation: invitation.into(), conversation, from, to }
}

fn agent(agent: &str) -> Invitee {
    Invitee::Agent(agent.into())
}

fn served_by_ana() -> Story {
    let mut story = Story::new().department(calm("support")).agent("ana", 8).agent_of(
        "ben",
        1,
        &["support"],
        &[],
    );
    story.is_served("vera", "ana");
    story
}

#[test]
fn f03_an_invitation_nobody_accepts_returns_by_its_timer() {
    let mut story = served_by_ana();
    story.on(invite("i", "ana", agent("ben")), "");
    story.passes(MINUTE - 1, "");
    story.passes(1, "i returns Expired");
    assert_eq!(story.router.holder(&"vera".into()), Some(&"ana".into()));
}

#[test]
fn f03_only_acceptance_makes_a_member() {
    let mut story = served_by_ana();
    story.on(invite("i", "ana", agent("ben")), "");
    assert_eq!(story.router.running(&"ben".into()), 0);
    story.on(Fact::InvitationClosed { invitation: "i".into() }, "");
    story.after(0, Fact::MemberJoined { conversation: "vera".into(), agent: "ben".into() }, "");
    assert_eq!(story.router.running(&"ben".into()), 1);
    story.passes(10 * MINUTE, "");
}

#[test]
fn f01_b11_away_while_a_transfer_to_them_is_pending() {
    let mut story = served_by_ana();
    story.on(invite("i", "ana", agent("ben")), "");
    story.chooses("ben", Availability::Away, "i returns AgentUnavailable");
    assert_eq!(story.router.holder(&"vera".into()), Some(&"ana".into()));
}

#[test]
fn f01_to_a_department_whoever_is_free_is_asked_one_after_the_other() {
    let mut story = served_by_ana().agent_of("cho", 1, &["support"], &[]);
    story.on(invite("i", "ana", Invitee::Department("support".into())), "i asks ben");
    // The place is kept while ben is asked.
    assert_eq!(story.router.running(&"ben".into()), 1);
    let no = Fact::InvitationDeclined { invitation: "i".into(), agent: "ben".into() };
    story.after(SECOND, no.clone(), "i asks cho");
    story.after(SECOND, no, "");
    assert_eq!(story.router.running(&"ben".into()), 0);
    story.passes(MINUTE, "i returns Expired");
}

#[test]
fn f01_a_department_without_a_free_place_returns_at_once() {
    let mut story = served_by_ana();
    story.served("other", "ben", "");
    let to = Invitee::Department("support".into());
    story.on(invite("i", "ana", to), "i returns NobodyFree");
}

#[test]
fn f01_an_accepted_transfer_moves_the_conversation_and_frees_the_place() {
    let mut story = served_by_ana();
    story.on(invite("i", "ana", Invitee::Department("support".into())), "i asks ben");
    story.on(Fact::InvitationClosed { invitation: "i".into() }, "");
    story.served("vera", "ben", "");
    assert_eq!(story.router.running(&"ana".into()), 0);
    assert_eq!(story.router.running(&"ben".into()), 1);
}

/// Whoever comes in unasked while routing decides to ask them was not asked by the store's books: the
/// invitation is still open there, and nobody else would ever end it.
#[test]
fn f05_who_enters_unasked_is_passed_over_and_the_next_is_asked() {
    let mut story = served_by_ana().agent_of("cho", 1, &["support"], &[]);
    story.on(invite("i", "ana", Invitee::Department("support".into())), "i asks ben");
    story.after(
        0,
        Fact::MemberJoined { conversation: "vera".into(), agent: "ben".into() },
        "i asks cho",
    );
    assert_eq!(story.router.running(&"ben".into()), 1);
    story.passes(MINUTE, "i returns Expired");
    assert_eq!(story.router.running(&"cho".into()), 0);
}

#[test]
fn f05_with_nobody_left_to_ask_it_returns() {
    let mut story = served_by_ana();
    story.on(invite("i", "ana", Invitee::Department("support".into())), "i asks ben");
    let joined = Fact::MemberJoined { conversation: "vera".into(), agent: "ben".into() };
    story.after(0, joined, "i returns NobodyFree");
}

#[test]
fn f03_an_invitation_ends_with_the_conversation() {
    let mut story = served_by_ana();
    story.on(invite("i", "ana", agent("ben")), "");
    story.over("vera", "i returns Overtaken");
}

#[test]
fn f04_the_first_agent_leaves_and_the_other_two_stay_together() {
    let mut story = served_by_ana();
    story.on(Fact::MemberJoined { conversation: "vera".into(), agent: "ben".into() }, "");
    // By leaving.
    story.served("vera", "ben", "");
    assert_eq!(story.router.running(&"ana".into()), 0);
    assert_eq!(story.router.running(&"ben".into()), 1);
}

#[test]
fn f04_b11_the_first_agent_is_away_or_lost_and_the_other_goes_on() {
    let mut story = served_by_ana();
    story.on(Fact::MemberJoined { conversation: "vera".into(), agent: "ben".into() }, "");
    story.chooses("ana", Availability::Away, "vera from ana to ben MemberStays");
    story.done("");
    let mut story = served_by_ana();
    story.on(Fact::MemberJoined { conversation: "vera".into(), agent: "ben".into() }, "");
    story.lost("ana", "");
    story.passes(MINUTE, "vera from ana to ben MemberStays");
}

#[test]
fn f06_a_member_who_is_lost_leaves_and_the_conversation_goes_on() {
    let mut story = served_by_ana().agent("cho", 8);
    for member in ["ben", "cho"] {
        let agent = member.into();
        story.on(Fact::MemberJoined { conversation: "vera".into(), agent }, "");
    }
    story.lost("ben", "");
    story.passes(59 * SECOND, "");
    story.passes(SECOND, "vera without ben");
}

#[test]
fn f05_a_manager_takes_over() {
    let mut story = served_by_ana().agent_of("mia", 1, &[], &[]);
    story.served("vera", "mia", "");
    assert_eq!(story.router.holder(&"vera".into()), Some(&"mia".into()));
    assert_eq!(story.router.running(&"ana".into()), 0);
}

#[test]
fn f06_a_member_who_was_back_in_time_and_goes_again_is_taken_out_then() {
    let mut story = Story::new().agent("ana", 8).agent("ben", 1);
    story.is_served("vera", "ana");
    story.after(0, Fact::MemberJoined { conversation: "vera".into(), agent: "ben".into() }, "");
    story.lost("ben", "");
    story.passes(MINUTE, "vera without ben");
    // The store finds Ben connected and leaves him where he is: no news comes of it.
    story.connected("ben", "");
    story.lost("ben", "");
    story.passes(MINUTE, "vera without ben");
    story.done("");
}
