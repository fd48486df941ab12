//! What is under way to the store: one thing at a time about each conversation, invitation and agent,
//! in the order it was decided, and everything else at once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use yingke_routing::{Decision, EndReason, Fact, PassReason, Refusal};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::AssignedHow;
use yingke_shared::ids::{AgentId, ConversationId, InvitationId};

use super::driver::AGAIN_AFTER;
use super::{facts, words};
use crate::agents::{self, presence};
use crate::app::App;
use crate::conversations::actions::{self, Carried};
use crate::error::RelayError;
use crate::store::StoreError;

/// What a task is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Conversation(ConversationId),
    Invitation(InvitationId),
    Agent(AgentId),
    /// The relay itself.
    Relay,
}

impl Key {
    /// `None` for a name that is none.
    pub(super) fn of(decision: &Decision) -> Option<Self> {
        match decision {
            Decision::Offer { invitation, .. } | Decision::Return { invitation, .. } => {
                words::invitation_id(invitation).map(Self::Invitation)
            }
            _ => decision.conversation().and_then(words::conversation_id).map(Self::Conversation),
        }
    }
}

/// One thing to do.
#[derive(Debug, Clone)]
pub(super) enum Task {
    /// What the core decided.
    Decided(Decision),
    /// The agent's last socket went.
    Gone,
    /// The agent's first socket is there.
    Back,
    /// The store refused this agent: what does the row say?
    LookAgain,
    /// The relay is here, and somebody is connected.
    Seen,
}

/// What is to be done, by what it is about: the first is under way, the others follow in order.
#[derive(Default)]
pub(super) struct Desk(BTreeMap<Key, VecDeque<Task>>);

impl Desk {
    /// How many things are under way.
    pub(super) fn waiting(&self) -> usize {
        self.0.len()
    }

    /// One more; gives it if it is to be begun now.
    pub(super) fn push(&mut self, key: &Key, task: Task) -> Option<Task> {
        let Some(queue) = self.0.get_mut(key) else {
            self.0.insert(key.clone(), VecDeque::from([task.clone()]));
            return Some(task);
        };
        // An agent whose link comes and goes: only how it is in the end matters. What else is to be
        // done about the agent stays.
        if matches!(task, Task::Gone | Task::Back) {
            let mut number = 0;
            queue.retain(|waiting| {
                number += 1;
                number == 1 || !matches!(waiting, Task::Gone | Task::Back)
            });
        }
        // Once more is enough: it is done after all that waits before.
        let is_there = match task {
            Task::LookAgain => matches!(queue.back(), Some(Task::LookAgain)),
            Task::Seen => true,
            _ => false,
        };
        if !(is_there && queue.len() > 1) {
            queue.push_back(task);
        }
        None
    }

    /// The first is done; gives the next, which is to be begun now.
    pub(super) fn pop(&mut self, key: &Key) -> Option<Task> {
        let queue = self.0.get_mut(key)?;
        queue.pop_front();
        let next = queue.front().cloned();
        if next.is_none() {
            self.0.remove(key);
        }
        next
    }
}

/// A task that is done.
pub(super) struct Done {
    pub(super) key: Key,
    /// What is to be told; what went well is told by the log.
    pub(super) told: Option<Fact>,
    /// Whose row is to be read again, because the store refused this agent.
    pub(super) doubted: Option<AgentId>,
    /// Who was taken for signed out and is signed in: when nobody is connected, the agent is lost instead.
    pub(super) awaited: Option<AgentId>,
    /// It was no answer of the rules, or one that is stored.
    pub(super) was_routed: bool,
}

/// Does it, however long the store needs, unless it is closed.
pub(super) async fn carry_out(app: &App, key: Key, task: Task) -> Done {
    let mut done =
        Done { key: key.clone(), told: None, doubted: None, awaited: None, was_routed: true };
    match (key, task) {
        (Key::Conversation(id), Task::Decided(decision)) => {
            about_conversation(app, id, decision, &mut done).await;
        }
        (Key::Invitation(id), Task::Decided(decision)) => {
            about_invitation(app, id, decision, &mut done).await;
        }
        (Key::Agent(id), Task::Gone) => {
            let gone = until_done(|| presence::gone(app, id.clone()).boxed()).await;
            let agent = words::agent(&id);
            done.told = gone.map(|gone| match gone {
                presence::Gone::Lost => Fact::AgentLost { agent },
                presence::Gone::SignedOut => Fact::AgentSignedOut { agent },
            });
        }
        (Key::Agent(id), Task::Back) => {
            until_done(|| presence::back(app, id.clone()).boxed()).await;
        }
        (Key::Agent(id), Task::LookAgain) => done.told = look_again(app, id).await,
        (_, Task::Seen) => {
            until_done(|| presence::seen(app).boxed()).await;
        }
        // No other task is about these.
        (Key::Agent(_) | Key::Relay, Task::Decided(_))
        | (
            Key::Conversation(_) | Key::Invitation(_) | Key::Relay,
            Task::Gone | Task::Back | Task::LookAgain,
        ) => {}
    }
    done
}

async fn about_conversation(app: &App, id: ConversationId, decision: Decision, done: &mut Done) {
    match decision {
        Decision::Route { routed, .. } => {
            let Some(asked) = words::asked(&routed.demand) else { return };
            let json = serde_json::to_string(&routed).unwrap_or_default();
            let stored =
                until_done(|| actions::route(app, id.clone(), asked.clone(), json.clone()).boxed());
            done.was_routed = stored.await == Some(Carried::Done);
        }
        Decision::Assign { conversation, agent, attempt, why } => {
            let (Some(to), Some(why)) = (words::agent_id(&agent), words::explanation(&why)) else {
                return;
            };
            let claimed = actions::claim(app, id, to.clone(), AssignedHow::Routing { why }).await;
            let refused = match claimed {
                Ok(outcome) => facts::refusal_of_claim(outcome),
                Err(error) => Some(failed(error).await),
            };
            done.doubted = (refused == Some(Refusal::AgentUnfit)).then_some(to);
            done.told = refused.map(|why| Fact::Refused { conversation, attempt, why });
        }
        Decision::Wait { reason, .. } => {
            let reason = words::waiting(reason);
            until_done(|| actions::set_waiting_reason(app, id.clone(), reason).boxed()).await;
        }
        Decision::File { conversation, attempt } => {
            let carried = actions::file(app, id).await;
            done.told = refused(conversation, attempt, carried).await;
        }
        Decision::PassOn { conversation, from, to, attempt, reason, why } => {
            let (Some(from), Some(to)) = (words::agent_id(&from), words::agent_id(&to)) else {
                return;
            };
            let carried = match reason {
                PassReason::NoAnswer => {
                    let Some(why) = words::explanation(&why) else { return };
                    let how = AssignedHow::Routing { why };
                    actions::pass_unanswered(app, id, from, to.clone(), how).await
                }
                PassReason::MemberStays => {
                    let carried = actions::pass_to_member(app, id, from.clone(), to.clone()).await;
                    done.awaited = awaited(app, from, &carried).await;
                    carried
                }
            };
            done.doubted = matches!(carried, Ok(Carried::Unfit)).then_some(to);
            done.told = refused(conversation, attempt, carried).await;
        }
        Decision::Requeue { conversation, from, attempt, reason } => {
            let Some(from) = words::agent_id(&from) else { return };
            let carried = actions::put_back(app, id, from.clone(), words::requeued(reason)).await;
            done.awaited = awaited(app, from, &carried).await;
            done.told = refused(conversation, attempt, carried).await;
        }
        Decision::End { conversation, attempt, reason, said } => {
            let carried = match reason {
                EndReason::AgentAway => actions::end_of_away(app, id).await,
                EndReason::VisitorSilent => actions::end_of_silent(app, id, words::seq(said)).await,
            };
            done.told = refused(conversation, attempt, carried).await;
        }
        Decision::Say { prompt, said, .. } => {
            let (reply, said) = (words::prompt(prompt), words::seq(said));
            until_done(|| actions::say_by_itself(app, id.clone(), reply, said).boxed()).await;
        }
        Decision::TellManagers { alert, .. } => {
            let what = words::alert(alert);
            until_done(|| actions::tell_managers(app, id.clone(), what).boxed()).await;
        }
        Decision::RemoveMember { agent, .. } => {
            let Some(agent) = words::agent_id(&agent) else { return };
            until_done(|| actions::drop_member(app, id.clone(), agent.clone()).boxed()).await;
        }
        Decision::Offer { .. } | Decision::Return { .. } => {}
    }
}

async fn about_invitation(app: &App, id: InvitationId, decision: Decision, done: &mut Done) {
    match decision {
        Decision::Offer { invitation, agent, .. } => {
            let Some(to) = words::agent_id(&agent) else { return };
            let offered =
                until_done(|| actions::offer_to(app, id.clone(), to.clone()).boxed()).await;
            if offered == Some(Carried::Unfit) {
                done.told = Some(Fact::InvitationDeclined { invitation, agent });
            }
        }
        Decision::Return { reason, .. } => {
            let why = words::returned(reason);
            until_done(|| actions::give_back(app, id.clone(), why).boxed()).await;
        }
        _ => {}
    }
}

/// The agent, if the reason was gone because the agent signed in again. Nothing in the log tells that, so
/// the core would decide the same over and over.
async fn awaited(
    app: &App,
    agent: AgentId,
    carried: &Result<Carried, RelayError>,
) -> Option<AgentId> {
    if !matches!(carried, Ok(Carried::Overtaken)) {
        return None;
    }
    let is_awaited = presence::is_awaited(app, agent.clone()).await;
    is_awaited.unwrap_or(false).then_some(agent)
}

/// What the core is told of a decision that can be refused.
async fn refused(
    conversation: yingke_routing::ConversationId,
    attempt: u32,
    carried: Result<Carried, RelayError>,
) -> Option<Fact> {
    let why = match carried {
        Ok(carried) => facts::refusal(carried)?,
        Err(error) => failed(error).await,
    };
    Some(Fact::Refused { conversation, attempt, why })
}

/// The store could not: the core may decide the same again in a moment.
async fn failed(error: RelayError) -> Refusal {
    tracing::error!(code = ?error.code(), "a decision could not be stored");
    tokio::time::sleep(AGAIN_AFTER).await;
    Refusal::Failed
}

/// Tries until it is done or refused; `None` if it never will be.
async fn until_done<'a, T>(
    attempt: impl Fn() -> BoxFuture<'a, Result<T, RelayError>>,
) -> Option<T> {
    let mut has_failed = false;
    loop {
        match attempt().await {
            Ok(done) => return Some(done),
            Err(error) if may_try_again(error) => {
                if !std::mem::replace(&mut has_failed, true) {
                    tracing::error!(code = ?error.code(), "a decision waits for the store");
                }
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Err(_) => return None,
        }
    }
}

/// A store that is closed stays closed; the driver is about to end too.
fn may_try_again(error: RelayError) -> bool {
    error.code().can_retry() && error.code() != ErrorCode::Unavailable
}

async fn look_again(app: &App, id: AgentId) -> Option<Fact> {
    const LOOK_AFTER: Duration = AGAIN_AFTER;
    loop {
        tokio::time::sleep(LOOK_AFTER).await;
        let of = id.clone();
        let read = app.store.read("refused agent", move |tx| agents::queries::agent(tx, &of));
        match read.await {
            Ok(row) => return row.as_ref().map(facts::agent_fact),
            Err(StoreError::Closed) => return None,
            Err(error) if error.is_lasting() => {
                tracing::error!(%error, "a damaged row; assignment goes on without it");
                return None;
            }
            Err(error) => tracing::error!(%error, "assignment cannot read a row; trying again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(tasks: Vec<Task>) -> Vec<String> {
        let key = Key::Agent("ana".parse().unwrap());
        let mut desk = Desk::default();
        let mut first = None;
        for task in tasks {
            first = first.or(desk.push(&key, task));
        }
        let rest = std::iter::from_fn(|| desk.pop(&key));
        first.into_iter().chain(rest).map(|task| format!("{task:?}")).collect()
    }

    /// A look at the row used to take the place of the agent's return, and the agent counted as lost
    /// at the next start.
    #[test]
    fn a_look_at_the_row_takes_no_return_away() {
        use Task::{Back, Gone, LookAgain};
        assert_eq!(taken(vec![Gone, Back, LookAgain]), ["Gone", "Back", "LookAgain"]);
        assert_eq!(taken(vec![Gone, LookAgain, Back]), ["Gone", "LookAgain", "Back"]);
        assert_eq!(taken(vec![Gone, Back, Gone, Back, Gone]), ["Gone", "Gone"]);
        assert_eq!(taken(vec![Back, LookAgain, LookAgain]), ["Back", "LookAgain"]);
    }
}
