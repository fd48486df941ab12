//! Rules about the source that no compiler and no linter knows. Each rule is a function from files
//! to findings, and each has a test in which it fails.

mod boundaries;
mod catalogue;
mod pages;
mod source;

use std::path::Path;

use anyhow::{Result, bail};

use crate::{builds, paths};

/// From files to findings.
type Rule = fn(&[File]) -> Vec<String>;

/// Folders whose files the rules read.
const FOLDERS: [&str; 7] = ["shared", "relay", "desktop", "desktop-ui", "widget", "tests", "xtask"];

/// A source file, its path relative to the root with forward slashes.
#[derive(Debug, Clone)]
struct File {
    path: String,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn is_typescript(&self) -> bool {
        [".ts", ".tsx"].iter().any(|end| self.path.ends_with(end)) && !self.is_generated()
    }

    fn is_generated(&self) -> bool {
        self.path.starts_with("shared/bindings/")
    }

    fn is_below(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// Lines with their numbers, without comments: a rule about code must not forbid to explain.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().filter_map(|(index, line)| {
            let start = line.trim_start();
            if start.starts_with("//") || start.starts_with("* ") || start.starts_with("/*") {
                return None;
            }
            let code = line.split_once(" // ").map_or(line, |(code, _)| code);
            Some((index + 1, code))
        })
    }

    fn finding(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// Reads the sources and applies every rule.
pub(crate) fn check() -> Result<()> {
    let findings = findings(&read(&paths::root())?);
    if !findings.is_empty() {
        for finding in &findings {
            println!("  {finding}");
        }
        bail!("{} findings", findings.len());
    }
    Ok(())
}

fn findings(files: &[File]) -> Vec<String> {
    let rules: [Rule; 10] = [
        source::heads,
        source::length,
        source::left_open,
        source::names,
        boundaries::code,
        boundaries::manifests,
        boundaries::error_codes,
        catalogue::languages_agree,
        pages::limits_are_fresh,
        pages::shapes_are_fresh,
    ];
    rules.iter().flat_map(|rule| rule(files)).collect()
}

fn read(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        for path in builds::files_below(&root.join(folder))? {
            let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            let is_source = [".rs", ".ts", ".tsx", ".toml", ".json", ".css", ".html"]
                .iter()
                .any(|end| name.ends_with(end));
            if is_source && let Ok(text) = std::fs::read_to_string(&path) {
                files.push(File { path: name, text });
            }
        }
    }
    for page in [crate::limits::PAGE, crate::shapes::PAGE] {
        if let Ok(text) = std::fs::read_to_string(root.join(page)) {
            files.push(File { path: page.to_owned(), text });
        }
    }
    Ok(files)
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}
