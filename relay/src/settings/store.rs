//! The SQL of the `settings` table. The names of sections are in databases: never change one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use yingke_shared::settings::Versioned;

use crate::params;
use crate::store::{ReadTx, StoreError, WriteTx};

/// The stored names of the sections.
pub(crate) const COMPANY: &str = "company";
/// See [`COMPANY`].
pub(crate) const DEPARTMENTS: &str = "departments";
/// See [`COMPANY`].
pub(crate) const SKILLS: &str = "skills";
/// See [`COMPANY`].
pub(crate) const RULES: &str = "rules";
/// See [`COMPANY`].
pub(crate) const PROMPTS: &str = "prompts";
/// See [`COMPANY`].
pub(crate) const AUTO_REPLIES: &str = "auto_replies";

/// A section as it was saved last; version 0 and the default before that. One that cannot be read is
/// named in the log and counts as never saved: without it nobody is served.
pub(crate) fn load<T: DeserializeOwned>(
    tx: &ReadTx<'_>,
    section: &'static str,
    default: impl FnOnce() -> T,
) -> Result<Versioned<T>, StoreError> {
    let row = tx.query_one(
        "SELECT version, body FROM settings WHERE section = ?",
        params![section],
        |row| Ok((row.int(0)?, row.text(1)?)),
    )?;
    let Some((version, body)) = row else { return Ok(Versioned { version: 0, value: default() }) };
    let version = u32::try_from(version).map_err(|_| StoreError::Corrupt("settings version"))?;
    let value = serde_json::from_str(&body).unwrap_or_else(|error| {
        tracing::error!(section, %error, "a stored section of the settings is damaged");
        default()
    });
    Ok(Versioned { version, value })
}

/// Saves a section if it is still at `base`; gives whether it was.
pub(crate) fn save(
    tx: &mut WriteTx<'_>,
    section: &'static str,
    base: u32,
    value: &impl Serialize,
) -> Result<bool, StoreError> {
    let body = serde_json::to_string(value).map_err(|_| StoreError::Corrupt("settings"))?;
    let saved = if base == 0 {
        tx.execute(
            "INSERT INTO settings (section, version, body) VALUES (?, 1, ?) \
             ON CONFLICT (section) DO NOTHING",
            params![section, body],
        )?
    } else {
        tx.execute(
            "UPDATE settings SET version = version + 1, body = ? WHERE section = ? AND version = ?",
            params![body, section, base],
        )?
    };
    Ok(saved == 1)
}
