//! What visitors see of every site, held over a change elsewhere: settings and names are part of it.
//!
//! Whoever changes such a thing looks before and after, in the transaction of the change; the sites
//! that became another are announced there.

use yingke_shared::ids::SiteId;
use yingke_shared::time::Timestamp;
use yingke_shared::views::VisitorSite;

use super::{queries, store};
use crate::events::{LogBody, NewEvent};
use crate::store::{ReadTx, StoreError, WriteTx};

/// What visitors saw of each site.
pub(crate) struct Seen(Vec<(SiteId, VisitorSite)>);

impl Seen {
    /// As it is now.
    pub(crate) fn now(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let mut seen = Vec::new();
        for site in store::load_all(tx)? {
            seen.push((site.id.clone(), queries::seen(tx, site)?));
        }
        Ok(Self(seen))
    }

    /// Announces the sites of which visitors see something else since then.
    pub(crate) fn announce_changes(
        self,
        tx: &mut WriteTx<'_>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        for (site_id, before) in self.0 {
            if queries::for_visitor(tx, &site_id)? != before {
                let body = LogBody::SiteChanged { site_id: site_id.clone() };
                let position = tx.append(NewEvent { at, subject: None, body })?;
                store::set_shown(tx, &site_id, position)?;
            }
        }
        Ok(())
    }
}
