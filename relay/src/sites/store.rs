//! The SQL of the `sites` table.

use yingke_shared::ids::{Position, SiteId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::SiteSettings;

use crate::params;
use crate::store::{ReadTx, Row, StoreError, WriteTx};

fn settings(row: &Row<'_>) -> Result<SiteSettings, StoreError> {
    Ok(SiteSettings {
        id: row.id(0)?,
        name: row.text(1)?,
        enabled: row.flag(2)?,
        domains: serde_json::from_str(&row.text(3)?).map_err(|_| StoreError::Corrupt("domains"))?,
        welcome: row.text(4)?,
        preview: row.flag(5)?,
        return_tickets: row.flag(6)?,
    })
}

pub(crate) const BY_ID: &str =
    "SELECT id, name, enabled, domains, welcome, preview, return_tickets FROM sites WHERE id = ?";

pub(crate) fn load(tx: &ReadTx<'_>, id: &SiteId) -> Result<Option<SiteSettings>, StoreError> {
    tx.query_one(BY_ID, params![id], settings)
}

pub(crate) const SHOWN: &str = "SELECT shown_position FROM sites WHERE id = ?";

/// Where in the log what visitors see of it last became another.
pub(crate) fn shown(tx: &ReadTx<'_>, id: &SiteId) -> Result<Position, StoreError> {
    Ok(tx.query_one(SHOWN, params![id], |row| row.position(0))?.unwrap_or(Position::ZERO))
}

/// Notes that visitors see something else from this position on.
pub(crate) fn set_shown(
    tx: &mut WriteTx<'_>,
    id: &SiteId,
    position: Position,
) -> Result<(), StoreError> {
    tx.execute("UPDATE sites SET shown_position = ? WHERE id = ?", params![position, id])?;
    Ok(())
}

pub(crate) fn load_all(tx: &ReadTx<'_>) -> Result<Vec<SiteSettings>, StoreError> {
    tx.query(
        "SELECT id, name, enabled, domains, welcome, preview, return_tickets FROM sites ORDER BY id",
        params![],
        settings,
    )
}

pub(crate) fn insert(
    tx: &mut WriteTx<'_>,
    site: &SiteSettings,
    domains: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO sites (id, name, enabled, domains, welcome, preview, return_tickets, \
         created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            site.id,
            site.name,
            site.enabled,
            domains,
            site.welcome,
            site.preview,
            site.return_tickets,
            now
        ],
    )?;
    Ok(())
}

pub(crate) fn update(
    tx: &mut WriteTx<'_>,
    site: &SiteSettings,
    domains: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE sites SET name = ?, enabled = ?, domains = ?, welcome = ?, preview = ?, \
         return_tickets = ? WHERE id = ?",
        params![
            site.name,
            site.enabled,
            domains,
            site.welcome,
            site.preview,
            site.return_tickets,
            site.id
        ],
    )?;
    Ok(())
}
