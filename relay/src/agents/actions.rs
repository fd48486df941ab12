//! The verbs of accounts: add, change, choose availability, and what the command line does.

use std::sync::Arc;

use yingke_shared::commands::staff::SetAvailability;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{AgentId, ClientId, DepartmentId, Position, SkillId};
use yingke_shared::rest::{AddAgent, AgentAdded, ChangeAgent, SetAutoReplies};
use yingke_shared::settings::AutoReplyTexts;
use yingke_shared::time::Timestamp;
use yingke_shared::views::{Availability, ColleagueCard, OwnCard};

use super::presence;
use super::rules::{self, may_be_capacity};
use super::store::{self, Agent};
use crate::app::App;
use crate::auth::rules::{account_key, may_be_password};
use crate::auth::{PasswordHasher, StaffIdentity};
use crate::clock::World;
use crate::conversations::actions::{Moment, part_from_all};
use crate::error::RelayError;
use crate::events::{LogBody, NewEvent};
use crate::outcomes::{Occurrence, occurrence};
use crate::policy::{self, Deed};
use crate::sites::Seen;
use crate::store::{Abort, Store, StoreError, WriteTx};
use crate::text::{may_be_remark, name};
use crate::{audit, settings};

/// One's own card.
pub async fn own_card(app: &App, who: &StaffIdentity) -> Result<OwnCard, RelayError> {
    policy::may(who.role, Deed::OwnAccount)?;
    let id = who.agent_id.clone();
    let agent = app.store.read("own card", move |tx| store::load(tx, &id)).await?;
    agent.map(|agent| agent.own_card()).ok_or(RelayError::refused(ErrorCode::NotFound))
}

/// Everyone, by id.
pub async fn list(app: &App, who: &StaffIdentity) -> Result<Vec<ColleagueCard>, RelayError> {
    policy::may(who.role, Deed::ListAgents)?;
    let agents = app.store.read("list agents", store::load_all).await?;
    Ok(agents.iter().map(Agent::colleague).collect())
}

/// Adds an account.
pub async fn add(
    app: &App,
    who: &StaffIdentity,
    request: AddAgent,
) -> Result<AgentAdded, RelayError> {
    policy::may(who.role, Deed::AddAgent)?;
    let by = Some(who.agent_id.clone());
    insert_by(&app.store, app.world.as_ref(), &app.auth.passwords, request, by).await
}

/// Changes an account. A disabled one's sessions and sockets end; another role cuts the sockets, and
/// the client comes back with what it may now.
pub async fn change(
    app: &App,
    who: &StaffIdentity,
    id: AgentId,
    change: ChangeAgent,
) -> Result<(), RelayError> {
    policy::may(who.role, Deed::ChangeAgent)?;
    let now = app.world.now();
    let (agent_id, by) = (id.clone(), who.agent_id.clone());
    let (before, after) = app
        .store
        .write("change agent", move |tx| {
            let before = store::load(tx, &id)?.ok_or(Abort::Refused(ErrorCode::NotFound))?;
            let other_admins = store::other_admins(tx, &id)?;
            let after = rules::changed(&before, &change, other_admins).map_err(Abort::Refused)?;
            if after != before {
                exist(tx, change.departments.as_deref(), change.skills.as_deref())?;
                let seen = Seen::now(tx)?;
                store::update(tx, &after)?;
                let position = announce(tx, &id, now)?;
                if after.card() != before.card() {
                    store::set_named(tx, &id, position)?;
                }
                seen.announce_changes(tx, now)?;
                audit::record(tx, now, &by, "agent", id.as_str())?;
            }
            if after.disabled {
                crate::auth::store::end_sessions(tx, &id, None)?;
            }
            Ok::<_, Abort<ErrorCode>>((before, after))
        })
        .await?;
    if after.disabled {
        app.hub.end_sessions_of_agent(&agent_id, ErrorCode::Unauthenticated);
    } else if after.role != before.role {
        app.hub.end_sessions_of_agent(&agent_id, ErrorCode::Unavailable);
    }
    Ok(())
}

/// Chooses one's own availability (B11). Going away ends what one serves, or hands it over, in the same
/// transaction; the choice is told last, so that whoever follows the log finds nothing left to part.
pub async fn set_availability(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: SetAvailability,
) -> Result<Outcome, RelayError> {
    policy::may(who.role, Deed::SetAvailability)?;
    let moment = Moment::new(app.world.as_ref());
    app.store
        .write("set availability", move |tx| {
            let (id, mut moment) = (&who.agent_id, moment.clone());
            let SetAvailability { availability, hand_over } = command;
            let word = rules::availability_word(availability);
            let given = format!("set_availability {word}{}", if hand_over { " over" } else { "" });
            if occurrence(tx, id, &client_id, &given, moment.now)? == Occurrence::Again {
                return Ok(());
            }
            let changed = store::set_availability(tx, id, availability)?;
            if availability == Availability::Away {
                part_from_all(tx, id, hand_over, &mut moment)?;
            }
            if changed {
                // Whoever commands is connected.
                presence::log(tx, id, moment.now, word)?;
                announce(tx, id, moment.now)?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

/// One's own words for what the relay says by itself (D06).
pub async fn set_auto_replies(
    app: &App,
    who: &StaffIdentity,
    request: SetAutoReplies,
) -> Result<(), RelayError> {
    policy::may(who.role, Deed::OwnAccount)?;
    let texts = request.texts;
    for text in [&texts.ask_visitor, &texts.warn_visitor, &texts.explain_delay] {
        may_be_remark(text)?;
    }
    let (id, now) = (who.agent_id.clone(), app.world.now());
    app.store
        .write("set auto replies", move |tx| {
            let mut agent = store::load(tx, &id)?.ok_or(Abort::Refused(ErrorCode::NotFound))?;
            if agent.auto_replies != texts {
                agent.auto_replies = texts.clone();
                store::update(tx, &agent)?;
                announce(tx, &id, now)?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(())
}

/// Adds an account of any role: the command line's way to the first admin.
pub async fn insert(
    store: &Store,
    world: &dyn World,
    passwords: &PasswordHasher,
    request: AddAgent,
) -> Result<AgentAdded, RelayError> {
    insert_by(store, world, passwords, request, None).await
}

async fn insert_by(
    store: &Store,
    world: &dyn World,
    passwords: &PasswordHasher,
    request: AddAgent,
    by: Option<AgentId>,
) -> Result<AgentAdded, RelayError> {
    let account = name(&request.account)?;
    may_be_password(&account, &request.password)?;
    let id = AgentId::new(world.new_id()).map_err(|_| ErrorCode::Internal)?;
    let agent = Agent {
        id: id.clone(),
        nickname: name(&request.nickname)?,
        role: request.role,
        // Takes visitors from the first connection on; without one nobody is assigned.
        availability: Availability::Online,
        capacity: may_be_capacity(request.capacity)?,
        disabled: false,
        departments: rules::each_once(&request.departments.unwrap_or_default()),
        skills: rules::each_once(&request.skills),
        auto_replies: AutoReplyTexts::default(),
        idle_since: world.now(),
        lost_at: None,
        account,
    };
    let password_hash = passwords.hash(request.password).await?;
    let now = world.now();
    let account_key = account_key(&agent.account);
    store
        .write("add agent", move |tx| {
            let mut agent = agent.clone();
            if agent.departments.is_empty() {
                agent.departments = vec![settings::queries::company(tx)?.value.default_department];
            }
            exist(tx, Some(&agent.departments), Some(&agent.skills))?;
            let seen = Seen::now(tx)?;
            if !store::insert(tx, &agent, &account_key, &password_hash, now)? {
                return Err(Abort::Refused(ErrorCode::AlreadyExists));
            }
            announce(tx, &agent.id, now)?;
            seen.announce_changes(tx, now)?;
            if let Some(by) = &by {
                audit::record(tx, now, by, "agent", agent.id.as_str())?;
            }
            Ok(())
        })
        .await?;
    Ok(AgentAdded { id })
}

/// Do these departments and skills exist? Those that are set anew are looked at.
fn exist(
    tx: &WriteTx<'_>,
    departments: Option<&[DepartmentId]>,
    skills: Option<&[SkillId]>,
) -> Result<(), Abort<ErrorCode>> {
    let known = settings::queries::departments(tx)?.value;
    let is_known = |id: &DepartmentId| known.iter().any(|department| department.id == *id);
    let departments_exist = departments.unwrap_or_default().iter().all(is_known);
    let known = settings::queries::skills(tx)?.value;
    let is_known = |id: &SkillId| known.iter().any(|skill| skill.id == *id);
    let skills_exist = skills.unwrap_or_default().iter().all(is_known);
    let all = departments_exist && skills_exist;
    if all { Ok(()) } else { Err(Abort::Refused(ErrorCode::Invalid)) }
}

/// Every change of an account is one event; readers read the row.
fn announce(tx: &mut WriteTx<'_>, id: &AgentId, at: Timestamp) -> Result<Position, StoreError> {
    tx.append(NewEvent { at, subject: None, body: LogBody::AgentChanged { agent_id: id.clone() } })
}
