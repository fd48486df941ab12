//! A visitor by the rules of docs/PROTOCOL.md, as the widget follows them: one message in flight,
//! the same id until there is an answer, a place to resume from, a limit on silence, everything
//! acknowledged offered again when the relay's history is another.
//!
//! A pure machine like the widget's own; the simulation carries out what it wants. A second tab is
//! another machine of the same visitor: it has its own unsent messages and the first one's token.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::commands::VisitorCommand;
use yingke_shared::commands::visitor::{
    LeaveMessage, LeaveQueue, PageContext, Preview, VisitorAsks, VisitorEndConversation,
    VisitorMark, VisitorSendMessage,
};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::events::VisitorEvent;
use yingke_shared::frame::{Delivery, Hello, Outcome, Reply, ResumePoint, Start, VisitorFrame};
use yingke_shared::ids::{ClientId, ConversationId, Epoch, Seq, VisitorId};
use yingke_shared::limits::HEARTBEAT_MS;
use yingke_shared::rest::VisitorEntered;
use yingke_shared::snapshot::VisitorSnapshot;

use super::lies::Trick;
use super::world::Fate;

const BACK_OFF_MS: u64 = 500;
const BACK_OFF_MS_MAX: u64 = 30_000;
const CONNECT_MS_MAX: u64 = 15_000;
const ANSWER_MS_MAX: u64 = 15_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No page is open, or it has not asked to enter yet.
    Away,
    Entering,
    Connecting {
        since: u64,
    },
    Greeting {
        since: u64,
    },
    Live {
        heard: u64,
    },
    Waiting {
        until: u64,
    },
}

/// Something the shell of the widget would do.
#[derive(Debug)]
pub(crate) enum Want {
    Enter,
    Dial,
    Send(String),
    HangUp,
}

/// Something a person wrote.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) client_id: ClientId,
    pub(crate) text: String,
    /// To be read later, not a message of a talk.
    pub(crate) leaves: bool,
}

/// What the relay has not answered for good.
#[derive(Debug, Clone)]
struct Unsent {
    written: Written,
    not_before: u64,
}

/// What the page's storage keeps over reloads: who, and what is unsent.
pub(crate) struct Visitor {
    /// The tab that has the visitor's token, if it is not this one.
    pub(crate) tab_of: Option<usize>,
    /// Who it was and is: a relay that does not know the token makes somebody new of it.
    pub(crate) ids: Vec<VisitorId>,
    token: Option<String>,
    outbox: VecDeque<Unsent>,
    /// Everything ever written, in order.
    pub(crate) written: Vec<Written>,
    pub(crate) acked: BTreeMap<ClientId, (ConversationId, Seq)>,
    /// Leave-messages that were acknowledged.
    pub(crate) left: BTreeSet<ClientId>,
    pub(crate) refused: BTreeSet<ClientId>,
    /// The relay's history of what was acknowledged.
    epoch: Option<Epoch>,
    phase: Phase,
    tries: u32,
    pub(crate) held: Option<VisitorSnapshot>,
    place: Option<ResumePoint>,
    /// The newest number that was looked at, with its conversation.
    viewed: Option<(ConversationId, Seq)>,
    /// As last said and answered.
    marked: Option<(ConversationId, Seq, Seq)>,
    /// Commands on their way and since when.
    under_way: BTreeMap<ClientId, (Asked, u64)>,
    /// What it does wrong, to see that it is noticed.
    pub(super) trick: Option<Trick>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Send,
    Mark(ConversationId, Seq, Seq),
    /// The end, or out of the line.
    End,
}

impl Visitor {
    pub(crate) fn new(tab_of: Option<usize>) -> Self {
        Self {
            tab_of,
            ids: Vec::new(),
            token: None,
            outbox: VecDeque::new(),
            written: Vec::new(),
            acked: BTreeMap::new(),
            left: BTreeSet::new(),
            refused: BTreeSet::new(),
            epoch: None,
            phase: Phase::Away,
            tries: 0,
            held: None,
            place: None,
            viewed: None,
            marked: None,
            under_way: BTreeMap::new(),
            trick: None,
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live { .. })
    }

    pub(crate) fn is_away(&self) -> bool {
        self.phase == Phase::Away
    }

    pub(crate) fn unsent(&self) -> usize {
        self.outbox.len()
    }

    /// Who it is now.
    pub(crate) fn id(&self) -> Option<&VisitorId> {
        self.ids.last()
    }

    /// What the browser keeps for all tabs.
    pub(crate) fn shared(&self) -> Option<(VisitorId, String)> {
        Some((self.id()?.clone(), self.token.clone()?))
    }

    /// Another tab's token is this one's.
    pub(crate) fn adopt(&mut self, (id, token): (VisitorId, String)) {
        if self.id() != Some(&id) {
            self.ids.push(id);
        }
        self.token = Some(token);
    }

    /// The page opens.
    pub(crate) fn open(&mut self, fate: &Fate) -> Vec<Want> {
        if self.token.is_some() {
            return self.dial(fate.now());
        }
        if self.tab_of.is_some() {
            return self.wait(fate, 0);
        }
        self.phase = Phase::Entering;
        vec![Want::Enter]
    }

    /// The page is closed or reloaded: only its storage stays.
    pub(crate) fn close(&mut self) {
        self.phase = Phase::Away;
        self.held = None;
        self.place = None;
        self.viewed = None;
        self.lost();
    }

    fn lost(&mut self) {
        self.under_way.clear();
        self.marked = None;
    }

    fn dial(&mut self, now: u64) -> Vec<Want> {
        self.phase = Phase::Connecting { since: now };
        vec![Want::Dial]
    }

    pub(crate) fn entered(
        &mut self,
        fate: &Fate,
        result: Result<VisitorEntered, ErrorCode>,
    ) -> Vec<Want> {
        if self.phase != Phase::Entering {
            return Vec::new();
        }
        match result {
            Ok(entered) => {
                self.adopt((entered.visitor_id, entered.token));
                self.dial(fate.now())
            }
            Err(_) => self.wait(fate, 0),
        }
    }

    fn wait(&mut self, fate: &Fate, at_least: u64) -> Vec<Want> {
        let most = (BACK_OFF_MS << self.tries.min(10)).min(BACK_OFF_MS_MAX);
        self.tries += 1;
        let wait = at_least.max(fate.between(0, most));
        self.phase = Phase::Waiting { until: fate.now() + wait };
        self.lost();
        vec![Want::HangUp]
    }

    pub(crate) fn opened(&mut self, fate: &Fate) -> Vec<Want> {
        if !matches!(self.phase, Phase::Connecting { .. }) {
            return Vec::new();
        }
        self.phase = Phase::Greeting { since: fate.now() };
        let token = self.token.clone().unwrap_or_default();
        let resume = self.place.clone();
        let hello = Hello { version: PROTOCOL_VERSION, token, resume };
        vec![Want::Send(frame(&new_id(fate), &VisitorCommand::Hello(hello)))]
    }

    pub(crate) fn closed(&mut self, fate: &Fate) -> Vec<Want> {
        match self.phase {
            Phase::Connecting { .. } | Phase::Greeting { .. } | Phase::Live { .. } => {
                self.wait(fate, 0)
            }
            _ => Vec::new(),
        }
    }

    /// A frame came. An error says how the relay broke the protocol.
    pub(crate) fn heard(&mut self, fate: &Fate, text: &str) -> Result<Vec<Want>, String> {
        if !matches!(self.phase, Phase::Greeting { .. } | Phase::Live { .. }) {
            return Ok(Vec::new());
        }
        if let Phase::Live { heard } = &mut self.phase {
            *heard = fate.now();
        }
        let read = serde_json::from_str(text).map_err(|error| format!("{error} in {text}"))?;
        match read {
            VisitorFrame::Welcome(welcome) => {
                self.phase = Phase::Live { heard: fate.now() };
                self.tries = 0;
                let before = self.epoch.replace(welcome.epoch.clone());
                if before.is_some_and(|before| before != welcome.epoch) {
                    self.offer_again();
                }
                match welcome.start {
                    Start::Resumed { position } => {
                        let held = self.place.as_ref().map(|place| place.position);
                        if held != Some(position) {
                            return Err(format!("resumed at {position}, held {held:?}"));
                        }
                    }
                    Start::Snapshot { position, snapshot } => {
                        self.held = Some(*snapshot);
                        self.place = Some(ResumePoint { epoch: welcome.epoch, position });
                    }
                }
                Ok(self.go_on(fate))
            }
            VisitorFrame::Reply(reply) => Ok(self.answered(fate, &reply)),
            VisitorFrame::Delivery(delivery) => {
                self.deliver(&delivery)?;
                Ok(self.go_on(fate))
            }
            VisitorFrame::Signal { .. } => Ok(Vec::new()),
            VisitorFrame::Bye(bye) => Ok(self.bye(fate, bye.error)),
        }
    }

    /// Whatever was acknowledged goes again before what was not, as it was written.
    fn offer_again(&mut self) {
        if self.trick == Some(Trick::NothingAgain) {
            return;
        }
        let (acked, left) = (std::mem::take(&mut self.acked), std::mem::take(&mut self.left));
        let unsent = std::mem::take(&mut self.outbox);
        let is_open = |written: &Written| {
            let id = &written.client_id;
            acked.contains_key(id)
                || left.contains(id)
                || unsent.iter().any(|unsent| unsent.written.client_id == *id)
        };
        let again = self.written.iter().filter(|written| is_open(written));
        self.outbox = again.map(|it| Unsent { written: it.clone(), not_before: 0 }).collect();
    }

    fn deliver(&mut self, delivery: &Delivery<VisitorEvent>) -> Result<(), String> {
        let (Some(held), Some(place)) = (&mut self.held, &mut self.place) else {
            return Err("a delivery before a snapshot".to_owned());
        };
        if delivery.after != place.position {
            return Err(format!("after {}, held {}", delivery.after, place.position));
        }
        delivery.events.iter().for_each(|event| held.apply(event));
        place.position = delivery.upto;
        Ok(())
    }

    fn bye(&mut self, fate: &Fate, error: WireError) -> Vec<Want> {
        if error.code == ErrorCode::Unauthenticated {
            self.token = None;
        }
        self.wait(fate, u64::from(error.retry_after_ms.unwrap_or(0)))
    }

    fn answered(&mut self, fate: &Fate, reply: &Reply) -> Vec<Want> {
        let Some((asked, _)) = self.under_way.remove(&reply.id) else { return Vec::new() };
        match (asked, &reply.ok, reply.error) {
            (Asked::Send, Some(Outcome::Accepted { conversation_id, seq, .. }), _) => {
                self.acked.insert(reply.id.clone(), (conversation_id.clone(), *seq));
                self.outbox.retain(|unsent| unsent.written.client_id != reply.id);
            }
            (Asked::Send, Some(Outcome::Done {}), _) => {
                self.left.insert(reply.id.clone());
                self.outbox.retain(|unsent| unsent.written.client_id != reply.id);
            }
            (Asked::Send, _, Some(error)) if error.code.can_retry() => {
                let wait = u64::from(error.retry_after_ms.unwrap_or(1_000));
                if let Some(unsent) = self.outbox.front_mut() {
                    unsent.not_before = fate.now() + wait;
                }
            }
            (Asked::Send, ..) => {
                self.refused.insert(reply.id.clone());
                self.outbox.retain(|unsent| unsent.written.client_id != reply.id);
            }
            (Asked::Mark(conversation_id, delivered, read), Some(_), _) => {
                self.marked = Some((conversation_id, delivered, read));
            }
            (Asked::Mark(..) | Asked::End, ..) => {}
        }
        self.go_on(fate)
    }

    /// A person writes, or leaves a message.
    pub(crate) fn write(&mut self, fate: &Fate, text: String, leaves: bool) -> Vec<Want> {
        let written = Written { client_id: new_id(fate), text, leaves };
        self.written.push(written.clone());
        self.outbox.push_back(Unsent { written, not_before: 0 });
        self.go_on(fate)
    }

    /// A person looks at the newest message.
    pub(crate) fn view(&mut self, fate: &Fate) -> Vec<Want> {
        let conversation = self.held.as_ref().and_then(|held| held.conversation.as_ref());
        if let Some(conversation) = conversation {
            self.viewed = Some((conversation.id.clone(), conversation.last_seq));
        }
        self.go_on(fate)
    }

    pub(crate) fn preview(&mut self, fate: &Fate) -> Vec<Want> {
        if !self.is_live() {
            return Vec::new();
        }
        let preview = VisitorCommand::Preview(Preview { text: "is it".to_owned() });
        vec![Want::Send(frame(&new_id(fate), &preview))]
    }

    pub(crate) fn end(&mut self, fate: &Fate) -> Vec<Want> {
        if !self.is_live() {
            return Vec::new();
        }
        let end = VisitorCommand::VisitorEndConversation(VisitorEndConversation {});
        self.ask(fate, new_id(fate), Asked::End, &end)
    }

    pub(crate) fn leave_queue(&mut self, fate: &Fate) -> Vec<Want> {
        if !self.is_live() {
            return Vec::new();
        }
        self.ask(fate, new_id(fate), Asked::End, &VisitorCommand::LeaveQueue(LeaveQueue {}))
    }

    fn ask(
        &mut self,
        fate: &Fate,
        id: ClientId,
        asked: Asked,
        command: &VisitorCommand,
    ) -> Vec<Want> {
        let text = frame(&id, command);
        self.under_way.insert(id, (asked, fate.now()));
        vec![Want::Send(text)]
    }

    /// What is due: the next message, a mark.
    fn go_on(&mut self, fate: &Fate) -> Vec<Want> {
        let mut wants = Vec::new();
        if !self.is_live() {
            return wants;
        }
        let sends = self.under_way.values().any(|(asked, _)| *asked == Asked::Send);
        let next = match self.trick {
            Some(Trick::NewestFirst) => self.outbox.back(),
            _ => self.outbox.front(),
        };
        if let Some(unsent) = next.filter(|_| !sends).cloned()
            && unsent.not_before <= fate.now()
        {
            let (page, locale) = (PageContext::default(), "zh-CN".to_owned());
            let Written { client_id, text, leaves } = unsent.written;
            let send = if leaves {
                let (name, contact) = (String::new(), "vera@shop.example".to_owned());
                VisitorCommand::LeaveMessage(LeaveMessage { name, contact, text, page, locale })
            } else {
                let asks = VisitorAsks::default();
                let send = VisitorSendMessage { text, page, locale, asks };
                VisitorCommand::VisitorSendMessage(send)
            };
            wants.extend(self.ask(fate, client_id, Asked::Send, &send));
        }
        let marks = self.under_way.values().any(|(asked, _)| matches!(asked, Asked::Mark(..)));
        let conversation = self.held.as_ref().and_then(|held| held.conversation.as_ref());
        if let Some(conversation) = conversation.filter(|_| !marks) {
            let read = match &self.viewed {
                Some((id, seq)) if *id == conversation.id => *seq,
                _ => Seq::ZERO,
            };
            let said = (conversation.id.clone(), conversation.last_seq, read);
            let own = conversation.own_marks;
            let is_news = said.1 > own.delivered || said.2 > own.read;
            if is_news && self.marked.as_ref() != Some(&said) {
                let (conversation_id, delivered, read) = said.clone();
                let mark = VisitorMark { conversation_id, delivered, read };
                let asked = Asked::Mark(said.0, said.1, said.2);
                wants.extend(self.ask(
                    fate,
                    new_id(fate),
                    asked,
                    &VisitorCommand::VisitorMark(mark),
                ));
            }
        }
        wants
    }

    /// When [`Visitor::time`] is due.
    pub(crate) fn deadline(&self) -> Option<u64> {
        let link = match self.phase {
            Phase::Away | Phase::Entering => None,
            Phase::Connecting { since } | Phase::Greeting { since } => Some(since + CONNECT_MS_MAX),
            Phase::Live { heard } => Some(heard + 2 * HEARTBEAT_MS),
            Phase::Waiting { until } => Some(until),
        };
        let answer = self.under_way.values().map(|(_, since)| since + ANSWER_MS_MAX).min();
        let send = self.outbox.front().map(|unsent| unsent.not_before).filter(|at| *at > 0);
        let live = [answer, send].into_iter().flatten().filter(|_| self.is_live());
        link.into_iter().chain(live).min()
    }

    pub(crate) fn time(&mut self, fate: &Fate) -> Vec<Want> {
        let now = fate.now();
        match self.phase {
            Phase::Waiting { until } if until <= now => return self.open(fate),
            Phase::Connecting { since } | Phase::Greeting { since }
                if since + CONNECT_MS_MAX <= now =>
            {
                return self.wait(fate, 0);
            }
            Phase::Live { heard } if heard + 2 * HEARTBEAT_MS <= now => return self.wait(fate, 0),
            _ => {}
        }
        if self.under_way.values().any(|(_, since)| since + ANSWER_MS_MAX <= now) {
            return self.wait(fate, 0);
        }
        if let Some(unsent) = self.outbox.front_mut()
            && unsent.not_before <= now
        {
            unsent.not_before = 0;
        }
        self.go_on(fate)
    }
}

fn new_id(fate: &Fate) -> ClientId {
    ClientId::new(fate.id()).unwrap()
}

fn frame(id: &ClientId, command: &VisitorCommand) -> String {
    let mut value = serde_json::to_value(command).unwrap();
    value["id"] = serde_json::Value::String(id.to_string());
    value.to_string()
}
