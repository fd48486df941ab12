//! A raw staff socket: the protocol without the client core, for what a well-behaved client would
//! never do and for looking at what exactly is delivered.

use anyhow::{Context as _, Result, bail};
use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::{
    AnswerInvitation, Invite, SetAvailability, StaffEndConversation, StaffMark, StaffSendMessage,
    Typing, WatchFloor,
};
use yingke_shared::error_code::WireError;
use yingke_shared::frame::{Outcome, StaffSignal};
use yingke_shared::ids::{AgentId, ConversationId, InvitationId, Seq};
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::views::{Availability, ConversationRecord, Floor, InvitationKind, Invitee};

use crate::http::{Account, Address};
use crate::link::{Bookmark, Held, Link, Staff};

/// A signed-in member of staff with one socket.
pub struct StaffSocket {
    /// Who.
    pub id: AgentId,
    /// The session's secret.
    pub token: String,
    /// The socket.
    pub link: Link<Staff>,
    address: Address,
}

impl StaffSocket {
    /// Signs in and connects.
    pub async fn sign_in(address: &Address, account: &Account) -> Result<Self> {
        let signed_in = address.sign_in(&account.account, &account.password).await?;
        Self::connect(address, &signed_in.own.id, &signed_in.token).await
    }

    /// Another socket of a session.
    pub async fn connect(address: &Address, id: &AgentId, token: &str) -> Result<Self> {
        let link = Link::open(address, token, None).await?;
        Ok(Self { id: id.clone(), token: token.to_owned(), link, address: address.clone() })
    }

    /// The same session on a new socket, going on where the old one was.
    pub async fn resume(&mut self) -> Result<()> {
        let bookmark: Bookmark<Staff> = self.link.bookmark();
        self.link = Link::open(&self.address, &self.token, Some(bookmark)).await?;
        Ok(())
    }

    /// What a reader who comes fresh sees.
    pub async fn fresh_snapshot(&self) -> Result<StaffSnapshot> {
        let link: Link<Staff> = Link::open(&self.address, &self.token, None).await?;
        Ok(link.snapshot())
    }

    /// Sends a message; gives its number.
    pub async fn say(&self, conversation: &ConversationId, text: &str) -> Result<Seq> {
        self.address.said.note(text);
        let command = StaffCommand::StaffSendMessage(StaffSendMessage {
            conversation_id: conversation.clone(),
            text: text.to_owned(),
        });
        match self.link.must(&command).await? {
            Outcome::Accepted { seq, .. } => Ok(seq),
            other => bail!("a message is accepted, not {other:?}"),
        }
    }

    /// Carries a command out that must be.
    pub async fn must(&self, command: StaffCommand) -> Result<Outcome> {
        self.link.must(&command).await
    }

    /// Asks a colleague to take over or to join; gives the invitation's id.
    pub async fn invite(
        &self,
        conversation: &ConversationId,
        to: Invitee,
        kind: InvitationKind,
        note: &str,
    ) -> Result<Result<InvitationId, WireError>> {
        self.address.said.note(note);
        let id = crate::link::new_id();
        let command = StaffCommand::Invite(Invite {
            conversation_id: conversation.clone(),
            to,
            kind,
            note: note.to_owned(),
        });
        let answer = self.link.ask_as(&id, &command).await?;
        let id = InvitationId::new(id.as_str())?;
        Ok(answer.map(|_| id))
    }

    /// Waits until the invitation is offered to this agent.
    pub async fn until_invited(&self, id: &InvitationId) -> Result<()> {
        self.link
            .until("the invitation is offered", |held| {
                held.snapshot.invitations.contains_key(id).then_some(())
            })
            .await
    }

    /// Answers an invitation; gives the relay's refusal, if it refuses.
    pub async fn answer(&self, id: &InvitationId, accept: bool) -> Result<Result<(), WireError>> {
        let command =
            StaffCommand::AnswerInvitation(AnswerInvitation { invitation_id: id.clone(), accept });
        Ok(self.link.ask(&command).await?.map(drop))
    }

    /// 离开, handing the running conversations over or ending them (B11).
    pub async fn go_away(&self, hand_over: bool) -> Result<()> {
        let availability = Availability::Away;
        let command = StaffCommand::SetAvailability(SetAvailability { availability, hand_over });
        self.must(command).await.map(drop)
    }

    /// From now on the floor comes.
    pub async fn watch_floor(&self) -> Result<()> {
        self.must(StaffCommand::WatchFloor(WatchFloor { on: true })).await.map(drop)
    }

    /// Waits until the floor shows the agent's client as connected, or not.
    pub async fn until_connected(&self, agent: &AgentId, connected: bool) -> Result<()> {
        let is_so = |floor: &Floor| {
            floor.agents.iter().any(|one| one.agent_id == *agent && one.connected == connected)
        };
        self.until_floor("the agent's client", is_so).await.map(drop)
    }

    /// The floor as it came last.
    #[must_use]
    pub fn floor(&self) -> Option<Floor> {
        self.link.look(newest_floor)
    }

    /// Waits until the newest floor is as wanted.
    pub async fn until_floor(&self, what: &str, wanted: impl Fn(&Floor) -> bool) -> Result<Floor> {
        self.link.until(what, |held| newest_floor(held).filter(|floor| wanted(floor))).await
    }

    /// 在线 or 忙碌.
    pub async fn set_availability(&self, availability: Availability) -> Result<()> {
        let command =
            StaffCommand::SetAvailability(SetAvailability { availability, hand_over: false });
        self.link.must(&command).await.map(drop)
    }

    /// Ends a conversation.
    pub async fn end(&self, conversation: &ConversationId) -> Result<()> {
        let command = StaffCommand::StaffEndConversation(StaffEndConversation {
            conversation_id: conversation.clone(),
        });
        self.link.must(&command).await.map(drop)
    }

    /// "Stored and viewed up to here."
    pub async fn mark(&self, conversation: &ConversationId, seq: Seq) -> Result<()> {
        let command = StaffCommand::StaffMark(StaffMark {
            conversation_id: conversation.clone(),
            delivered: seq,
            read: seq,
        });
        self.link.must(&command).await.map(drop)
    }

    /// "I am typing."
    pub async fn typing(&self, conversation: &ConversationId) -> Result<()> {
        let command = StaffCommand::Typing(Typing { conversation_id: conversation.clone() });
        self.link.send(&crate::link::new_id(), &command).await
    }

    /// The record of a conversation, if it is held.
    #[must_use]
    pub fn record(&self, conversation: &ConversationId) -> Option<ConversationRecord> {
        self.link.look(|held| held.snapshot.conversations.get(conversation).cloned())
    }

    /// Waits until a record is as wanted.
    pub async fn until_record(
        &self,
        what: &str,
        conversation: &ConversationId,
        wanted: impl Fn(&ConversationRecord) -> bool,
    ) -> Result<ConversationRecord> {
        self.link
            .until(what, |held| {
                held.snapshot.conversations.get(conversation).filter(|r| wanted(r)).cloned()
            })
            .await
    }

    /// Waits until a conversation is held.
    pub async fn until_gained(&self, conversation: &ConversationId) -> Result<ConversationRecord> {
        self.until_record("the conversation is gained", conversation, |_| true).await
    }

    /// Waits until a conversation is no longer held.
    pub async fn until_gone(&self, conversation: &ConversationId) -> Result<()> {
        let is_gone = |held: &Held<Staff>| {
            (!held.snapshot.conversations.contains_key(conversation)).then_some(())
        };
        self.link.until("the conversation has left the list", is_gone).await
    }

    /// Waits until exactly these many conversations are held; gives their ids.
    pub async fn until_holding(&self, count: usize) -> Result<Vec<ConversationId>> {
        self.link
            .until("so many conversations are held", |held| {
                let all = &held.snapshot.conversations;
                (all.len() == count).then(|| all.keys().cloned().collect())
            })
            .await
    }

    /// The newest preview of a conversation.
    #[must_use]
    pub fn preview(&self, conversation: &ConversationId) -> Option<String> {
        self.link.look(|held| newest_preview(held, conversation))
    }

    /// Waits until the newest preview is this.
    pub async fn until_preview(&self, conversation: &ConversationId, text: &str) -> Result<()> {
        self.link
            .until("the preview", |held| {
                (newest_preview(held, conversation)? == text).then_some(())
            })
            .await
    }

    /// The whole history of a conversation by REST.
    pub async fn history(
        &self,
        conversation: &ConversationId,
    ) -> Result<Vec<yingke_shared::views::Message>> {
        self.address.history(&self.token, conversation).await.context("history")
    }
}

fn newest_preview(held: &Held<Staff>, conversation: &ConversationId) -> Option<String> {
    held.signals.iter().rev().find_map(|signal| match signal {
        StaffSignal::Preview { conversation_id, text } if conversation_id == conversation => {
            Some(text.clone())
        }
        _ => None,
    })
}

fn newest_floor(held: &Held<Staff>) -> Option<Floor> {
    held.signals.iter().rev().find_map(|signal| match signal {
        StaffSignal::Floor { floor } => Some(floor.clone()),
        _ => None,
    })
}
