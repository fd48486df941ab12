//! `profile.json` at the base of the data folder: the last server and account, what to remember of
//! them, and the workbench's preferences. No secrets, no message text. Written beside and renamed
//! over, so that a crash leaves the old or the new one.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use yingke_shared::ids::AgentId;

use crate::bridge::types::{Preferences, Remember};

const GENERATION: u32 = 1;
const FILE: &str = "profile.json";

/// Everything in the file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// The file's form; a newer one is refused.
    generation: u32,
    /// The relay's address as checked.
    pub(crate) server: String,
    /// The account's name.
    pub(crate) account: String,
    /// Who that was: names the folder to open without the network.
    pub(crate) agent_id: Option<AgentId>,
    /// What is kept of the sign-in.
    pub(crate) remember: Remember,
    /// The person agreed to an unencrypted link to this server.
    pub(crate) allow_plain_http: bool,
    /// The workbench's.
    pub(crate) preferences: Preferences,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            generation: GENERATION,
            server: String::new(),
            account: String::new(),
            agent_id: None,
            remember: Remember::Nothing,
            allow_plain_http: false,
            preferences: Preferences::default(),
        }
    }
}

/// Why the profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file system said no.
    #[error("profile.json: {0}")]
    Files(#[from] std::io::Error),
    /// Written by a later version of this program.
    #[error(
        "profile.json was written by a newer version of Yingke (generation {found}, this one \
         knows {GENERATION}): update this program"
    )]
    NewerGeneration {
        /// Its generation.
        found: u64,
    },
}

impl Profile {
    /// Reads the profile; none is a fresh start. One that is not JSON any more is set aside, not
    /// deleted: nothing in it is worth refusing to start for.
    pub(crate) fn load(data: &Path) -> Result<Self, ProfileError> {
        let path = data.join(FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(error.into()),
        };
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let found = value.get("generation").and_then(serde_json::Value::as_u64);
        if let Some(found) = found.filter(|found| *found > u64::from(GENERATION)) {
            return Err(ProfileError::NewerGeneration { found });
        }
        if let Ok(profile) = Self::deserialize(&value) {
            return Ok(profile);
        }
        if found.is_some() {
            tracing::info!("profile.json is of another version; what both know is kept");
            return Ok(Self::with_known_of(&value));
        }
        tracing::warn!("profile.json cannot be read and is set aside");
        std::fs::rename(&path, data.join("profile.broken.json"))?;
        Ok(Self::default())
    }

    /// The defaults, with every field of `kept` that means something here.
    fn with_known_of(kept: &serde_json::Value) -> Self {
        let mut profile = Self::default();
        let paths = ["", "/preferences", "/preferences/alerts"];
        for (path, fields) in paths.iter().filter_map(|path| Some((path, kept.pointer(path)?))) {
            for (name, value) in fields.as_object().into_iter().flatten() {
                let Ok(mut tried) = serde_json::to_value(&profile) else { continue };
                let Some(field) = tried.pointer_mut(&format!("{path}/{name}")) else { continue };
                field.clone_from(value);
                if let Ok(tried) = Self::deserialize(tried) {
                    profile = tried;
                }
            }
        }
        profile
    }

    /// Writes the profile as a whole.
    pub(crate) fn save(&self, data: &Path) -> Result<(), ProfileError> {
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from)?;
        let beside = data.join("profile.json.new");
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&beside, data.join(FILE))?;
        #[cfg(unix)]
        std::fs::File::open(data)?.sync_all()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        let data = tempfile::tempdir().unwrap();
        assert!(Profile::load(data.path()).unwrap() == Profile::default());
        let mut profile = Profile { account: "ana".to_owned(), ..Profile::default() };
        profile.preferences.list_width = 333;
        profile.save(data.path()).unwrap();
        assert!(Profile::load(data.path()).unwrap() == profile);
    }

    #[test]
    fn a_profile_of_another_version_keeps_what_both_know() {
        let data = tempfile::tempdir().unwrap();
        let mut value = serde_json::to_value(Profile::default()).unwrap();
        value["account"] = "ana".into();
        value["later"] = true.into();
        value["preferences"]["list_width"] = 333.into();
        value["preferences"]["theme"] = "sepia".into();
        value["preferences"].as_object_mut().unwrap().remove("side_open");
        std::fs::write(data.path().join(FILE), value.to_string()).unwrap();
        let mut expected = Profile { account: "ana".to_owned(), ..Profile::default() };
        expected.preferences.list_width = 333;
        assert!(Profile::load(data.path()).unwrap() == expected);
        assert!(!data.path().join("profile.broken.json").exists());
    }

    #[test]
    fn a_newer_profile_is_refused_and_a_broken_one_set_aside() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join(FILE);
        std::fs::write(&path, r#"{"generation": 2, "later": true}"#).unwrap();
        let refused = Profile::load(data.path()).err().unwrap();
        assert!(matches!(refused, ProfileError::NewerGeneration { found: 2 }));
        std::fs::write(&path, "{ not json").unwrap();
        assert!(Profile::load(data.path()).unwrap() == Profile::default());
        assert!(data.path().join("profile.broken.json").exists());
    }
}
