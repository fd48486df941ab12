//! What colleagues do with each other and managers with everybody's conversations: inviting, answering,
//! leaving, handing back, writing first, notes, watching, entering, taking over, assigning by hand.

use yingke_client::bridge::types::UiRequest;
use yingke_client::by_hand::{ByHand, Wanted};
use yingke_shared::ids::{ClientId, ConversationId, DepartmentId};
use yingke_shared::views::{Availability, InvitationKind, Invitee};

use super::run::Simulation;
use super::world::Fate;

/// What became of a note, by the relay's words.
#[derive(Debug, Clone)]
pub(super) struct Noted {
    pub(super) text: String,
    /// `None` while nothing was said.
    pub(super) stored: Option<bool>,
}

fn one_of<T>(fate: &Fate, mut all: Vec<T>) -> Option<T> {
    (!all.is_empty()).then(|| all.swap_remove(fate.index(all.len())))
}

impl Simulation {
    /// Something among colleagues.
    pub(super) fn agent_hands(&mut self, agent: usize) -> Option<Vec<Wanted>> {
        let fate = self.fate.clone();
        if self.manager == Some(agent) && fate.once_in(2) {
            return self.manager_acts(agent);
        }
        let held = self.agents[agent].client.as_ref().and_then(ByHand::held)?;
        let own = held.own.id;
        let invitations = held.invitations.into_keys().collect();
        let mine = one_of(&fate, held.conversations.into_values().collect());
        let request = match (fate.index(16), mine) {
            (0..=4, _) if fate.once_in(2) => {
                let invitation_id = one_of(&fate, invitations)?;
                UiRequest::AnswerInvitation { invitation_id, accept: !fate.once_in(3) }
            }
            (0..=5, Some(mine)) => {
                let kinds = [InvitationKind::Transfer, InvitationKind::Join];
                let to = if fate.once_in(3) {
                    Invitee::Department { department_id: default_department() }
                } else {
                    let agent_id = self.agents[fate.index(self.agents.len())].id.clone();
                    Invitee::Agent { agent_id }
                };
                let (kind, note) = (kinds[fate.index(2)], String::new());
                UiRequest::Invite { conversation_id: mine.id, to, kind, note }
            }
            (6 | 7, Some(mine)) => {
                let own = mine.invitations.into_iter().filter(|asked| asked.from == own);
                let invitation_id = one_of(&fate, own.map(|asked| asked.id).collect())?;
                UiRequest::WithdrawInvitation { invitation_id }
            }
            (8 | 9, Some(mine)) => UiRequest::LeaveConversation { conversation_id: mine.id },
            (10, Some(mine)) => UiRequest::HandBack { conversation_id: mine.id },
            (11, _) => {
                let visitor = &self.visitors[fate.index(self.visitors.len())];
                let (visitor_id, text) = (visitor.id()?.clone(), self.text());
                UiRequest::StartConversation { visitor_id, text }
            }
            (12, _) if fate.once_in(3) => UiRequest::SetAvailability {
                availability: Availability::Away,
                hand_over: fate.once_in(2),
            },
            (12, _) => {
                UiRequest::SetAvailability { availability: Availability::Online, hand_over: false }
            }
            (_, Some(mine)) => UiRequest::AddNote { conversation_id: mine.id, text: self.text() },
            (_, None) => return None,
        };
        Some(self.agents[agent].request(request))
    }

    /// Of every conversation there is.
    fn manager_acts(&mut self, agent: usize) -> Option<Vec<Wanted>> {
        let fate = self.fate.clone();
        let open = self.open_conversations();
        let (conversation_id, _) = one_of(&fate, open.clone())?;
        let request = match fate.index(8) {
            0 => UiRequest::EnterConversation { conversation_id },
            1 => UiRequest::TakeOver { conversation_id },
            2 | 3 => UiRequest::WatchConversation { conversation_id },
            4 => {
                let watched = self.agents[agent].client.as_ref().map(ByHand::watched);
                let watched = one_of(&fate, watched.unwrap_or_default());
                let conversation_id = watched.map_or(conversation_id, |record| record.id);
                UiRequest::UnwatchConversation { conversation_id }
            }
            5 => UiRequest::AddNote { conversation_id, text: self.text() },
            6 => UiRequest::HandBack { conversation_id },
            _ => {
                let waiting = open.into_iter().filter(|(_, state)| state == "waiting");
                let conversation_id = one_of(&fate, waiting.map(|(id, _)| id).collect())?;
                let agent_id = self.agents[fate.index(self.agents.len())].id.clone();
                let over_capacity = fate.once_in(3);
                UiRequest::Assign { conversation_id, agent_id, over_capacity }
            }
        };
        Some(self.agents[agent].request(request))
    }

    pub(super) fn open_conversations(&self) -> Vec<(ConversationId, String)> {
        self.look_at(|tx| {
            let sql = "SELECT id, state FROM conversations WHERE state <> 'ended' ORDER BY id";
            tx.query(sql, &[], |row| Ok((row.id(0)?, row.text(1)?)))
        })
    }

    /// A note is on its way to the relay.
    pub(super) fn note_arrives(&mut self, frame: &str) {
        if !frame.contains(r#""add_note""#) {
            return;
        }
        let Ok(command) = serde_json::from_str::<serde_json::Value>(frame) else { return };
        let (id, text) = (command["id"].as_str(), command["body"]["text"].as_str());
        if let (Some(id), Some(text)) = (id, text) {
            let noted = Noted { text: text.to_owned(), stored: None };
            self.noted.insert(ClientId::new(id).unwrap(), noted);
        }
    }

    /// What the relay says of one.
    pub(super) fn note_answered(&mut self, id: &ClientId, stored: bool) {
        if let Some(noted) = self.noted.get_mut(id) {
            noted.stored = Some(stored);
        }
    }
}

pub(super) fn default_department() -> DepartmentId {
    DepartmentId::new("default").unwrap()
}
