//! An agent: the product's client core on a computer of its own, and the person before it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use yingke_client::bridge::types::{
    Chat, OutboxState, Remember, Session, UiError, UiErrorKind, UiPush, UiReply, UiRequest, UiState,
};
use yingke_client::by_hand::{ByHand, Computer, Happened, Wanted};
use yingke_shared::ids::{AgentId, ClientId, ConversationId};
use yingke_shared::views::Availability;

use super::place::Own;
use super::world::{Desk, Fate};

/// See the module.
pub(crate) struct Agent {
    pub(crate) id: AgentId,
    account: String,
    desk: Arc<Desk>,
    computer: Computer,
    /// None while the program does not run.
    pub(crate) client: Option<ByHand>,
    last_request: u64,
    /// Answers that were waited for.
    answers: BTreeMap<u64, UiReply>,
    /// Sends that are not answered: by request.
    sends: BTreeMap<u64, ClientId>,
    /// What the program said is safe in its outbox, in order, by conversation.
    pub(crate) queued: Vec<(ConversationId, ClientId, String)>,
    /// Handed over, and never heard of: it may be there, or not.
    pub(crate) handed_over: BTreeMap<ClientId, (ConversationId, String)>,
    /// Of these, handed over a second time: it stands where the first or the second time put it.
    pub(crate) asked_again: BTreeSet<ClientId>,
    /// Taken out again by the person.
    pub(crate) discarded: BTreeSet<ClientId>,
    /// Asked to be taken out as the account closed: the disk may have done it after nobody was left to
    /// be told.
    pub(crate) perhaps_discarded: BTreeSet<ClientId>,
    discards: BTreeMap<u64, ClientId>,
    /// The newest state that was told.
    pub(crate) signed_in: bool,
}

impl Agent {
    pub(super) fn new(fate: &Fate, own: &Own) -> Self {
        let skew = fate.between(0, 90_000);
        Self {
            id: own.id.clone(),
            account: own.account.to_owned(),
            desk: Arc::new(Desk::new(fate, skew, own.folder.clone())),
            computer: own.computer.clone(),
            client: None,
            last_request: 0,
            answers: BTreeMap::new(),
            sends: BTreeMap::new(),
            queued: Vec::new(),
            handed_over: BTreeMap::new(),
            asked_again: BTreeSet::new(),
            discarded: BTreeSet::new(),
            perhaps_discarded: BTreeSet::new(),
            discards: BTreeMap::new(),
            signed_in: false,
        }
    }

    /// Starts the program.
    pub(crate) fn start(&mut self) -> Vec<Wanted> {
        self.signed_in = false;
        let (client, wanted) = ByHand::start(self.desk.clone(), self.computer.clone());
        self.client = Some(client);
        self.note(wanted)
    }

    /// The program ends as by kill -9.
    pub(crate) fn crash(&mut self) {
        self.client = None;
        self.sends.clear();
        self.discards.clear();
        self.answers.clear();
        self.signed_in = false;
    }

    /// Something happened to the program.
    pub(crate) fn happened(&mut self, happened: Happened) -> Vec<Wanted> {
        let wanted = self.client.as_mut().map(|client| client.happened(happened));
        self.note(wanted.unwrap_or_default())
    }

    /// Files are written: the cache's turn, or the outbox's.
    pub(crate) fn turn(&mut self, outbox: bool) -> Vec<Wanted> {
        let Some(client) = &mut self.client else { return Vec::new() };
        let wanted = if outbox { client.turn_outbox() } else { client.turn_cache() };
        self.note(wanted)
    }

    /// Hears what is for the person; the rest is for the world.
    fn note(&mut self, wanted: Vec<Wanted>) -> Vec<Wanted> {
        let mut rest = Vec::new();
        for wanted in wanted {
            match wanted {
                Wanted::Push(push) => {
                    if let UiPush::State(state) = *push {
                        self.signed_in = matches!(state.session, Session::SignedIn { .. });
                    }
                }
                Wanted::Reply { request_id, result } => self.replied(request_id, *result),
                wanted => rest.push(wanted),
            }
        }
        rest
    }

    fn replied(&mut self, request_id: u64, result: Result<UiReply, UiError>) {
        let sent = self.sends.remove(&request_id);
        let discarded = self.discards.remove(&request_id);
        match (result, sent, discarded) {
            (Ok(UiReply::Queued { .. }), Some(client_id), _) => {
                if let Some((conversation_id, text)) = self.handed_over.remove(&client_id) {
                    self.queued.push((conversation_id, client_id, text));
                }
            }
            // Not taken: it is nowhere, unless the disk took it and could not say so.
            (Err(_), Some(_), _) => {}
            (Ok(UiReply::Done {}), _, Some(client_id)) => {
                self.discarded.insert(client_id);
            }
            (Err(error), _, Some(client_id)) if error.kind == UiErrorKind::SignedOut => {
                self.perhaps_discarded.insert(client_id);
            }
            (Ok(reply), ..) => {
                self.answers.insert(request_id, reply);
            }
            (Err(_), ..) => {}
        }
    }

    /// A person does something.
    pub(crate) fn request(&mut self, request: UiRequest) -> Vec<Wanted> {
        self.last_request += 1;
        let request_id = self.last_request;
        self.happened(Happened::Asked { request_id, request })
    }

    pub(crate) fn sign_in(&mut self, remember: bool) -> Vec<Wanted> {
        self.request(UiRequest::SignIn {
            server: "http://127.0.0.1:1".to_owned(),
            account: self.account.clone(),
            password: super::PASSWORD.to_owned(),
            remember: if remember { Remember::AutoSignIn } else { Remember::Nothing },
            allow_plain_http: false,
        })
    }

    pub(crate) fn sign_out(&mut self) -> Vec<Wanted> {
        self.request(UiRequest::SignOut {})
    }

    pub(crate) fn write(
        &mut self,
        fate: &Fate,
        conversation_id: ConversationId,
        text: String,
    ) -> Vec<Wanted> {
        let client_id = ClientId::new(fate.id()).unwrap();
        self.handed_over.insert(client_id.clone(), (conversation_id.clone(), text.clone()));
        self.sends.insert(self.last_request + 1, client_id.clone());
        self.request(UiRequest::SendMessage { conversation_id, text, client_id: Some(client_id) })
    }

    /// Asks again for a message whose answer was never heard, as a view does that was reloaded.
    pub(crate) fn write_again(&mut self, fate: &Fate) -> Vec<Wanted> {
        let unheard =
            self.handed_over.iter().filter(|(id, _)| !self.sends.values().any(|s| s == *id));
        let unheard: Vec<_> = unheard.map(|(id, said)| (id.clone(), said.clone())).collect();
        if unheard.is_empty() {
            return Vec::new();
        }
        let (client_id, (conversation_id, text)) = unheard[fate.index(unheard.len())].clone();
        self.asked_again.insert(client_id.clone());
        self.sends.insert(self.last_request + 1, client_id.clone());
        self.request(UiRequest::SendMessage { conversation_id, text, client_id: Some(client_id) })
    }

    pub(crate) fn set_available(&mut self, available: bool) -> Vec<Wanted> {
        let availability = if available { Availability::Online } else { Availability::Busy };
        self.request(UiRequest::SetAvailability { availability, hand_over: false })
    }

    pub(crate) fn end(&mut self, conversation_id: ConversationId) -> Vec<Wanted> {
        self.request(UiRequest::EndConversation { conversation_id })
    }

    pub(crate) fn type_in(&mut self, conversation_id: ConversationId) -> Vec<Wanted> {
        self.request(UiRequest::Typing { conversation_id })
    }

    pub(crate) fn open(&mut self, conversation_id: ConversationId) -> Vec<Wanted> {
        self.request(UiRequest::OpenConversation { conversation_id })
    }

    /// Looks at the newest message of a conversation it holds.
    pub(crate) fn view(&mut self, conversation_id: ConversationId) -> Vec<Wanted> {
        let held = self.client.as_ref().and_then(ByHand::held);
        let seq = held.as_ref().and_then(|held| held.conversations.get(&conversation_id));
        let Some(seq) = seq.map(|record| record.last_message.seq) else { return Vec::new() };
        self.request(UiRequest::Viewed { conversation_id, seq })
    }

    pub(crate) fn retry(&mut self, client_id: ClientId) -> Vec<Wanted> {
        self.request(UiRequest::RetrySend { client_id })
    }

    pub(crate) fn discard(&mut self, client_id: ClientId) -> Vec<Wanted> {
        self.discards.insert(self.last_request + 1, client_id.clone());
        self.request(UiRequest::DiscardSend { client_id })
    }

    /// A conversation of the inbox, if there is one.
    pub(crate) fn some_held(&self, fate: &Fate) -> Option<ConversationId> {
        let held = self.client.as_ref()?.held()?;
        let ids: Vec<_> = held.conversations.keys().cloned().collect();
        (!ids.is_empty()).then(|| ids[fate.index(ids.len())].clone())
    }

    /// Asks and lets the files be written until there is an answer. What the client wants of the
    /// world meanwhile is given to `world`.
    fn ask(&mut self, request: UiRequest, mut world: impl FnMut(Vec<Wanted>)) -> Option<UiReply> {
        world(self.request(request));
        let request_id = self.last_request;
        for _ in 0..1_000 {
            if let Some(reply) = self.answers.remove(&request_id) {
                return Some(reply);
            }
            world(self.turn(false));
            world(self.turn(true));
        }
        None
    }

    /// What the window would draw.
    pub(crate) fn state(&mut self, world: impl FnMut(Vec<Wanted>)) -> Option<UiState> {
        match self.ask(UiRequest::GetState {}, world)? {
            UiReply::State(state) => Some(state),
            _ => None,
        }
    }

    /// What the chat pane would draw.
    pub(crate) fn chat(
        &mut self,
        conversation_id: ConversationId,
        world: impl FnMut(Vec<Wanted>),
    ) -> Option<Chat> {
        match self.ask(UiRequest::OpenConversation { conversation_id }, world)? {
            UiReply::Chat(chat) => Some(chat),
            _ => None,
        }
    }

    /// Whether the window marks this message as not sent.
    pub(crate) fn is_marked(chat: &Chat, client_id: &ClientId) -> bool {
        let item = chat.outbox.iter().find(|item| item.client_id == *client_id);
        item.is_some_and(|item| {
            matches!(item.state, OutboxState::Failed { .. } | OutboxState::Wedged)
        })
    }
}
