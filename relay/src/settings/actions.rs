//! The verbs of settings: read all, save a section.

use std::collections::BTreeSet;

use yingke_shared::error_code::ErrorCode;
use yingke_shared::settings::{SaveSettings, Settings, SettingsSection};

use super::rules::{self, Known};
use super::{queries, store};
use crate::app::App;
use crate::auth::StaffIdentity;
use crate::error::RelayError;
use crate::events::{LogBody, NewEvent};
use crate::policy::{self, Deed};
use crate::sites::Seen;
use crate::store::{Abort, ReadTx, StoreError, WriteTx};
use crate::{agents, audit, sites};

/// Everything that is set.
pub async fn all(app: &App, who: &StaffIdentity) -> Result<Settings, RelayError> {
    policy::may(who.role, Deed::ChangeSettings)?;
    Ok(with_origin(app, app.store.read("settings", queries::all).await?))
}

/// The operator's part beside what is stored: an admin sees it, and pages need it.
fn with_origin(app: &App, stored: Settings) -> Settings {
    Settings { public_url: app.config.public_origin(), ..stored }
}

/// Saves one section against the version it was read at. Staff, the driver and open windows learn it
/// from the log (J03). Gives all as it is then.
pub async fn save(
    app: &App,
    who: &StaffIdentity,
    request: SaveSettings,
) -> Result<Settings, RelayError> {
    policy::may(who.role, Deed::ChangeSettings)?;
    let SaveSettings { base, section } = request;
    let section = rules::checked(section)?;
    let (agent_id, at) = (who.agent_id.clone(), app.world.now());
    let saved = app
        .store
        .write("save settings", move |tx| {
            let name = name(&section);
            let known = known(tx)?;
            let seen = Seen::now(tx)?;
            if !put(tx, base, &section)? {
                return Err(Abort::Refused(ErrorCode::Changed));
            }
            rules::names_exist(&section, &known).map_err(Abort::Refused)?;
            rules::nothing_is_missed(&section, &known.with(&section)).map_err(Abort::Refused)?;
            audit::record(tx, at, &agent_id, "settings", name)?;
            let body = LogBody::SettingsChanged { section: name.to_owned() };
            tx.append(NewEvent { at, subject: None, body })?;
            seen.announce_changes(tx, at)?;
            Ok::<_, Abort<ErrorCode>>(queries::all(tx)?)
        })
        .await?;
    Ok(with_origin(app, saved))
}

fn name(section: &SettingsSection) -> &'static str {
    match section {
        SettingsSection::Company(_) => store::COMPANY,
        SettingsSection::Departments(_) => store::DEPARTMENTS,
        SettingsSection::Skills(_) => store::SKILLS,
        SettingsSection::Rules(_) => store::RULES,
        SettingsSection::Prompts(_) => store::PROMPTS,
        SettingsSection::AutoReplies(_) => store::AUTO_REPLIES,
    }
}

/// Gives whether it was still at `base`.
fn put(tx: &mut WriteTx<'_>, base: u32, section: &SettingsSection) -> Result<bool, StoreError> {
    let name = name(section);
    match section {
        SettingsSection::Company(value) => store::save(tx, name, base, value),
        SettingsSection::Departments(value) => store::save(tx, name, base, value),
        SettingsSection::Skills(value) => store::save(tx, name, base, value),
        SettingsSection::Rules(value) => store::save(tx, name, base, value),
        SettingsSection::Prompts(value) => store::save(tx, name, base, value),
        SettingsSection::AutoReplies(value) => store::save(tx, name, base, value),
    }
}

fn known(tx: &ReadTx<'_>) -> Result<Known, StoreError> {
    let agents = agents::queries::all(tx)?;
    let sites: BTreeSet<_> = sites::queries::all(tx)?.into_iter().map(|site| site.id).collect();
    Ok(Known {
        company: queries::company(tx)?.value,
        departments: queries::departments(tx)?.value,
        skills: queries::skills(tx)?.value,
        rules: queries::rules(tx)?.value,
        sites,
        agents: agents.iter().map(|agent| agent.id.clone()).collect(),
        answered: agents.iter().flat_map(|agent| agent.departments.clone()).collect(),
        able: agents.iter().flat_map(|agent| agent.skills.clone()).collect(),
    })
}
