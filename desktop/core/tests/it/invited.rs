//! What became of an invitation is told to who sees its conversation, once.

use yingke_client::bridge::types::UiRequest;
use yingke_shared::events::StaffEventBody;
use yingke_shared::ids::InvitationId;
use yingke_shared::views::{Invitation, InvitationEnd, InvitationKind, InvitationOver, Invitee};

use crate::beyond::ben;
use crate::relay::Relay;
use crate::seat::{Seat, until};

#[tokio::test]
async fn the_end_of_an_invitation_is_told_once() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let data = tempfile::tempdir().unwrap();
    let seat = Seat::signed_in(data.path(), &relay).await;
    seat.connected().await;
    let invitation = Invitation {
        id: InvitationId::new("i1").unwrap(),
        conversation_id: id.clone(),
        from: relay.world().own.id.clone(),
        to: Invitee::Agent { agent_id: ben() },
        kind: InvitationKind::Join,
        note: String::new(),
        offered_to: Some(ben()),
        expires_at: None,
    };
    let over = InvitationOver { invitation, why: InvitationEnd::Declined };
    relay.world().announce(StaffEventBody::InvitationsChanged {
        conversation_id: id.clone(),
        invitations: Vec::new(),
        over: Some(Box::new(over.clone())),
    });
    until("the end is told", || seat.view().over == [over.clone()]).await;
    relay.cut();
    seat.connected().await;
    relay.visitor_writes(&id, "two");
    until("the link is made again", || seat.row(&id).is_some_and(|row| row.unread == 2)).await;
    seat.ask(UiRequest::GetState {}).await.unwrap();
    assert_eq!(seat.view().over.len(), 1);
}
