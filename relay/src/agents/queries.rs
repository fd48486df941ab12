//! What other rooms and the live part may read of accounts.

use std::collections::BTreeMap;

use yingke_shared::ids::{AgentId, Position};
use yingke_shared::views::{AgentCard, ColleagueCard, OwnCard};

use super::store::{self, Agent};
use crate::store::{ReadTx, StoreError};

/// The account, if there is one.
pub fn agent(tx: &ReadTx<'_>, id: &AgentId) -> Result<Option<Agent>, StoreError> {
    store::load(tx, id)
}

/// The card of an account that may write: one that is not disabled.
pub fn writes_as(tx: &ReadTx<'_>, id: &AgentId) -> Result<Option<AgentCard>, StoreError> {
    store::writes_as(tx, id)
}

/// What its owner sees.
pub fn own_card(tx: &ReadTx<'_>, id: &AgentId) -> Result<Option<OwnCard>, StoreError> {
    Ok(store::load(tx, id)?.map(|agent| agent.own_card()))
}

/// What colleagues see.
pub fn colleague(tx: &ReadTx<'_>, id: &AgentId) -> Result<Option<ColleagueCard>, StoreError> {
    Ok(store::load(tx, id)?.map(|agent| agent.colleague()))
}

/// The card visitors see, and where in the log it last became another.
pub fn named(tx: &ReadTx<'_>, id: &AgentId) -> Result<Option<(Position, AgentCard)>, StoreError> {
    store::named(tx, id)
}

/// Everyone, disabled ones too, by id.
pub fn all(tx: &ReadTx<'_>) -> Result<Vec<Agent>, StoreError> {
    store::load_all(tx)
}

/// Cards of a page's authors, each read once. Accounts are never deleted, so a missing one is damage.
#[derive(Debug, Default)]
pub struct Cards(BTreeMap<AgentId, AgentCard>);

impl Cards {
    /// The card of this agent.
    pub fn get(&mut self, tx: &ReadTx<'_>, id: &AgentId) -> Result<AgentCard, StoreError> {
        if let Some(card) = self.0.get(id) {
            return Ok(card.clone());
        }
        let card = store::load(tx, id)?.ok_or(StoreError::Corrupt("agent"))?.card();
        self.0.insert(id.clone(), card.clone());
        Ok(card)
    }
}
