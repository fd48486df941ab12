//! Every frame a visitor's window gets in a busy story, looked through for what is staff's alone.

use serde_json::{Value, json};
use yingke_shared::views::Role;

use crate::harness::{Client, Relay};

const SECRET: &str = "悄悄话-7f3a";

/// All frames of one socket, as text.
fn frames(client: &Client) -> String {
    let events = Value::from(client.events.clone());
    let signals = Value::from(client.signals.clone());
    let replies: Value = client.replies.values().cloned().collect();
    format!("{} {events} {signals} {replies} {:?}", client.welcome, client.bye)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_frame_to_a_visitor_carries_what_is_staffs_alone() {
    let relay = Relay::start().await;
    let (ana, ben) = (relay.agent("ana", 8).await, relay.agent("ben", 8).await);
    let mia = relay.account("mia", Role::Manager, 8).await;
    let vera = relay.visitor().await;
    let mut desk = relay.online(&ana).await;
    let mut widget = relay.widget(&vera).await;
    let beginning = widget.resume_point();
    widget.say("在吗").await;
    let gained = desk.event("conversation_gained").await;
    let id = gained["record"]["id"].clone();
    let mut colleague = relay.online(&ben).await;
    let mut office = relay.staff(&mia).await;

    let watching = office.command("watch_conversation", json!({"conversation_id": id})).await;
    assert_eq!(office.reply(&watching).await["ok"]["kind"], "watched");
    for client in [&mut desk, &mut office] {
        let note = json!({"conversation_id": id, "text": SECRET});
        let sent = client.command("add_note", note).await;
        client.done(&sent).await;
    }
    office.event("note_added").await;
    let to = json!({"kind": "agent", "agent_id": ben.id});
    let invite =
        json!({"conversation_id": id, "to": to, "kind": "transfer", "note": format!("{SECRET}!")});
    let invitation = desk.command("invite", invite).await;
    desk.done(&invitation).await;
    let offered = colleague.event("invitation_offered").await;
    assert_eq!(offered["incoming"]["invitation"]["id"], invitation);
    let answer = json!({"invitation_id": invitation, "accept": false});
    let answered = colleague.command("answer_invitation", answer).await;
    colleague.done(&answered).await;
    colleague.event("invitation_closed").await;
    let viewing = json!({"conversation_id": id});
    office.command("viewing", viewing.clone()).await;
    desk.command("viewing", viewing).await;
    desk.answer(id.as_str().unwrap(), "您好").await;
    office.message("您好").await;
    let ended = desk.command("end_conversation", json!({"conversation_id": id})).await;
    desk.done(&ended).await;

    widget.message("您好").await;
    widget.until(|it| it.events.iter().find(|it| it["status"]["kind"] == "ended").map(drop)).await;
    // As a whole value: other ids may hold the same letters.
    let invitation = format!("\"{invitation}\"");
    let fresh = relay.widget(&vera).await;
    let mut resumed = relay.widget(&vera).await;
    resumed.hello(&vera.token, beginning).await;
    resumed.message("您好").await;
    resumed.until(|it| (it.position >= fresh.position).then_some(())).await;
    for client in [&widget, &fresh, &resumed] {
        let told = frames(client);
        assert!(told.contains("您好") && told.contains(ana.id.as_str()), "it was a story");
        let secrets = [SECRET, "note", "invit", "watch", "viewing", "colleagues", "floor", "alert"];
        for secret in secrets.into_iter().chain([ben.id.as_str(), mia.id.as_str(), &invitation]) {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
    }
}
