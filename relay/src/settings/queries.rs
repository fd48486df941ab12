//! What other rooms read of the settings.

use std::collections::BTreeMap;

use yingke_shared::ids::DepartmentId;
use yingke_shared::settings::{
    Attention, AutoReplySettings, CompanySettings, DepartmentSettings, NoAnswer, QueuePolicy,
    RuleSettings, Settings, Silence, Versioned, VisitorPrompts,
};
use yingke_shared::views::{Company, DepartmentCard, SkillCard};

use super::{DEFAULT_DEPARTMENT, store};
use crate::store::{ReadTx, StoreError};

/// The department every company begins with.
pub fn default_department() -> Result<DepartmentId, StoreError> {
    DepartmentId::new(DEFAULT_DEPARTMENT).map_err(|_| StoreError::Corrupt("default department"))
}

/// Everything that is stored of it.
pub fn all(tx: &ReadTx<'_>) -> Result<Settings, StoreError> {
    Ok(Settings {
        company: company(tx)?,
        departments: departments(tx)?,
        skills: skills(tx)?,
        rules: rules(tx)?,
        prompts: prompts(tx)?,
        auto_replies: auto_replies(tx)?,
        public_url: None,
    })
}

/// Settings of the whole company.
pub fn company(tx: &ReadTx<'_>) -> Result<Versioned<CompanySettings>, StoreError> {
    let default_department = default_department()?;
    store::load(tx, store::COMPANY, || CompanySettings {
        zone: "Asia/Shanghai".to_owned(),
        grace_s: 60,
        invitation_s: 60,
        default_department,
        categories: Vec::new(),
        sites: BTreeMap::new(),
        seats_for_silent: Vec::new(),
        choose_department: false,
        choose_agent: false,
        announce_entering: true,
        attention: Attention::default(),
    })
}

/// All departments in their order: the larger number first, then by id (B17).
pub fn departments(tx: &ReadTx<'_>) -> Result<Versioned<Vec<DepartmentSettings>>, StoreError> {
    let id = default_department()?;
    let mut departments = store::load(tx, store::DEPARTMENTS, || vec![department(id)])?;
    departments.value.sort_by(|a, b| b.order.cmp(&a.order).then_with(|| a.id.cmp(&b.id)));
    Ok(departments)
}

/// A department with the defaults: anybody of it, always open, moved when not answered for three
/// minutes (B13), a leave-message after ten minutes with nobody there.
#[must_use]
pub fn department(id: DepartmentId) -> DepartmentSettings {
    DepartmentSettings {
        id,
        name: String::new(),
        order: 0,
        policy: QueuePolicy::Pool,
        hours: None,
        close_line: false,
        no_answer: Some(NoAnswer { after_s: 180, transfers_max: 3 }),
        wrap_up_s: 0,
        silence: Silence::default(),
        explain_s: None,
        file_after_s: Some(600),
        wait_s_max: None,
    }
}

/// All skills.
pub fn skills(tx: &ReadTx<'_>) -> Result<Versioned<Vec<SkillCard>>, StoreError> {
    store::load(tx, store::SKILLS, Vec::new)
}

/// All rules, in the order they are asked.
pub fn rules(tx: &ReadTx<'_>) -> Result<Versioned<Vec<RuleSettings>>, StoreError> {
    store::load(tx, store::RULES, Vec::new)
}

/// The company's words for each state of the visitor's window.
pub fn prompts(tx: &ReadTx<'_>) -> Result<Versioned<VisitorPrompts>, StoreError> {
    store::load(tx, store::PROMPTS, VisitorPrompts::default)
}

/// The company's words for what the relay says by itself.
pub fn auto_replies(tx: &ReadTx<'_>) -> Result<Versioned<AutoReplySettings>, StoreError> {
    store::load(tx, store::AUTO_REPLIES, AutoReplySettings::default)
}

/// What all staff need of them.
pub fn for_staff(tx: &ReadTx<'_>) -> Result<Company, StoreError> {
    let departments = departments(tx)?.value.into_iter().map(card).collect();
    let mut skills = skills(tx)?.value;
    skills.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    let attention = company(tx)?.value.attention;
    let forced_replies = auto_replies(tx)?.value.forced;
    Ok(Company { departments, skills, attention, forced_replies })
}

/// What everybody may know of a department.
#[must_use]
pub fn card(department: DepartmentSettings) -> DepartmentCard {
    DepartmentCard { id: department.id, name: department.name }
}
