//! What the log says, as facts of the routing core. An entry that says only *that* something changed is
//! told as it is now, from its row: a row that is read late is no harm, for what made it so comes later
//! in the log and changes nothing.

use yingke_routing::{Arrival, Asks, Described, Fact, Refusal};
use yingke_shared::ids::Seq;
use yingke_shared::time::Timestamp;
use yingke_shared::views::{Author, ConversationStatus};

use super::rows::{self, Settings};
use super::words;
use crate::agents::{self, Agent};
use crate::conversations::actions::{Carried, ClaimOutcome};
use crate::conversations::queries::{self, InRouting};
use crate::events::{Entry, InvitationChange, LogBody};
use crate::store::{ReadTx, StoreError};

/// What is told to the core.
#[derive(Debug)]
pub(crate) enum Told {
    /// Facts of one position, in order.
    Facts(Vec<Fact>),
    /// What an admin set: this section changed.
    Settings(String, Box<Settings>),
}

impl Told {
    fn nothing() -> Self {
        Self::Facts(Vec::new())
    }

    fn one(fact: Fact) -> Self {
        Self::Facts(vec![fact])
    }
}

/// What an entry says by itself. `None`: see [`of_rows`].
pub(crate) fn of_entry(entry: &Entry) -> Option<Told> {
    let Some(subject) = &entry.subject else {
        return match &entry.body {
            LogBody::AgentChanged { .. } | LogBody::SettingsChanged { .. } => None,
            _ => Some(Told::nothing()),
        };
    };
    let conversation = words::conversation(&subject.conversation_id);
    Some(match &entry.body {
        LogBody::ConversationStarted
        | LogBody::Routed { .. }
        | LogBody::InvitationsChanged { change: InvitationChange::Made { .. } } => return None,
        LogBody::StatusChanged { status, requeued, .. } => match status {
            ConversationStatus::Serving { agent_id } => {
                let agent = words::agent(agent_id);
                Told::one(Fact::ConversationServed { conversation, agent })
            }
            ConversationStatus::Ended { .. } => Told::one(Fact::ConversationOver { conversation }),
            ConversationStatus::Waiting { .. } => match requeued {
                Some(why) => {
                    let why = words::requeue_reason(*why);
                    Told::one(Fact::ConversationRequeued { conversation, why })
                }
                None => Told::nothing(),
            },
        },
        LogBody::MessageAppended { message, .. } => {
            let seq = message.seq.get();
            match &message.author {
                Author::Visitor => {
                    let number = entry.position.get();
                    Told::one(Fact::VisitorWrote { conversation, seq, number })
                }
                Author::Agent { agent_id } => {
                    let agent = words::agent(agent_id);
                    Told::one(Fact::AgentWrote { conversation, agent, seq })
                }
                Author::System => Told::nothing(),
            }
        }
        LogBody::MembersChanged { joined, left, .. } => {
            let joined = joined.iter().map(|id| Fact::MemberJoined {
                conversation: conversation.clone(),
                agent: words::agent(id),
            });
            let left = left.iter().map(|id| Fact::MemberLeft {
                conversation: conversation.clone(),
                agent: words::agent(id),
            });
            Told::Facts(joined.chain(left).collect())
        }
        LogBody::InvitationsChanged { change } => match change {
            InvitationChange::Declined { invitation_id, agent_id, .. } => {
                let invitation = words::invitation(invitation_id);
                let agent = words::agent(agent_id);
                Told::one(Fact::InvitationDeclined { invitation, agent })
            }
            InvitationChange::Closed { invitation_id, .. } => {
                let invitation = words::invitation(invitation_id);
                Told::one(Fact::InvitationClosed { invitation })
            }
            InvitationChange::Made { .. } | InvitationChange::Offered { .. } => Told::nothing(),
        },
        LogBody::WrapUpDone { agent_id } => {
            Told::one(Fact::WrapUpDone { conversation, agent: words::agent(agent_id) })
        }
        LogBody::VisitorMarked { .. }
        | LogBody::AgentMarked { .. }
        | LogBody::NoteAdded
        | LogBody::ManagersAlerted { .. }
        | LogBody::AlertCleared
        | LogBody::AgentChanged { .. }
        | LogBody::SettingsChanged { .. }
        | LogBody::SiteChanged { .. } => Told::nothing(),
    })
}

/// What an entry says together with the rows it names. One whose row is damaged is left out and named
/// in the log.
pub(crate) fn of_rows(tx: &ReadTx<'_>, entry: &Entry, now: Timestamp) -> Result<Told, StoreError> {
    match read(tx, entry, now) {
        Err(error) if error.is_lasting() => {
            let position = entry.position.get();
            tracing::error!(%error, position, "a damaged row; assignment goes on without it");
            Ok(Told::nothing())
        }
        read => read,
    }
}

fn read(tx: &ReadTx<'_>, entry: &Entry, now: Timestamp) -> Result<Told, StoreError> {
    match &entry.body {
        LogBody::AgentChanged { agent_id } => {
            let row = agents::queries::agent(tx, agent_id)?;
            return Ok(row.map_or_else(Told::nothing, |row| Told::one(agent_fact(&row))));
        }
        LogBody::SettingsChanged { section } => {
            let settings = rows::settings(tx, now)?;
            return Ok(Told::Settings(section.clone(), Box::new(settings)));
        }
        _ => {}
    }
    let Some(subject) = &entry.subject else { return Ok(Told::nothing()) };
    let conversation = words::conversation(&subject.conversation_id);
    Ok(match &entry.body {
        LogBody::ConversationStarted => {
            let row = queries::load_in_routing(tx, &subject.conversation_id)?;
            // It may be over by now; then the log says so soon.
            let Some(row) = row else { return Ok(Told::nothing()) };
            Told::one(arrival(tx, &row)?)
        }
        LogBody::Routed { .. } => {
            let row = queries::load_in_routing(tx, &subject.conversation_id)?;
            match row.and_then(|row| row.asked) {
                Some(asked) => {
                    let demand = words::demand(&asked);
                    Told::one(Fact::ConversationRerouted { conversation, demand })
                }
                None => Told::nothing(),
            }
        }
        LogBody::InvitationsChanged { change: InvitationChange::Made { invitation_id } } => {
            let Some(row) = queries::invitation(tx, invitation_id)? else {
                return Ok(Told::nothing());
            };
            Told::one(Fact::InvitationMade {
                invitation: words::invitation(invitation_id),
                conversation,
                from: words::agent(&row.from),
                to: words::invitee(&row.to),
            })
        }
        _ => Told::nothing(),
    })
}

/// A conversation that begins.
pub(crate) fn arrival(tx: &ReadTx<'_>, row: &InRouting) -> Result<Fact, StoreError> {
    // Begun by an agent, or somebody took it since: what it is comes later in the log.
    let is_served = row.agent_id.is_some();
    let site = yingke_routing::SiteId::new(row.site_id.as_str());
    let asks = match &row.asked {
        Some(asked) => Asks::Demand(words::demand(asked)),
        None => Asks::Described(Box::new(described(&row.described, &site))),
    };
    // Where opening the window begins one, nothing may have been said (B14). It was let in then, whatever
    // is set since: nobody else ever begins one without a word.
    let has_written = !is_served && queries::talk(tx, &row.id)?.said > Seq::ZERO;
    Ok(Fact::ConversationWaiting(Box::new(Arrival {
        conversation: words::conversation(&row.id),
        number: row.started_position.get(),
        site: (!is_served).then_some(site),
        has_written,
        let_in: !is_served,
        asks,
    })))
}

/// What is known of the visitor; at least the site.
pub(crate) fn described(json: &str, site: &yingke_routing::SiteId) -> Described {
    let known = if json.is_empty() { None } else { serde_json::from_str(json).ok() };
    known.unwrap_or_else(|| Described { site: Some(site.clone()), ..Described::default() })
}

/// What an account's row says.
pub(crate) fn agent_fact(row: &Agent) -> Fact {
    if row.disabled {
        return Fact::AgentRemoved { agent: words::agent(&row.id) };
    }
    Fact::AgentSet(Box::new(rows::agent_settings(row)))
}

/// Why a claim was refused, if it was.
pub(crate) fn refusal_of_claim(outcome: ClaimOutcome) -> Option<Refusal> {
    match outcome {
        // The log confirms it.
        ClaimOutcome::Claimed => None,
        ClaimOutcome::AlreadyTaken | ClaimOutcome::Ended => Some(Refusal::Overtaken),
        ClaimOutcome::AgentNotEligible | ClaimOutcome::Full => Some(Refusal::AgentUnfit),
    }
}

/// Why another decision was refused, if it was.
pub(crate) fn refusal(carried: Carried) -> Option<Refusal> {
    match carried {
        Carried::Done => None,
        Carried::Overtaken => Some(Refusal::Overtaken),
        Carried::Unfit => Some(Refusal::AgentUnfit),
    }
}
