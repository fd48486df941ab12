//! Builds: the two front ends by Vite, everything else by one cargo invocation.
//!
//! A front end is built again only when the content of something it is made of changed; cargo
//! knows that by itself.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{paths, procs, say, setup};

/// Folders and files that both front ends are made of, beside their own folder.
const SHARED_INPUTS: [&str; 5] =
    ["shared/bindings", "shared/i18n", "assets", "package.json", "package-lock.json"];

/// The npm workspaces.
pub(crate) const FRONT_ENDS: [&str; 2] = ["widget", "desktop-ui"];

/// `cargo xtask build`.
pub(crate) fn build(parts: &[String], release: bool) -> Result<()> {
    let wants = |part: &str| parts.is_empty() || parts.iter().any(|word| word == part);
    setup::for_running(wants("desktop"))?;
    // The relay serves the widget and carries it inside.
    if wants("widget") || wants("relay") {
        front_end("widget")?;
    }
    if wants("desktop") {
        front_end("desktop-ui")?;
    }
    let mut packages = Vec::new();
    if wants("relay") {
        packages.push("yingke-relay");
    }
    if wants("desktop") {
        packages.extend(["yingke-client", "yingke-desktop"]);
    }
    if packages.is_empty() {
        return Ok(());
    }
    cargo_build(&packages, release)?;
    if release && wants("desktop") {
        set_debug_information_aside(&paths::target().join("release/yingke-desktop"))?;
        say::step("制作 .deb · bundling the desktop client");
        let mut tauri = procs::npm();
        tauri
            .args(["exec", "--", "tauri", "bundle", "--bundles", "deb"])
            .current_dir(paths::root().join("desktop"))
            .env("CARGO_TARGET_DIR", paths::target());
        procs::run(&mut tauri, "tauri bundle")?;
    }
    let folder = paths::target().join(if release { "release" } else { "debug" });
    say::step(&format!("完成 · built into {}", folder.display()));
    Ok(())
}

/// Moves a program's debug information, three quarters of it, into a file of its own beside it:
/// whoever reads a crash finds it there, and nobody has to download it.
fn set_debug_information_aside(program: &Path) -> Result<()> {
    let mut sections = procs::command("readelf");
    sections.args(["--sections", "--wide"]).arg(program);
    if !procs::read(&mut sections, "readelf")?.contains(".debug_info") {
        return Ok(());
    }
    let aside = program.with_extension("debug");
    let mut keep = procs::command("objcopy");
    keep.arg("--only-keep-debug").arg(program).arg(&aside);
    procs::run(&mut keep, "objcopy")?;
    let mut strip = procs::command("objcopy");
    let link = format!("--add-gnu-debuglink={}", aside.display());
    strip.arg("--strip-unneeded").arg(link).arg(program);
    procs::run(&mut strip, "objcopy")
}

/// Builds these packages with all their programs, in one invocation.
pub(crate) fn cargo_build(packages: &[&str], release: bool) -> Result<()> {
    let mut cargo = procs::cargo();
    cargo.args(["build", "--bins"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    if release {
        cargo.arg("--release");
    }
    procs::run(&mut cargo, "cargo build")
}

/// Builds every program of the workspace with the features that the tests are built with, so that
/// running and testing compile each dependency once.
pub(crate) fn every_program() -> Result<()> {
    procs::run(procs::cargo().args(["build", "--workspace", "--bins"]), "cargo build")
}

/// Builds a front end unless it is current.
pub(crate) fn front_end(name: &str) -> Result<()> {
    let root = paths::root();
    let folder = root.join(name);
    let mut inputs = vec![folder.clone()];
    inputs.extend(SHARED_INPUTS.iter().map(|input| root.join(input)));
    let fingerprint = fingerprint(&inputs)?;
    // Beside the installed packages: a new installation builds again.
    let stamp = root.join("node_modules/.cache/yingke").join(name);
    if folder.join("dist").is_dir()
        && std::fs::read_to_string(&stamp).is_ok_and(|known| known == fingerprint)
    {
        return Ok(());
    }
    say::step(&format!("构建 {name} · building {name}"));
    let mut npm = procs::npm();
    npm.args(["run", "--silent", "build", "--workspace", name]);
    procs::run_quietly(&mut npm, &format!("building {name}"))?;
    if let Some(parent) = stamp.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(&stamp, fingerprint)?;
    Ok(())
}

/// A fingerprint of the content of files and folders, without what is made from them.
fn fingerprint(inputs: &[PathBuf]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        for file in files_below(input)? {
            hasher.write(file.as_os_str().as_encoded_bytes());
            let content =
                std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
            hasher.write_usize(content.len());
            hasher.write(&content);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// All files below a folder in a fixed order; generated and hidden folders are left out.
pub(crate) fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || ["dist", "node_modules", "target"].contains(&name.as_ref())
            {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// A test program that cargo built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestProgram {
    /// The package it belongs to.
    pub(crate) package: String,
    /// The package's folder: tests run there.
    pub(crate) folder: PathBuf,
    /// The library, program or test file it was made from.
    pub(crate) target: String,
    /// Where it is.
    pub(crate) executable: PathBuf,
}

/// Builds the whole workspace, programs and tests, in one invocation: several would compile
/// dependencies again for each set of features.
pub(crate) fn workspace() -> Result<Vec<TestProgram>> {
    let mut cargo = procs::cargo();
    cargo
        .args(["build", "--workspace", "--all-targets"])
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped());
    let mut task = procs::Task::start(&mut cargo, "cargo build", false)?;
    let mut programs = BTreeMap::new();
    if let Some(stdout) = task.stdout() {
        for line in BufReader::new(stdout).lines() {
            if let Some(program) = test_program(&line.context("reading cargo's messages")?) {
                programs.insert((program.package.clone(), program.target.clone()), program);
            }
        }
    }
    task.succeed("cargo build")?;
    if programs.is_empty() {
        bail!("cargo named no test program");
    }
    Ok(programs.into_values().collect())
}

fn test_program(message: &str) -> Option<TestProgram> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    // Built along so that they keep compiling, but measuring is not testing.
    if message["target"]["kind"].as_array()?.iter().any(|kind| kind == "bench") {
        return None;
    }
    let manifest = PathBuf::from(message["manifest_path"].as_str()?);
    let folder = manifest.parent()?.to_path_buf();
    let id = message["package_id"].as_str()?;
    // `path+file:///…/relay#yingke-relay@0.1.0`, or `…/xtask#0.1.0` where the folder has the name.
    let package = match id.rsplit_once('#')?.1.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => folder.file_name()?.to_str()?.to_owned(),
    };
    Some(TestProgram {
        package,
        folder,
        target: message["target"]["src_path"]
            .as_str()
            .and_then(|path| Path::new(path).strip_prefix(manifest.parent()?).ok()?.to_str())?
            .to_owned(),
        executable: PathBuf::from(message["executable"].as_str()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_follows_content_and_ignores_what_is_generated() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let now = || fingerprint(&[dir.path().to_path_buf()]).unwrap();
        write("src/a.ts", "1");
        let first = now();
        write("dist/a.js", "1");
        write("node_modules/x/index.js", "1");
        assert_eq!(first, now());
        write("src/a.ts", "2");
        assert_ne!(first, now());
    }

    #[test]
    fn test_programs_are_read_from_cargos_messages() {
        let message = r#"{"reason":"compiler-artifact",
            "package_id":"path+file:///w/relay/routing#yingke-routing@0.1.0",
            "manifest_path":"/w/relay/routing/Cargo.toml",
            "target":{"kind":["lib"],"name":"yingke_routing","src_path":"/w/relay/routing/src/lib.rs"},
            "profile":{"test":true},"executable":"/w/target/debug/deps/yingke_routing-1"}"#;
        let program = test_program(message).unwrap();
        assert_eq!(
            (program.package.as_str(), program.target.as_str()),
            ("yingke-routing", "src/lib.rs")
        );
        let unnamed = message.replace("#yingke-routing@0.1.0", "#0.1.0");
        assert_eq!(test_program(&unnamed).unwrap().package, "routing");
        assert_eq!(test_program(&message.replace("true", "false")), None);
        assert_eq!(test_program(&message.replace("\"lib\"", "\"bench\"")), None);
        assert_eq!(test_program("Compiling x"), None);
    }
}
