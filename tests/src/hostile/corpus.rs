//! The inputs that stand in the repository: `tests/corpus/FOLDER/*` as they are, each line of a
//! `.jsonl` file for itself, and the golden samples of the protocol. A file named `failed-…` once broke
//! something.

use std::path::{Path, PathBuf};

use serde_json::Value;

fn tests_folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

pub(super) fn folder(name: &str) -> PathBuf {
    tests_folder().join("corpus").join(name)
}

/// Every input of a folder, what once failed first.
#[must_use]
pub fn inputs(name: &'static str) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder(name))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort_by_key(|path| (!is_failed(path), path.clone()));
    let mut found: Vec<Vec<u8>> = files.iter().flat_map(|path| read(path)).collect();
    found.extend(samples(name).iter().map(|value| value.to_string().into_bytes()));
    found
}

fn read(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "jsonl") {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        return lines.map(<[u8]>::to_vec).collect();
    }
    vec![bytes]
}

fn is_failed(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("failed-"))
}

/// The golden samples that belong to a folder.
fn samples(name: &str) -> Vec<Value> {
    let at = |file: &str| -> Value {
        let path = tests_folder().join("../shared/samples").join(file);
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    match name {
        "commands" => {
            let both = at("commands.json");
            [list(&both["staff"]), list(&both["visitor"])].concat()
        }
        "staff_commands" => list(&at("commands.json")["staff"]),
        "visitor_commands" => list(&at("commands.json")["visitor"]),
        "staff_frames" | "desktop" => list(&at("frames_staff.json")),
        "visitor_frames" => list(&at("frames_visitor.json")),
        "staff_stories" => {
            ["staff_story.json", "staff_gain_lose_gain_story.json", "staff_said_story.json"]
                .map(at)
                .to_vec()
        }
        "visitor_stories" => ["visitor_story.json", "visitor_serving_story.json"].map(at).to_vec(),
        _ => Vec::new(),
    }
}

/// Keeps an input that failed; gives where. The same input is kept once.
pub fn keep(name: &str, door: &str, input: &[u8]) -> Option<PathBuf> {
    let hash = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    let path = folder(name).join(format!("failed-{}-{hash:016x}", door.replace(' ', "-")));
    std::fs::write(&path, input).ok()?;
    Some(path)
}
