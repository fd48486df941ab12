//! What other rooms and the live part may read of sites.

use std::collections::BTreeMap;

use yingke_shared::ids::{Position, SiteId};
use yingke_shared::views::{SiteSettings, VisitorSite};

use super::store;
use crate::store::{ReadTx, StoreError};

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
    store::load(tx, id)?.map(seen).ok_or(StoreError::Corrupt("site"))
}

/// The same, with the position of the log where it last became another.
pub fn shown(tx: &ReadTx<'_>, id: &SiteId) -> Result<Option<(Position, VisitorSite)>, StoreError> {
    let Some(site) = store::load(tx, id)? else { return Ok(None) };
    Ok(Some((store::shown(tx, id)?, seen(site))))
}

/// What visitors see of these settings.
pub(super) fn seen(site: SiteSettings) -> VisitorSite {
    VisitorSite {
        id: site.id,
        name: site.name,
        welcome: site.welcome,
        preview: site.preview,
        enabled: site.enabled,
    }
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
