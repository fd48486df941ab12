//! The one verb of the audit: read it.

use yingke_shared::ids::Position;
use yingke_shared::rest::{AuditEntry, AuditPage};

use crate::app::App;
use crate::auth::StaffIdentity;
use crate::error::RelayError;
use crate::limits::AUDIT_ENTRIES_MAX;
use crate::params;
use crate::policy::{self, Deed};
use crate::store::{ReadTx, StoreError};

/// The newest lines before a number, the newest first.
pub async fn page(
    app: &App,
    who: &StaffIdentity,
    before: Option<Position>,
) -> Result<AuditPage, RelayError> {
    policy::may(who.role, Deed::ReadAudit)?;
    Ok(app.store.read("audit", move |tx| read(tx, before)).await?)
}

fn read(tx: &ReadTx<'_>, before: Option<Position>) -> Result<AuditPage, StoreError> {
    let before = before.map_or(i64::MAX, |before| i64::try_from(before.get()).unwrap_or(i64::MAX));
    let limit = i64::try_from(AUDIT_ENTRIES_MAX + 1).unwrap_or(i64::MAX);
    let mut entries = tx.query(
        "SELECT number, at, agent_id, deed, subject FROM audit WHERE number < ? \
         ORDER BY number DESC LIMIT ?",
        params![before, limit],
        |row| {
            Ok(AuditEntry {
                number: row.position(0)?,
                at: row.time(1)?,
                agent_id: row.id(2)?,
                deed: row.text(3)?,
                subject: row.text(4)?,
            })
        },
    )?;
    let has_earlier = entries.len() > AUDIT_ENTRIES_MAX;
    entries.truncate(AUDIT_ENTRIES_MAX);
    Ok(AuditPage { entries, has_earlier })
}
