//! The SQL of the `agents` table.

use serde::Serialize;
use serde::de::DeserializeOwned;
use yingke_shared::ids::{AgentId, DepartmentId, Position, SkillId};
use yingke_shared::settings::AutoReplyTexts;
use yingke_shared::time::Timestamp;
use yingke_shared::views::{AgentCard, Availability, ColleagueCard, OwnCard, Role};

use super::rules::{availability_of_word, availability_word};
use crate::auth::rules::{role_of_word, role_word};
use crate::params;
use crate::store::{ReadTx, Row, StoreError, WriteTx};

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Who.
    pub id: AgentId,
    /// The sign-in name.
    pub account: String,
    /// The name shown.
    pub nickname: String,
    /// What the account may do.
    pub role: Role,
    /// The chosen availability.
    pub availability: Availability,
    /// Conversations at once.
    pub capacity: u32,
    /// Whether signing in is refused.
    pub disabled: bool,
    /// Where the agent answers.
    pub departments: Vec<DepartmentId>,
    /// What the agent can.
    pub skills: Vec<SkillId>,
    /// The agent's own words for what the relay says by itself.
    pub auto_replies: AutoReplyTexts,
    /// When a conversation last came or went.
    pub idle_since: Timestamp,
    /// Since when no client is connected, if none signed out.
    pub lost_at: Option<Timestamp>,
}

impl Agent {
    /// What visitors see.
    #[must_use]
    pub fn card(&self) -> AgentCard {
        AgentCard { id: self.id.clone(), nickname: self.nickname.clone() }
    }

    /// What colleagues see.
    #[must_use]
    pub fn colleague(&self) -> ColleagueCard {
        ColleagueCard {
            card: self.card(),
            role: self.role,
            availability: self.availability,
            capacity: self.capacity,
            departments: self.departments.clone(),
            skills: self.skills.clone(),
            disabled: self.disabled,
        }
    }

    /// What the account's owner sees.
    #[must_use]
    pub fn own_card(&self) -> OwnCard {
        OwnCard {
            id: self.id.clone(),
            account: self.account.clone(),
            nickname: self.nickname.clone(),
            role: self.role,
            availability: self.availability,
            capacity: self.capacity,
            departments: self.departments.clone(),
            skills: self.skills.clone(),
            auto_replies: self.auto_replies.clone(),
        }
    }
}

/// A damaged account is read as the least it can be, and named in the log: all others are read with it,
/// and without them nobody is served.
fn agent(row: &Row<'_>) -> Result<Agent, StoreError> {
    let id: AgentId = row.id(0)?;
    let mut is_damaged = false;
    let role = row.text(3).map(|word| role_of_word(&word));
    let availability = row.text(4).map(|word| availability_of_word(&word));
    let capacity = row.int(5).map(|number| u32::try_from(number).ok());
    let agent = Agent {
        account: or_least(row.text(1).ok(), String::new(), &mut is_damaged),
        nickname: or_least(row.text(2).ok(), id.to_string(), &mut is_damaged),
        role: or_least(role.ok().flatten(), Role::Agent, &mut is_damaged),
        availability: or_least(availability.ok().flatten(), Availability::Busy, &mut is_damaged),
        capacity: or_least(capacity.ok().flatten(), 0, &mut is_damaged),
        disabled: or_least(row.flag(6).ok(), true, &mut is_damaged),
        departments: or_least(json_of(row.text(7)), Vec::new(), &mut is_damaged),
        skills: or_least(json_of(row.text(8)), Vec::new(), &mut is_damaged),
        auto_replies: or_least(json_of(row.text(9)), AutoReplyTexts::default(), &mut is_damaged),
        idle_since: or_least(row.time(10).ok(), Timestamp::default(), &mut is_damaged),
        lost_at: or_least(row.opt_time(11).ok(), None, &mut is_damaged),
        id,
    };
    if is_damaged {
        tracing::error!(agent.id = %agent.id, "a stored account is damaged");
    }
    Ok(agent)
}

fn json_of<T: DeserializeOwned>(text: Result<String, StoreError>) -> Option<T> {
    serde_json::from_str(&text.ok()?).ok()
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Corrupt("agent"))
}

fn or_least<T>(read: Option<T>, least: T, is_damaged: &mut bool) -> T {
    *is_damaged |= read.is_none();
    read.unwrap_or(least)
}

/// A statement over `agents` with the columns [`agent`] reads.
macro_rules! agent_statement {
    ($rest:literal) => {
        concat!(
            "SELECT id, account, nickname, role, availability, capacity, disabled, departments, ",
            "skills, auto_replies, idle_since, lost_at FROM agents ",
            $rest
        )
    };
}

pub(crate) const BY_ID: &str = agent_statement!("WHERE id = ?");

pub(crate) fn load(tx: &ReadTx<'_>, id: &AgentId) -> Result<Option<Agent>, StoreError> {
    tx.query_one(BY_ID, params![id], agent)
}

pub(crate) fn load_all(tx: &ReadTx<'_>) -> Result<Vec<Agent>, StoreError> {
    tx.query(agent_statement!("ORDER BY id"), params![], agent)
}

pub(crate) const WRITES_AS: &str = "SELECT nickname FROM agents WHERE id = ? AND disabled = 0";

/// The card of an account that is not disabled. A damaged name is read as the least it can be.
pub(crate) fn writes_as(tx: &ReadTx<'_>, id: &AgentId) -> Result<Option<AgentCard>, StoreError> {
    tx.query_one(WRITES_AS, params![id], |row| {
        let nickname = row.text(0).unwrap_or_else(|_| id.to_string());
        Ok(AgentCard { id: id.clone(), nickname })
    })
}

pub(crate) const NAMED: &str = "SELECT named_position, nickname FROM agents WHERE id = ?";

/// The card visitors see, and where in the log it last became another.
pub(crate) fn named(
    tx: &ReadTx<'_>,
    id: &AgentId,
) -> Result<Option<(Position, AgentCard)>, StoreError> {
    tx.query_one(NAMED, params![id], |row| {
        Ok((row.position(0)?, AgentCard { id: id.clone(), nickname: row.text(1)? }))
    })
}

/// Notes that visitors see another card from this position on.
pub(crate) fn set_named(
    tx: &mut WriteTx<'_>,
    id: &AgentId,
    position: Position,
) -> Result<(), StoreError> {
    tx.execute("UPDATE agents SET named_position = ? WHERE id = ?", params![position, id])?;
    Ok(())
}

/// Enabled admins besides this one.
pub(crate) fn other_admins(tx: &ReadTx<'_>, id: &AgentId) -> Result<i64, StoreError> {
    let count = tx.query_one(
        "SELECT count(*) FROM agents WHERE role = ? AND disabled = 0 AND id <> ?",
        params![role_word(Role::Admin), id],
        |row| row.int(0),
    )?;
    Ok(count.unwrap_or(0))
}

/// A new account's row; gives whether the account name was free.
pub(crate) fn insert(
    tx: &mut WriteTx<'_>,
    agent: &Agent,
    account_key: &str,
    password_hash: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let inserted = tx.execute(
        "INSERT INTO agents (id, account, account_key, nickname, role, password_hash, capacity, \
         availability, disabled, departments, skills, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (account_key) DO NOTHING",
        params![
            agent.id,
            agent.account,
            account_key,
            agent.nickname,
            role_word(agent.role),
            password_hash,
            agent.capacity,
            availability_word(agent.availability),
            agent.disabled,
            json(&agent.departments)?,
            json(&agent.skills)?,
            now
        ],
    )?;
    Ok(inserted == 1)
}

pub(crate) fn update(tx: &mut WriteTx<'_>, agent: &Agent) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE agents SET nickname = ?, role = ?, capacity = ?, disabled = ?, departments = ?, \
         skills = ?, auto_replies = ? WHERE id = ?",
        params![
            agent.nickname,
            role_word(agent.role),
            agent.capacity,
            agent.disabled,
            json(&agent.departments)?,
            json(&agent.skills)?,
            json(&agent.auto_replies)?,
            agent.id
        ],
    )?;
    Ok(())
}

/// Notes when a conversation last came to the agent or went.
pub(crate) fn set_idle_since(
    tx: &mut WriteTx<'_>,
    id: &AgentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute("UPDATE agents SET idle_since = ? WHERE id = ?", params![now, id])?;
    Ok(())
}

/// Gives whether it was another before.
pub(crate) fn set_availability(
    tx: &mut WriteTx<'_>,
    id: &AgentId,
    availability: Availability,
) -> Result<bool, StoreError> {
    let word = availability_word(availability);
    let changed = tx.execute(
        "UPDATE agents SET availability = ? WHERE id = ? AND availability <> ?",
        params![word, id, word],
    )?;
    Ok(changed == 1)
}
