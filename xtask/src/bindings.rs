//! The TypeScript made from the Rust types (`shared/bindings`): written by `gen`, compared by
//! `check` and `test`. Made in scratch space first, so that a failing run leaves nothing half done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::{builds, paths, procs, say};

/// Crates whose types cross into TypeScript.
const PACKAGES: [&str; 2] = ["yingke-shared", "yingke-client"];

/// `cargo xtask gen`.
pub(crate) fn write() -> Result<()> {
    let fresh = export()?;
    let committed = committed_folder();
    let old = read_all(&committed)?;
    let new = read_all(&fresh)?;
    let mut changed = 0;
    for (name, text) in &new {
        if old.get(name) != Some(text) {
            let path = committed.join(name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, text)?;
            changed += 1;
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        std::fs::remove_file(committed.join(name))?;
        changed += 1;
    }
    say::step(&format!("shared/bindings: {} files, {changed} changed", new.len()));
    Ok(())
}

/// Fails when the committed files are not what the types say.
pub(crate) fn check() -> Result<()> {
    compare(&export()?)
}

/// Compares what a run exported with what is committed.
pub(crate) fn compare(fresh: &Path) -> Result<()> {
    let stale = differences(&read_all(&committed_folder())?, &read_all(fresh)?);
    if !stale.is_empty() {
        bail!("stale bindings, run `cargo xtask gen`: {}", stale.join(", "));
    }
    Ok(())
}

/// An empty folder to export into.
pub(crate) fn fresh_folder() -> Result<PathBuf> {
    let folder = paths::scratch().join("bindings");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("clearing the scratch bindings")?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The environment under which the export tests write, as `.cargo/config.toml` has it but for
/// the folder.
pub(crate) fn environment(folder: &Path) -> [(&'static str, PathBuf); 2] {
    [("TS_RS_EXPORT_DIR", folder.to_path_buf()), ("TS_RS_LARGE_INT", PathBuf::from("number"))]
}

fn export() -> Result<PathBuf> {
    let folder = fresh_folder()?;
    let mut cargo = procs::cargo();
    cargo.args(["test", "--quiet", "--lib"]);
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    cargo.arg("export_bindings").envs(environment(&folder));
    procs::run(&mut cargo, "exporting the bindings")?;
    Ok(folder)
}

fn committed_folder() -> PathBuf {
    paths::root().join("shared/bindings")
}

fn read_all(folder: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    for path in builds::files_below(folder)? {
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("reading {}", path.display()))?;
        files.insert(path.strip_prefix(folder)?.to_path_buf(), text);
    }
    Ok(files)
}

fn differences(
    committed: &BTreeMap<PathBuf, String>,
    fresh: &BTreeMap<PathBuf, String>,
) -> Vec<String> {
    let mut names: Vec<&PathBuf> = committed.keys().chain(fresh.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| committed.get(*name) != fresh.get(*name))
        .map(|name| name.display().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_left_over_and_changed_files_are_stale() {
        let files = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, text)| (PathBuf::from(name), (*text).to_owned())).collect()
        };
        let committed = files(&[("A.ts", "a"), ("B.ts", "b"), ("Gone.ts", "")]);
        let fresh = files(&[("A.ts", "a"), ("B.ts", "b2"), ("New.ts", "")]);
        assert_eq!(differences(&committed, &fresh), ["B.ts", "Gone.ts", "New.ts"]);
    }
}
