//! The operator's door: configuration files, by the product's own reading in this process, and files
//! and environments by the real `check-config`, whose end is watched.

use std::process::Command;

use anyhow::Result;
use yingke_relay::config::{Config, Flags, KEYS};

use super::bend::hostile_text;
use super::{Dose, Fate, Pour, Tally};
use crate::relay::relay_program;

/// Files, read in this process.
pub fn files(dose: Dose) -> Result<Tally> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("relay.toml");
    Ok(Pour::new("config files", "config", dose).through(|input, _| {
        std::fs::write(&file, input).map_err(|error| error.to_string())?;
        match Config::load(Some(&file), &Flags::default()) {
            Ok(_) => Ok(Fate::Taken),
            Err(problems) if problems.0.is_empty() => {
                Err("it is refused without a reason".to_owned())
            }
            Err(_) => Ok(Fate::Refused),
        }
    }))
}

/// Files and environments, by the program.
pub fn program(dose: Dose) -> Result<Tally> {
    let program = relay_program()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("relay.toml");
    Ok(Pour::new("check-config", "config", dose).through(|input, chance| {
        std::fs::write(&file, input).map_err(|error| error.to_string())?;
        let mut command = Command::new(&program);
        command.arg("check-config").arg("--data").arg(folder.path().join("data"));
        if chance.below(4) > 0 {
            command.arg("--config").arg(&file);
        }
        for _ in 0..chance.below(4) {
            let key = chance.one_of(&KEYS).to_uppercase();
            let value = hostile_text(chance).replace('\0', "");
            command.env(format!("YINGKE_{key}"), value);
        }
        let done = command.output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        match done.status.code() {
            Some(0) => Ok(Fate::Taken),
            Some(64) if !said.contains("panicked") && !said.is_empty() => Ok(Fate::Refused),
            _ => Err(format!("it ended with {}: {said}", done.status)),
        }
    }))
}
