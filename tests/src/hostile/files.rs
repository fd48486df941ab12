//! The door of the disk: the small files that tell a relay, a restore and a client what they have
//! before them, bent. They are opened by the product's own code; what it says must be an answer.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use yingke_client::Core;
use yingke_client::host::SystemHost;
use yingke_relay::clock::RealWorld;
use yingke_relay::store::{self, Store};

use super::{Dose, Fate, Pour, Tally, panics};

/// `boot.json` beside a relay's database. A bent one is worth no outage: the store opens.
pub fn boot_files(dose: Dose) -> Result<Tally> {
    let folder = tempfile::tempdir()?;
    drop(Store::open_inline(folder.path(), &RealWorld)?);
    let boot = folder.path().join("boot.json");
    Ok(Pour::new("boot files", "boot", dose).through(|input, chance| {
        std::fs::write(&boot, input).map_err(|error| error.to_string())?;
        if chance.below(3) == 0 {
            store::check(folder.path()).map_err(|error| format!("the check ended: {error}"))?;
        }
        match Store::open_inline(folder.path(), &RealWorld) {
            Ok(_) => Ok(Fate::Taken),
            Err(error) => Err(format!("it does not open any more: {error}")),
        }
    }))
}

/// The manifest of a backup.
pub fn manifests(dose: Dose) -> Result<Tally> {
    let folder = tempfile::tempdir()?;
    let (data, backup, to) =
        (folder.path().join("data"), folder.path().join("backup"), folder.path().join("to"));
    drop(Store::open_inline(&data, &RealWorld)?);
    store::backup(&data, &backup, &RealWorld)?;
    let manifest = backup.join("manifest.json");
    let good = std::fs::read(&manifest).context("a manifest")?;
    let mut pour = Pour::new("manifests", "manifests", dose);
    // The real sums: else nothing comes further than them.
    pour.add_seed(good.clone());
    let tally = pour.through(|input, _| {
        std::fs::write(&manifest, input).map_err(|error| error.to_string())?;
        let restored = store::restore(&backup, &to, true, &RealWorld);
        let fate = Fate::taken(restored.is_ok());
        empty(&to).map_err(|error| error.to_string())?;
        Ok(fate)
    });
    std::fs::write(&manifest, good)?;
    store::restore(&backup, &to, true, &RealWorld)?;
    Ok(tally)
}

fn empty(folder: &Path) -> std::io::Result<()> {
    if folder.exists() { std::fs::remove_dir_all(folder) } else { Ok(()) }
}

/// `profile.json` of the desktop client. A bent one is set aside, or it is of a newer version.
pub fn profiles(dose: Dose) -> Result<Tally> {
    panics::watch();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let profile = folder.path().join("profile.json");
    Ok(Pour::new("profiles", "profiles", dose).through(|input, _| {
        std::fs::write(&profile, input).map_err(|error| error.to_string())?;
        let host = Arc::new(SystemHost::new(folder.path(), None));
        runtime.block_on(async {
            match Core::start(host).await {
                Ok(core) => {
                    let state = core.ui(yingke_client::bridge::types::UiRequest::GetState {}).await;
                    core.shutdown().await;
                    state
                        .map(|_| Fate::Taken)
                        .map_err(|error| format!("it has no state: {error:?}"))
                }
                Err(error) if error.to_string().contains("newer version") => Ok(Fate::Refused),
                Err(error) => Err(format!("it does not start: {error}")),
            }
        })
    }))
}
