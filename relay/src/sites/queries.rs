//! What other rooms and the live part may read of sites.

use std::collections::BTreeMap;

use yingke_shared::commands::visitor::VisitorAsks;
use yingke_shared::ids::{Position, SiteId};
use yingke_shared::settings::CompanySettings;
use yingke_shared::views::{AgentCard, DepartmentCard, Role, SiteSettings, VisitorSite};

use super::store;
use crate::agents::Agent;
use crate::store::{ReadTx, StoreError};
use crate::{agents, settings};

/// A site's settings, if there is such a site.
pub fn settings(tx: &ReadTx<'_>, id: &SiteId) -> Result<Option<SiteSettings>, StoreError> {
    store::load(tx, id)
}

/// All sites, by id.
pub fn all(tx: &ReadTx<'_>) -> Result<Vec<SiteSettings>, StoreError> {
    store::load_all(tx)
}

/// What a visitor's widget needs of it.
pub fn for_visitor(tx: &ReadTx<'_>, id: &SiteId) -> Result<VisitorSite, StoreError> {
    let site = store::load(tx, id)?.ok_or(StoreError::Corrupt("site"))?;
    seen(tx, site)
}

/// The same, with the position of the log where it last became another.
pub fn shown(tx: &ReadTx<'_>, id: &SiteId) -> Result<Option<(Position, VisitorSite)>, StoreError> {
    let Some(site) = store::load(tx, id)? else { return Ok(None) };
    Ok(Some((store::shown(tx, id)?, seen(tx, site)?)))
}

/// What a visitor may pick before the chat (A24, A25).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choices {
    categories: Vec<String>,
    departments: Vec<DepartmentCard>,
    agents: Vec<AgentCard>,
}

impl Choices {
    /// What was picked, as far as it is offered.
    pub(crate) fn of(&self, asks: &VisitorAsks) -> VisitorAsks {
        let VisitorAsks { category, department_id, agent_id } = asks.clone();
        VisitorAsks {
            category: if self.categories.contains(&category) { category } else { String::new() },
            department_id: department_id
                .filter(|id| self.departments.iter().any(|it| it.id == *id)),
            agent_id: agent_id.filter(|id| self.agents.iter().any(|it| it.id == *id)),
        }
    }
}

/// What this company lets visitors pick now.
pub(crate) fn choices(tx: &ReadTx<'_>, company: &CompanySettings) -> Result<Choices, StoreError> {
    let departments = if company.choose_department {
        let departments = settings::queries::departments(tx)?.value;
        departments.into_iter().map(settings::queries::card).collect()
    } else {
        Vec::new()
    };
    let agents = if company.choose_agent {
        // Who is there to answer, not who manages or keeps the relay.
        let answers = |agent: &Agent| agent.role == Role::Agent && !agent.disabled;
        let agents = agents::queries::all(tx)?.into_iter().filter(answers);
        agents.map(|agent| agent.card()).collect()
    } else {
        Vec::new()
    };
    let categories = company.categories.iter().map(|category| category.name.clone()).collect();
    Ok(Choices { categories, departments, agents })
}

/// What visitors see of a site and of the company's settings.
pub(super) fn seen(tx: &ReadTx<'_>, site: SiteSettings) -> Result<VisitorSite, StoreError> {
    let company = settings::queries::company(tx)?.value;
    let Choices { categories, departments, agents } = choices(tx, &company)?;
    let is_asked = !categories.is_empty() || !departments.is_empty() || !agents.is_empty();
    let wants = company.seats_for_silent.contains(&site.id);
    let begins_on_open = site.enabled && wants && !is_asked;
    Ok(VisitorSite {
        id: site.id,
        name: site.name,
        welcome: site.welcome,
        preview: site.preview,
        enabled: site.enabled,
        prompts: settings::queries::prompts(tx)?.value,
        categories,
        departments,
        agents,
        begins_on_open,
    })
}

/// Names of the sites of a list of records, each read once. Sites are never deleted.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<SiteId, String>);

impl Names {
    /// The name of this site.
    pub fn get(&mut self, tx: &ReadTx<'_>, id: &SiteId) -> Result<String, StoreError> {
        if let Some(name) = self.0.get(id) {
            return Ok(name.clone());
        }
        let name = store::load(tx, id)?.ok_or(StoreError::Corrupt("site"))?.name;
        self.0.insert(id.clone(), name.clone());
        Ok(name)
    }
}
