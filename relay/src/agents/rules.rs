//! Pure rules of accounts: how availability is stored, what a change may do.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::limits::{CAPACITY_MAX, CAPACITY_MIN};
use yingke_shared::rest::ChangeAgent;
use yingke_shared::views::{Availability, Role};

use super::store::Agent;
use crate::text::name;

/// May this be an agent's capacity (B06)?
pub fn may_be_capacity(capacity: u32) -> Result<u32, ErrorCode> {
    if (CAPACITY_MIN..=CAPACITY_MAX).contains(&capacity) {
        Ok(capacity)
    } else {
        Err(ErrorCode::BadBody)
    }
}

/// The stored word of an availability.
#[must_use]
pub fn availability_word(availability: Availability) -> &'static str {
    match availability {
        Availability::Online => "online",
        Availability::Busy => "busy",
        Availability::Away => "away",
    }
}

/// The availability of a stored word.
#[must_use]
pub fn availability_of_word(word: &str) -> Option<Availability> {
    [Availability::Online, Availability::Busy, Availability::Away]
        .into_iter()
        .find(|availability| availability_word(*availability) == word)
}

/// A list without repetitions, in its order.
#[must_use]
pub fn each_once<T: Clone + PartialEq>(list: &[T]) -> Vec<T> {
    let mut once: Vec<T> = Vec::with_capacity(list.len());
    for one in list {
        if !once.contains(one) {
            once.push(one.clone());
        }
    }
    once
}

/// The account after `change`. `other_admins` is how many enabled admins there are besides: the last
/// one can be neither disabled nor made less, or nobody could undo it.
pub fn changed(agent: &Agent, change: &ChangeAgent, other_admins: i64) -> Result<Agent, ErrorCode> {
    let mut after = agent.clone();
    if let Some(nickname) = &change.nickname {
        after.nickname = name(nickname)?;
    }
    if let Some(role) = change.role {
        after.role = role;
    }
    if let Some(capacity) = change.capacity {
        after.capacity = may_be_capacity(capacity)?;
    }
    if let Some(departments) = &change.departments {
        after.departments = each_once(departments);
    }
    if let Some(skills) = &change.skills {
        after.skills = each_once(skills);
    }
    if let Some(disabled) = change.disabled {
        after.disabled = disabled;
    }
    let is_admin = |agent: &Agent| agent.role == Role::Admin && !agent.disabled;
    if is_admin(agent) && !is_admin(&after) && other_admins == 0 {
        return Err(ErrorCode::Forbidden);
    }
    Ok(after)
}
