//! A scripted visitor: the widget's half of the protocol with the widget's outbox rule (the same id
//! until there is an answer, across reconnects) and its page, without a browser.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use reqwest::Method;
use yingke_shared::commands::VisitorCommand;
use yingke_shared::commands::visitor::{
    BeginConversation, LeaveMessage, LeaveQueue, LoadHistory, PageContext, Preview, VisitorAsks,
    VisitorEndConversation, VisitorMark, VisitorSendMessage,
};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::frame::{Outcome, VisitorSignal};
use yingke_shared::ids::{ClientId, ConversationId, Seq, SiteId, VisitorId};
use yingke_shared::rest::{EnterAsVisitor, VisitorEntered};
use yingke_shared::snapshot::VisitorSnapshot;
use yingke_shared::views::{
    HistoryCursor, VisitorConversation, VisitorMessage, VisitorStatus, WaitingReason,
};

use crate::chance::Chance;
use crate::http::Address;
use crate::link::{Bookmark, Link, NoLink, Visitor, new_id};
use crate::told::Told;
use crate::wait;

/// A visitor with a token and, most of the time, a socket.
pub struct TestVisitor {
    /// Who.
    pub id: VisitorId,
    /// The visitor's secret.
    pub token: String,
    /// The site they are on.
    pub site: SiteId,
    address: Address,
    link: Option<Link<Visitor>>,
    /// What the page was told over sockets that are gone, and by the snapshot of this one.
    told: Told,
    /// The conversations in which something of this visitor was acknowledged.
    acked_in: Mutex<BTreeSet<ConversationId>>,
}

/// The relay said what it must not say: no trouble of a network's.
#[derive(Debug)]
struct Violation(String);

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Violation {}

/// Where a message was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Under which id it was sent.
    pub client_id: ClientId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// Under which number.
    pub seq: Seq,
}

impl TestVisitor {
    /// Comes to the site for the first time and connects.
    pub async fn enter(address: &Address, site: &SiteId) -> Result<Self> {
        let mut visitor = Self::enter_unconnected(address, site, None).await?;
        visitor.connect().await?;
        Ok(visitor)
    }

    /// Comes to the site, with a return ticket if there is one, without a socket.
    pub async fn enter_unconnected(
        address: &Address,
        site: &SiteId,
        ticket: Option<String>,
    ) -> Result<Self> {
        let path = format!("/w/{site}/visitor");
        let body = EnterAsVisitor { ticket };
        let entered: VisitorEntered = loop {
            match address.ask(Method::POST, &path, None, Some(&body)).await? {
                Ok(entered) => break entered,
                Err(refused) if refused.error.code.can_retry() => {
                    pause(&refused.error).await;
                }
                Err(refused) => bail!("cannot enter: {refused:?}"),
            }
        };
        address.said.note(&entered.token);
        Ok(Self {
            id: entered.visitor_id,
            token: entered.token,
            site: site.clone(),
            address: address.clone(),
            link: None,
            told: Told::default(),
            acked_in: Mutex::default(),
        })
    }

    /// Connects afresh, by a snapshot: a new page.
    pub async fn connect(&mut self) -> Result<()> {
        self.leave();
        self.told.check()?;
        self.told = Told::default();
        self.take_up(Link::open(&self.address, &self.token, None).await?);
        Ok(())
    }

    /// Connects again, going on where the page is.
    pub async fn resume(&mut self) -> Result<()> {
        self.leave();
        self.told.check()?;
        let place = self.told.place().context("never connected")?;
        self.take_up(Link::open(&self.address, &self.token, Some(place)).await?);
        Ok(())
    }

    fn take_up(&mut self, link: Link<Visitor>) {
        self.told.begin(&link);
        self.link = Some(link);
    }

    /// From now on reaches the relay by this address: the same relay, another way.
    pub fn go_by(&mut self, address: &Address) {
        self.address = address.clone();
    }

    /// Lets go of the socket and resumes until the relay welcomes, with a widget's first waits.
    pub async fn resume_surely(&mut self, chance: &mut Chance) -> Result<()> {
        self.leave();
        self.told.check()?;
        let place = self.told.place().context("never connected")?;
        let end = tokio::time::Instant::now() + wait::LIMIT;
        loop {
            wait::pass(Duration::from_millis(chance.below(500))).await;
            match Link::open(&self.address, &self.token, Some(place.clone())).await {
                Ok(link) => {
                    self.take_up(link);
                    return Ok(());
                }
                Err(NoLink::Refused(error)) if !error.code.can_retry() => {
                    bail!("the relay does not know its visitor any more: {error:?}")
                }
                Err(no) if tokio::time::Instant::now() > end => return Err(no.into()),
                Err(_) => {}
            }
        }
    }

    /// Comes back as a page that was there once.
    pub async fn resume_at(&mut self, bookmark: Bookmark<Visitor>) -> Result<()> {
        self.leave();
        self.told.check()?;
        self.told = Told::with_earlier();
        self.take_up(Link::open(&self.address, &self.token, Some(bookmark)).await?);
        Ok(())
    }

    /// Loses the socket; the page may go on where it is.
    pub fn leave(&mut self) {
        if let Some(link) = self.link.take() {
            self.told.end(&link);
        }
    }

    /// The socket.
    pub fn link(&self) -> Result<&Link<Visitor>> {
        self.link.as_ref().context("the visitor is not connected")
    }

    /// What a reader who comes fresh sees.
    pub async fn fresh_snapshot(&self) -> Result<VisitorSnapshot> {
        let link: Link<Visitor> = Link::open(&self.address, &self.token, None).await?;
        Ok(link.snapshot())
    }

    /// A message as the widget would send it.
    #[must_use]
    pub fn message(text: &str) -> VisitorCommand {
        VisitorCommand::VisitorSendMessage(VisitorSendMessage {
            text: text.to_owned(),
            page: PageContext {
                url: "http://shop.localhost/tea".to_owned(),
                title: "Tea".to_owned(),
            },
            locale: "zh-CN".to_owned(),
            asks: VisitorAsks::default(),
        })
    }

    /// Sends once under a given id; gives the relay's answer.
    pub async fn say_as(&self, id: &ClientId, text: &str) -> Result<Result<Accepted, WireError>> {
        self.address.said.note(text);
        match self.link()?.ask_as(id, &Self::message(text)).await? {
            Ok(Outcome::Accepted { conversation_id, seq, .. }) => {
                self.acked_in.lock().unwrap().insert(conversation_id.clone());
                Ok(Ok(Accepted { client_id: id.clone(), conversation: conversation_id, seq }))
            }
            Ok(other) => bail!(Violation(format!("a message is accepted, not {other:?}"))),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Sends a message that must be accepted.
    pub async fn say(&self, text: &str) -> Result<Accepted> {
        let id = new_id();
        loop {
            match self.say_as(&id, text).await? {
                Ok(accepted) => return Ok(accepted),
                Err(error) if error.code == ErrorCode::TooFast => pause(&error).await,
                Err(error) => bail!("refused: {error:?}"),
            }
        }
    }

    /// As the outbox does it: the same id again and again, over new sockets of the same page if need
    /// be, until the relay has answered. Only refusals that no retry can change come back as such. A
    /// relay that breaks the protocol is no network that is bad: it ends the story.
    pub async fn say_surely(
        &mut self,
        id: &ClientId,
        text: &str,
    ) -> Result<Result<Accepted, WireError>> {
        let trying = async {
            loop {
                if self.link.is_none() {
                    match Link::open(&self.address, &self.token, self.told.place()).await {
                        Ok(link) => self.take_up(link),
                        Err(NoLink::Refused(error)) if !error.code.can_retry() => {
                            return Ok(Err(error));
                        }
                        Err(_) => {
                            wait::pass(Duration::from_millis(20)).await;
                            continue;
                        }
                    }
                }
                match self.say_as(id, text).await {
                    Ok(Ok(accepted)) => return Ok(Ok(accepted)),
                    Ok(Err(error)) if error.code.can_retry() => pause(&error).await,
                    Ok(Err(error)) => return Ok(Err(error)),
                    Err(error) if error.is::<Violation>() => return Err(error),
                    Err(_) => {
                        self.leave();
                        self.told.check()?;
                    }
                }
            }
        };
        match tokio::time::timeout(3 * wait::LIMIT, trying).await {
            Ok(answer) => answer,
            Err(_) => Err(anyhow!("no answer to a message for {:?}", 3 * wait::LIMIT)),
        }
    }

    /// Shows what is being typed.
    pub async fn preview(&self, text: &str) -> Result<()> {
        self.address.said.note(text);
        let command = VisitorCommand::Preview(Preview { text: text.to_owned() });
        self.link()?.send(&new_id(), &command).await
    }

    /// "Stored and viewed up to here."
    pub async fn mark(&self, conversation: &ConversationId, seq: Seq) -> Result<()> {
        let command = VisitorCommand::VisitorMark(VisitorMark {
            conversation_id: conversation.clone(),
            delivered: seq,
            read: seq,
        });
        self.link()?.must(&command).await.map(drop)
    }

    /// Ends the open conversation.
    pub async fn end(&self) -> Result<()> {
        let command = VisitorCommand::VisitorEndConversation(VisitorEndConversation {});
        self.link()?.must(&command).await.map(drop)
    }

    /// The newest conversation as held.
    pub fn conversation(&self) -> Result<Option<VisitorConversation>> {
        Ok(self.link()?.look(|held| held.snapshot.conversation.clone()))
    }

    /// Waits until the conversation stands as wanted.
    pub async fn until_status(
        &self,
        what: &str,
        wanted: impl Fn(&VisitorStatus) -> bool,
    ) -> Result<VisitorConversation> {
        self.link()?
            .until(what, |held| held.snapshot.conversation.clone().filter(|c| wanted(&c.status)))
            .await
    }

    /// Waits until some agent serves.
    pub async fn until_served(&self) -> Result<VisitorConversation> {
        self.until_status("an agent serves", |s| matches!(s, VisitorStatus::Serving { .. })).await
    }

    /// Waits until the conversation waits for this reason.
    pub async fn until_waiting(&self, reason: WaitingReason) -> Result<VisitorConversation> {
        let wanted = VisitorStatus::Waiting { reason };
        self.until_status("the visitor is told why to wait", |s| *s == wanted).await
    }

    /// Waits until a text has come.
    pub async fn until_text(&self, text: &str) -> Result<VisitorMessage> {
        self.link()?
            .until("the visitor has the text", |held| {
                held.snapshot.messages.iter().find(|m| text_of(m) == Some(text)).cloned()
            })
            .await
    }

    /// Waits for "the agent is typing".
    pub async fn until_agent_types(&self, conversation: &ConversationId) -> Result<()> {
        self.link()?
            .until("the agent is seen typing", |held| {
                held.signals.iter().find_map(|signal| match signal {
                    VisitorSignal::AgentTyping { conversation_id } => {
                        (conversation_id == conversation).then_some(())
                    }
                    VisitorSignal::Place { .. } => None,
                })
            })
            .await
    }

    /// Waits until the visitor is told this place in line.
    pub async fn until_place(&self, wanted: u32) -> Result<()> {
        self.link()?
            .until("the visitor is told the place in line", |held| {
                let newest = held.signals.iter().rev().find_map(|signal| match signal {
                    VisitorSignal::Place { place, .. } => Some(*place),
                    VisitorSignal::AgentTyping { .. } => None,
                });
                (newest == Some(wanted)).then_some(())
            })
            .await
    }

    /// Opens the window, where that begins a conversation (B14).
    pub async fn open_window(&self) -> Result<()> {
        let command = VisitorCommand::BeginConversation(BeginConversation {
            page: PageContext::default(),
            locale: "zh-CN".to_owned(),
        });
        self.link()?.must(&command).await.map(drop)
    }

    /// Leaves the line; gives the relay's refusal, if it refuses.
    pub async fn leave_queue(&self) -> Result<Result<(), WireError>> {
        let answer = self.link()?.ask(&VisitorCommand::LeaveQueue(LeaveQueue {})).await?;
        Ok(answer.map(drop))
    }

    /// Leaves a message under a given id; gives the relay's answer.
    pub async fn leave_message(
        &self,
        id: &ClientId,
        contact: &str,
        text: &str,
    ) -> Result<Result<(), WireError>> {
        self.address.said.note(text);
        self.address.said.note(contact);
        let command = VisitorCommand::LeaveMessage(LeaveMessage {
            name: String::new(),
            contact: contact.to_owned(),
            text: text.to_owned(),
            page: PageContext::default(),
            locale: "zh-CN".to_owned(),
        });
        Ok(self.link()?.ask_as(id, &command).await?.map(drop))
    }

    /// The conversations in which something of this visitor was acknowledged.
    #[must_use]
    pub fn acked_in(&self) -> BTreeSet<ConversationId> {
        self.acked_in.lock().unwrap().clone()
    }

    /// What the page was told, raw: over all its sockets, in the order in which it was told, nothing
    /// skipped, nothing sorted. What stands before its first snapshot is loaded, as for who scrolls up.
    /// Waits until nothing is on its way any more; a socket that is gone or never was is had.
    pub async fn page(&mut self) -> Result<Vec<VisitorMessage>> {
        let fresh: Link<Visitor> = Link::open(&self.address, &self.token, None).await?;
        let newest = fresh.snapshot().conversation.map(|conversation| conversation.rev);
        loop {
            if self.link.is_none() && self.told.place().is_none() {
                self.connect().await?;
            } else if self.link.as_ref().is_none_or(Link::is_closed) {
                self.resume().await?;
            }
            let link = self.link()?;
            let wanted = |position| newest.is_none_or(|newest| position >= newest);
            let told = link
                .until("the page is told everything", |held| wanted(held.position).then_some(()));
            match told.await {
                Ok(()) => break,
                Err(_) if link.is_closed() => {}
                Err(error) => {
                    self.leave();
                    self.told.check()?;
                    return Err(error);
                }
            }
        }
        let mut all = self.told.messages(self.link()?);
        if self.told.has_earlier {
            let earlier = self.history_before(all.first()).await?;
            all.splice(0..0, earlier);
        }
        Ok(all)
    }

    /// The whole history over the socket, oldest first.
    pub async fn history(&self) -> Result<Vec<VisitorMessage>> {
        self.history_before(None).await
    }

    async fn history_before(&self, first: Option<&VisitorMessage>) -> Result<Vec<VisitorMessage>> {
        let mut all: Vec<VisitorMessage> = Vec::new();
        loop {
            let before = all.first().or(first).map(|oldest| HistoryCursor {
                conversation_id: oldest.conversation_id.clone(),
                seq: oldest.seq,
            });
            let command = VisitorCommand::LoadHistory(LoadHistory { before, limit: 100 });
            let Outcome::History { page } = self.link()?.must(&command).await? else {
                bail!("load_history gives history");
            };
            let earlier = page.has_earlier;
            all.splice(0..0, page.messages);
            if !earlier {
                return Ok(all);
            }
        }
    }
}

/// The text of a message, if it is not a notice.
#[must_use]
pub fn text_of(message: &VisitorMessage) -> Option<&str> {
    match &message.content {
        yingke_shared::views::VisitorContent::Text { text } => Some(text),
        yingke_shared::views::VisitorContent::Notice { .. }
        | yingke_shared::views::VisitorContent::Unknown => None,
    }
}

async fn pause(error: &WireError) {
    wait::pass(Duration::from_millis(u64::from(error.retry_after_ms.unwrap_or(50)).min(2_000)))
        .await;
}
