//! The verbs of sites: list, add, change, and the gate's answer.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, Position, SiteId};
use yingke_shared::rest::{AddSite, Boot, ChangeSite, SiteAdded};
use yingke_shared::time::Timestamp;
use yingke_shared::views::SiteSettings;

use super::domains::{Domain, may_start_on};
use super::queries::seen;
use super::store;
use crate::app::App;
use crate::audit;
use crate::auth::StaffIdentity;
use crate::clock::World;
use crate::error::RelayError;
use crate::events::{LogBody, NewEvent};
use crate::policy::{self, Deed};
use crate::store::{Abort, Store, StoreError, WriteTx};
use crate::text::{may_be_message, name};

/// All sites, by id.
pub async fn list(app: &App, who: &StaffIdentity) -> Result<Vec<SiteSettings>, RelayError> {
    policy::may(who.role, Deed::ListSites)?;
    Ok(app.store.read("list sites", store::load_all).await?)
}

/// Adds a site, switched on.
pub async fn add(
    app: &App,
    who: &StaffIdentity,
    request: AddSite,
) -> Result<SiteAdded, RelayError> {
    policy::may(who.role, Deed::AddSite)?;
    let domains = parse(&request.domains)?;
    let by = Some(who.agent_id.clone());
    insert_by(&app.store, app.world.as_ref(), &request.name, domains, by).await
}

/// Changes a site; what the request leaves out stays.
pub async fn change(
    app: &App,
    who: &StaffIdentity,
    id: SiteId,
    change: ChangeSite,
) -> Result<(), RelayError> {
    policy::may(who.role, Deed::ChangeSite)?;
    let (now, by) = (app.world.now(), who.agent_id.clone());
    let name = change.name.as_deref().map(name).transpose()?;
    let domains = change.domains.as_deref().map(parse).transpose()?.map(|domains| texts(&domains));
    if let Some(welcome) = change.welcome.as_deref().filter(|welcome| !welcome.is_empty()) {
        may_be_message(welcome)?;
    }
    app.store
        .write("change site", move |tx| {
            let before = store::load(tx, &id)?.ok_or(Abort::Refused(ErrorCode::NotFound))?;
            let after = SiteSettings {
                id: id.clone(),
                name: name.clone().unwrap_or_else(|| before.name.clone()),
                enabled: change.enabled.unwrap_or(before.enabled),
                domains: domains.clone().unwrap_or_else(|| before.domains.clone()),
                welcome: change.welcome.clone().unwrap_or_else(|| before.welcome.clone()),
                preview: change.preview.unwrap_or(before.preview),
                return_tickets: change.return_tickets.unwrap_or(before.return_tickets),
            };
            if after != before {
                store::update(tx, &after, &json(&after.domains))?;
                audit::record(tx, now, &by, "site", id.as_str())?;
                let position = announce(tx, &id, now)?;
                if seen(tx, after)? != seen(tx, before)? {
                    store::set_shown(tx, &id, position)?;
                }
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(())
}

/// Adds a site: the command line's way.
pub async fn insert(
    store: &Store,
    world: &dyn World,
    site_name: &str,
    domains: Vec<Domain>,
) -> Result<SiteAdded, RelayError> {
    insert_by(store, world, site_name, domains, None).await
}

async fn insert_by(
    store: &Store,
    world: &dyn World,
    site_name: &str,
    domains: Vec<Domain>,
    by: Option<AgentId>,
) -> Result<SiteAdded, RelayError> {
    let id = SiteId::new(world.new_id()).map_err(|_| ErrorCode::Internal)?;
    let site = SiteSettings {
        id: id.clone(),
        name: name(site_name)?,
        enabled: true,
        domains: texts(&domains),
        welcome: String::new(),
        preview: true,
        return_tickets: true,
    };
    let now = world.now();
    store
        .write("add site", move |tx| {
            store::insert(tx, &site, &json(&site.domains), now)?;
            announce(tx, &site.id, now)?;
            if let Some(by) = &by {
                audit::record(tx, now, by, "site", site.id.as_str())?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(SiteAdded { id })
}

/// May the widget start on a page of `origin` (A02)?
pub async fn boot(app: &App, id: SiteId, origin: Option<&str>) -> Result<Boot, RelayError> {
    let site = open_site(app, id).await?;
    let domains = parse(&site.domains)?;
    if !origin.is_some_and(|origin| may_start_on(&domains, origin)) {
        return Err(ErrorCode::OriginRefused.into());
    }
    Ok(Boot {
        frame_url: format!("/w/{}/frame", site.id),
        name: site.name,
        return_tickets: site.return_tickets,
    })
}

/// A site whose online service is switched on (A04).
pub async fn open_site(app: &App, id: SiteId) -> Result<SiteSettings, RelayError> {
    let site = app.store.read("site", move |tx| store::load(tx, &id)).await?;
    match site {
        None => Err(ErrorCode::NotFound.into()),
        Some(site) if !site.enabled => Err(ErrorCode::SiteDisabled.into()),
        Some(site) => Ok(site),
    }
}

fn parse(entered: &[String]) -> Result<Vec<Domain>, RelayError> {
    Domain::parse_all(entered).map_err(|_| ErrorCode::BadBody.into())
}

fn texts(domains: &[Domain]) -> Vec<String> {
    domains.iter().map(|domain| domain.as_str().to_owned()).collect()
}

/// A list of texts always encodes.
fn json(domains: &[String]) -> String {
    serde_json::to_string(domains).unwrap_or_else(|_| "[]".to_owned())
}

/// Every change of a site is one event; readers read the row.
fn announce(tx: &mut WriteTx<'_>, id: &SiteId, at: Timestamp) -> Result<Position, StoreError> {
    tx.append(NewEvent { at, subject: None, body: LogBody::SiteChanged { site_id: id.clone() } })
}
