//! A raw staff socket: the protocol without the client core, for what a well-behaved client would
//! never do and for looking at what exactly is delivered.

use anyhow::{Context as _, Result, bail};
use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::{
    SetAvailability, StaffEndConversation, StaffMark, StaffSendMessage, Typing,
};
use yingke_shared::frame::{Outcome, StaffSignal};
use yingke_shared::ids::{AgentId, ConversationId, Seq};
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::views::{Availability, ConversationRecord};

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

    /// 在线 or 忙碌.
    pub async fn set_availability(&self, availability: Availability) -> Result<()> {
        let command = StaffCommand::SetAvailability(SetAvailability { availability });
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
