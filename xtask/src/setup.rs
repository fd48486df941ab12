//! Installs what is missing on this computer, and says what and why. Nothing missing: no output,
//! no network, well under a second.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{paths, procs, say};

/// What the desktop shell is compiled against, and the library its tray opens at run time.
const SHELL_PACKAGES: [&str; 3] =
    ["libwebkit2gtk-4.1-dev", "pkg-config", "libayatana-appindicator3-dev"];

/// What the tests drive: a display, a session bus, a key store, two browsers, CJK letters.
const TEST_PACKAGES: [&str; 13] = [
    "webkit2gtk-driver",
    "xvfb",
    "xauth",
    "dbus",
    "dbus-daemon",
    "gnome-keyring",
    "openbox",
    "fonts-noto-cjk",
    "fonts-noto-color-emoji",
    "xdotool",
    "xclip",
    "chromium",
    "chromium-driver",
];

/// The bridge between WebDriver and a Tauri window; 2.x goes with the shell's Tauri 2.
const TAURI_DRIVER_VERSION: &str = "2.1.0";

/// What the front ends' tools ask of Node, as package.json says it; a test holds it against the lock file.
const NODE_NEEDED: &str = "^20.19.0 || ^22.12.0 || >=24.0.0";
/// The same for people.
const NODE_WORDS: &str =
    "Node.js 20.19 or later of 20, 22.12 or later of 22, or 24 and later is needed";

/// `cargo xtask setup`: for running, for testing, or both when neither is named.
pub(crate) fn setup(steps: &[String]) -> Result<()> {
    let wants = |step: &str| steps.is_empty() || steps.iter().any(|word| word == step);
    if wants("run") {
        for_running(true)?;
    }
    if wants("test") {
        for_testing()?;
    }
    say::step("已就绪 · everything is in place");
    Ok(())
}

/// What `run` and `build` need; the shell's libraries only where a window will be built.
pub(crate) fn for_running(with_shell: bool) -> Result<()> {
    node()?;
    if with_shell {
        packages(&SHELL_PACKAGES, "the desktop window is built against the system's web view")?;
    }
    npm_packages()
}

/// What `test` needs.
pub(crate) fn for_testing() -> Result<()> {
    node()?;
    let all: Vec<&str> = SHELL_PACKAGES.iter().chain(&TEST_PACKAGES).copied().collect();
    packages(&all, "the tests drive a real window and a real browser")?;
    npm_packages()?;
    rust_components()?;
    tauri_driver()
}

fn node() -> Result<()> {
    let version =
        procs::read(procs::command("node").arg("--version"), "node").with_context(|| {
            format!("{NODE_WORDS} to build the front ends: install it from https://nodejs.org")
        })?;
    let version = version.trim();
    if !is_within(NODE_NEEDED, version) {
        bail!("{NODE_WORDS}, this is {version}: install another from https://nodejs.org");
    }
    if procs::find("npm").is_none() && procs::find("npm.cmd").is_none() {
        bail!("npm is needed beside Node.js: install it (Debian: `apt-get install npm`)");
    }
    Ok(())
}

/// Whether a version is in a range as package files write it: one of several, each of comparisons that all
/// hold. What is neither `^` nor `>=` asks for that version itself.
fn is_within(range: &str, version: &str) -> bool {
    let version = numbers(version);
    range.split("||").any(|all| {
        let all = all.replace(">= ", ">=");
        all.split_whitespace().all(|one| match (one.strip_prefix('^'), one.strip_prefix(">=")) {
            (Some(least), _) => {
                let least = numbers(least);
                version >= least && version.first() == least.first()
            }
            (_, Some(least)) => version >= numbers(least),
            _ => version == numbers(one),
        })
    })
}

/// `v20.19.1`, `20`, `8.x`: what is left out is as good as none.
fn numbers(version: &str) -> Vec<u32> {
    let version = version.trim_start_matches('v');
    let number = |part: &str| part.parse::<u32>().unwrap_or_default();
    let mut numbers: Vec<u32> = version.split(['.', '-']).take(3).map(number).collect();
    numbers.resize(3, 0);
    numbers
}

/// System packages. Debian and its relatives are served by apt; elsewhere the person is told.
fn packages(names: &[&str], why: &str) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    if procs::find("apt-get").is_none() || procs::find("dpkg-query").is_none() {
        let is_there = procs::read(
            Command::new("pkg-config").args(["--exists", "webkit2gtk-4.1"]),
            "pkg-config",
        );
        if is_there.is_ok() {
            return Ok(());
        }
        bail!(
            "this system has no apt: {why}. Install your system's packages of the same content as \
             Debian's {}",
            names.join(" ")
        );
    }
    let missing = missing_packages(names)?;
    if missing.is_empty() {
        return Ok(());
    }
    say::step(&format!(
        "安装系统软件包 · installing system packages ({why}):\n    {}",
        missing.join(" ")
    ));
    apt(&["update", "-q"])?;
    let mut install = vec!["install", "-q", "-y", "--no-install-recommends"];
    install.extend(missing.iter().map(String::as_str));
    apt(&install)?;
    let still = missing_packages(names)?;
    if !still.is_empty() {
        bail!("apt-get installed nothing of the name {}", still.join(" "));
    }
    Ok(())
}

fn missing_packages(names: &[&str]) -> Result<Vec<String>> {
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${binary:Package} ${db:Status-Status}\n"])
        .args(names)
        .output()
        .context("dpkg-query cannot be started")?;
    // An unknown package makes dpkg-query fail, but the known ones are listed all the same.
    Ok(not_installed(names, &String::from_utf8_lossy(&output.stdout)))
}

fn not_installed(names: &[&str], listing: &str) -> Vec<String> {
    let installed: BTreeSet<&str> = listing
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, status)| *status == "installed")
        .map(|(name, _)| name.split(':').next().unwrap_or(name))
        .collect();
    names.iter().filter(|name| !installed.contains(*name)).map(|name| (*name).to_owned()).collect()
}

/// Runs apt-get as root, through sudo where needed. Its chatter is shown only when it fails.
fn apt(arguments: &[&str]) -> Result<()> {
    let id = procs::read(Command::new("id").arg("-u"), "id")?;
    let mut command = if id.trim() == "0" {
        procs::command("apt-get")
    } else if procs::find("sudo").is_some() {
        say::detail("sudo may ask for your password · sudo 可能会询问密码");
        let mut sudo = procs::command("sudo");
        sudo.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    } else {
        bail!(
            "installing packages needs root and there is no sudo. As root:\n  apt-get {}",
            arguments.join(" ")
        );
    };
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    let log = paths::scratch().join("apt.log");
    std::fs::create_dir_all(paths::scratch())?;
    command.stdout(std::fs::File::create(&log)?);
    let verb = arguments.first().copied().unwrap_or_default();
    procs::run_in_terminal(&mut command, &format!("apt-get {verb}"))
        .with_context(|| format!("its output is in {}", log.display()))
}

/// npm packages exactly as the lock file has them.
fn npm_packages() -> Result<()> {
    let root = paths::root();
    let lock = std::fs::read_to_string(root.join("package-lock.json"))
        .context("package-lock.json cannot be read")?;
    let installed = std::fs::read_to_string(root.join("node_modules/.package-lock.json"));
    if let Ok(installed) = installed
        && is_installed(&lock, &installed)?
    {
        return Ok(());
    }
    say::step("安装 npm 软件包 · installing npm packages from the lock file");
    procs::run(procs::npm().args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]), "npm ci")
}

/// Whether npm's own record of what it installed (`node_modules/.package-lock.json`, written last)
/// agrees with the lock file. Optional packages of other systems are not installed.
fn is_installed(lock: &str, installed: &str) -> Result<bool> {
    let lock: Value = serde_json::from_str(lock).context("package-lock.json")?;
    let Ok(installed) = serde_json::from_str::<Value>(installed) else { return Ok(false) };
    let Some(packages) = lock["packages"].as_object() else { return Ok(false) };
    let agree = packages
        .iter()
        .filter(|(path, entry)| path.starts_with("node_modules/") && entry["link"] != true)
        .all(|(path, entry)| match installed["packages"].get(path) {
            Some(found) => found["version"] == entry["version"],
            None => entry["optional"] == true,
        });
    Ok(agree)
}

fn rust_components() -> Result<()> {
    for (verb, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let mut command = procs::cargo();
        command.args([verb, "--version"]);
        if procs::read(&mut command, component).is_ok() {
            continue;
        }
        say::step(&format!("安装 {component} · installing {component} (format and lints)"));
        procs::run(
            procs::command("rustup").args(["component", "add", component]),
            "rustup component add",
        )
        .with_context(|| format!("install {component} for this Rust toolchain"))?;
    }
    Ok(())
}

/// Where `tauri-driver` is once installed.
pub(crate) fn tauri_driver_path() -> std::path::PathBuf {
    paths::tools().join("bin").join(format!("tauri-driver{}", std::env::consts::EXE_SUFFIX))
}

fn tauri_driver() -> Result<()> {
    let record = std::fs::read_to_string(paths::tools().join(".crates.toml")).unwrap_or_default();
    if record.contains(&format!("\"tauri-driver {TAURI_DRIVER_VERSION} "))
        && tauri_driver_path().is_file()
    {
        return Ok(());
    }
    say::step("安装 tauri-driver · installing tauri-driver (drives the real window in tests)");
    let mut install = procs::cargo();
    install
        .args(["install", "--quiet", "--locked", "--version", TAURI_DRIVER_VERSION, "--root"])
        .arg(paths::tools())
        .arg("tauri-driver");
    procs::run(&mut install, "cargo install tauri-driver")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_half_installed_or_unknown_are_missing() {
        let listing = "xvfb installed\ndbus:amd64 installed\nxclip config-files\n";
        assert_eq!(not_installed(&["xvfb", "dbus", "xclip", "xauth"], listing), ["xclip", "xauth"]);
    }

    /// What setup takes is what every package that is always installed takes, and what package.json and
    /// README say.
    #[test]
    fn the_node_that_is_taken_is_the_one_the_packages_need() {
        let read = |name: &str| std::fs::read_to_string(paths::root().join(name)).unwrap();
        let lock: Value = serde_json::from_str(&read("package-lock.json")).unwrap();
        let needed: Vec<&str> = lock["packages"]
            .as_object()
            .unwrap()
            .values()
            .filter(|package| package["optional"] != true)
            .filter_map(|package| package["engines"]["node"].as_str())
            .collect();
        let versions = [
            "18.20.8", "20.18.3", "20.19.0", "20.20.2", "21.7.3", "22.11.0", "22.12.0", "22.99.0",
            "23.11.0", "24.0.0", "26.1.0",
        ];
        for version in versions {
            let is_good = needed.iter().all(|range| is_within(range, version));
            assert_eq!(is_within(NODE_NEEDED, &format!("v{version}")), is_good, "{version}");
        }
        let package: Value = serde_json::from_str(&read("package.json")).unwrap();
        assert_eq!(package["engines"]["node"], NODE_NEEDED);
        assert!(read("README.md").contains("Node 20.19+, 22.12+ or 24+"));
    }

    #[test]
    fn another_version_or_a_missing_package_asks_for_npm() {
        let lock = r#"{"packages": {"": {}, "widget": {},
            "node_modules/@yingke/widget": {"resolved": "widget", "link": true},
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/b-darwin": {"version": "2.0.0", "optional": true}}}"#;
        let same = r#"{"packages": {"node_modules/a": {"version": "1.0.0"}}}"#;
        let other = r#"{"packages": {"node_modules/a": {"version": "1.0.1"}}}"#;
        assert!(is_installed(lock, same).unwrap());
        assert!(!is_installed(lock, other).unwrap());
        assert!(!is_installed(lock, r#"{"packages": {}}"#).unwrap());
        assert!(!is_installed(lock, "cut off").unwrap());
    }
}
