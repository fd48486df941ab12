//! What the relay of these tests does beyond one agent's messages: notes, what is watched, the floor,
//! who looks at what, and questions over HTTP. It keeps what it was asked, and refuses on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::extract::{Json, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::LoadMessages;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::events::StaffEventBody;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{AgentId, ClientId, ConversationId, InvitationId};
use yingke_shared::rest::{ChangeAgent, RecentContacts};
use yingke_shared::settings::SaveSettings;
use yingke_shared::views::{
    Company, ConversationStatus, EndedBy, IncomingInvitation, ManagerAlert, Note, SiteSettings,
};

use crate::relay::{Shared, World, bearer, refused};

type Answer = Result<Outcome, WireError>;

/// What the relay keeps and was asked.
#[derive(Default)]
pub(crate) struct Beyond {
    pub(crate) company: Company,
    pub(crate) sites: Vec<SiteSettings>,
    pub(crate) invitations: BTreeMap<InvitationId, IncomingInvitation>,
    pub(crate) alerts: BTreeMap<ConversationId, ManagerAlert>,
    pub(crate) notes: BTreeMap<ConversationId, Vec<Note>>,
    /// Commands that change nothing here.
    pub(crate) asked: Vec<StaffCommand>,
    /// What the next of them, or the next end, is refused with.
    pub(crate) refuse: VecDeque<WireError>,
    pub(crate) viewing: Vec<Option<ConversationId>>,
    pub(crate) floor: Vec<bool>,
    pub(crate) watched: Vec<ConversationId>,
    pub(crate) unwatched: Vec<ConversationId>,
    /// What happens between reading a record to be watched and answering with it.
    pub(crate) overtaking: Option<StaffEventBody>,
    pub(crate) changes: Vec<(String, serde_json::Value)>,
}

pub(crate) fn ben() -> AgentId {
    AgentId::new("agent-ben").unwrap()
}

impl World {
    /// `None` for what is not answered.
    pub(crate) fn beyond(&mut self, command: StaffCommand) -> Option<Answer> {
        let done = Ok(Outcome::Done {});
        Some(match command {
            StaffCommand::Viewing(viewing) => {
                self.beyond.viewing.push(viewing.conversation_id);
                return None;
            }
            StaffCommand::WatchFloor(floor) => {
                self.beyond.floor.push(floor.on);
                done
            }
            StaffCommand::UnwatchConversation(body) => {
                self.beyond.unwatched.push(body.conversation_id);
                done
            }
            StaffCommand::WatchConversation(body) => {
                self.beyond.watched.push(body.conversation_id.clone());
                match self.beyond.refuse.pop_front() {
                    Some(error) => Err(error),
                    None => {
                        let record =
                            Box::new(self.conversations[&body.conversation_id].record.clone());
                        if let Some(body) = self.beyond.overtaking.take() {
                            self.announce(body);
                        }
                        Ok(Outcome::Watched { record })
                    }
                }
            }
            StaffCommand::StartConversation(body) => {
                let id = self.begin("started", &body.text);
                let last = &self.conversations[&id].record.last_message;
                Ok(Outcome::Accepted { conversation_id: id.clone(), seq: last.seq, at: last.at })
            }
            other => {
                self.beyond.asked.push(other);
                self.beyond.refuse.pop_front().map_or(done, Err)
            }
        })
    }

    pub(crate) fn end(&mut self, conversation_id: ConversationId) -> Answer {
        if let Some(error) = self.beyond.refuse.pop_front() {
            return Err(error);
        }
        let at = self.now();
        self.announce(StaffEventBody::StatusChanged {
            conversation_id,
            status: ConversationStatus::Ended { by: EndedBy::Agent, at },
            assigned_at: None,
        });
        Ok(Outcome::Done {})
    }

    /// A colleague writes a note; whoever sees the conversation hears of it.
    pub(crate) fn note(&mut self, id: &ConversationId, text: &str) {
        let at = self.now();
        let note = Note {
            id: ClientId::new(format!("note-{}", at.millis())).unwrap(),
            agent_id: ben(),
            text: text.to_owned(),
            at,
            after: self.conversations[id].record.last_message.seq,
        };
        self.beyond.notes.entry(id.clone()).or_default().push(note.clone());
        self.announce(StaffEventBody::NoteAdded { conversation_id: id.clone(), note });
    }

    /// The notes of a page whose first message is the one after `from`.
    pub(crate) fn notes_among(&self, load: &LoadMessages, from: u64) -> Vec<Note> {
        let notes = self.beyond.notes.get(&load.conversation_id).into_iter().flatten();
        let among = |note: &&Note| {
            note.after.get() > from && load.before.is_none_or(|before| note.after < before)
        };
        notes.filter(among).cloned().collect()
    }
}

pub(crate) fn routes() -> axum::Router<Arc<Mutex<World>>> {
    axum::Router::new()
        .route("/api/conversations/{id}", get(record))
        .route("/api/contacts", get(contacts))
        .route("/api/agents/{id}", patch(change_agent))
        .route("/api/settings", get(broken).put(save_settings))
}

fn refusal(world: &World, headers: &HeaderMap) -> Option<Response> {
    let token = bearer(headers).unwrap_or_default();
    if world.tokens.iter().any(|known| known == token) {
        return None;
    }
    Some(refused(StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated))
}

async fn record(
    State(world): Shared,
    headers: HeaderMap,
    Path(id): Path<ConversationId>,
) -> Response {
    let world = world.lock().unwrap();
    if let Some(response) = refusal(&world, &headers) {
        return response;
    }
    match world.conversations.get(&id) {
        Some(kept) => Json(kept.record.clone()).into_response(),
        None => refused(StatusCode::NOT_FOUND, ErrorCode::NotFound),
    }
}

async fn contacts(State(world): Shared, headers: HeaderMap) -> Response {
    let refusal = refusal(&world.lock().unwrap(), &headers);
    refusal.unwrap_or_else(|| Json(RecentContacts { contacts: Vec::new() }).into_response())
}

async fn change_agent(
    State(world): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(change): Json<ChangeAgent>,
) -> Response {
    let mut world = world.lock().unwrap();
    if let Some(response) = refusal(&world, &headers) {
        return response;
    }
    world.beyond.changes.push((id, serde_json::to_value(change).unwrap()));
    Json(serde_json::json!({})).into_response()
}

async fn save_settings(Json(_): Json<SaveSettings>) -> Response {
    refused(StatusCode::CONFLICT, ErrorCode::Changed)
}

/// What no relay of this version says.
async fn broken() -> Response {
    Json(serde_json::json!({ "company": "?" })).into_response()
}
