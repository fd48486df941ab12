//! Where things are. Everything generated stays below the target folder or is ignored by git.

use std::path::{Path, PathBuf};

/// The root of the checkout this process works on.
pub(crate) fn root() -> PathBuf {
    // At run time first: a target folder shared by several checkouts may hold another one's path.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Cargo's target folder. Under continuous integration each run is a fresh clone, so the folder
/// stands outside of it and is found again by the next run.
pub(crate) fn target() -> PathBuf {
    if let Some(dir) = std::env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
        return root().join(dir);
    }
    match (is_ci(), std::env::var_os("HOME")) {
        (true, Some(home)) => Path::new(&home).join(".cache/yingke-target"),
        _ => root().join("target"),
    }
}

/// Whether a machine started this rather than a person.
pub(crate) fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// An executable of the workspace, built in the debug profile.
pub(crate) fn executable(name: &str) -> PathBuf {
    target().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Tools installed by `setup` for this repository alone.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// Scratch space of this crate.
pub(crate) fn scratch() -> PathBuf {
    target().join("xtask")
}
