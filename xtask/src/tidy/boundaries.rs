//! The invariants that are absences: what a folder must not know.

use std::collections::BTreeSet;

use super::File;

/// Words that must not stand in the code of a folder, except below some parts of it.
struct Boundary {
    folder: &'static str,
    except: &'static [&'static str],
    words: &'static [&'static str],
    why: &'static str,
}

/// What makes markup of a text.
const MARKUP: [&str; 4] = ["InnerHTML", ".innerHTML", ".outerHTML", "insertAdjacentHTML"];

const BOUNDARIES: [Boundary; 8] = [
    Boundary {
        folder: "relay/src/",
        except: &["relay/src/store/"],
        words: &["PRAGMA", "rusqlite", "julianday", "datetime(", "strftime(", "sqlite_master"],
        why: "only store/ knows the engine",
    },
    Boundary {
        folder: "relay/src/",
        // The bench is a client: it only ever connects.
        except: &["relay/src/live/", "relay/src/bench/"],
        words: &["axum::extract::ws", "WebSocketUpgrade", "tungstenite"],
        why: "only live/ touches a socket",
    },
    Boundary {
        folder: "relay/routing/src/",
        except: &[],
        words: &["tokio", "HashMap", "HashSet", "rand::", "SystemTime", "Instant", "async "],
        why: "the routing core has no clock, randomness, async or hash maps",
    },
    Boundary {
        folder: "shared/src/",
        except: &[],
        words: &["std::time", "tokio", "SystemTime", "std::fs", "std::net", "HashMap"],
        why: "the protocol has no clock and no I/O",
    },
    Boundary {
        folder: "desktop-ui/",
        except: &["desktop-ui/src/host/tauri.ts"],
        words: &["@tauri-apps"],
        why: "only host/tauri.ts knows Tauri",
    },
    Boundary {
        folder: "widget/",
        except: &[],
        words: &["@tauri-apps", "antd"],
        why: "the widget is small",
    },
    Boundary { folder: "widget/", except: &[], words: &MARKUP, why: "text is never markup" },
    Boundary { folder: "desktop-ui/", except: &[], words: &MARKUP, why: "text is never markup" },
];

/// Dependencies that a manifest must not name.
const MANIFESTS: [(&str, &[&str]); 3] = [
    ("desktop/core/Cargo.toml", &["tauri"]),
    ("relay/routing/Cargo.toml", &["tokio", "rusqlite", "rand", "getrandom", "futures"]),
    ("shared/Cargo.toml", &["tokio", "rusqlite", "reqwest", "axum"]),
];

/// No folder knows what it must not know.
pub(super) fn code(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for boundary in &BOUNDARIES {
        let inside = files.iter().filter(|file| {
            (file.is_rust() || file.is_typescript())
                && file.is_below(boundary.folder)
                && !boundary.except.iter().any(|part| file.is_below(part))
        });
        for file in inside {
            for (number, line) in file.code() {
                for word in boundary.words.iter().filter(|word| line.contains(*word)) {
                    findings.push(file.finding(number, &format!("`{word}`: {}", boundary.why)));
                }
            }
        }
    }
    findings
}

/// No manifest names a dependency that its crate must not have.
pub(super) fn manifests(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, banned) in MANIFESTS {
        for file in files.iter().filter(|file| file.path == path) {
            for (index, line) in file.text.lines().enumerate() {
                let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
                if banned.iter().any(|word| name.starts_with(word)) {
                    findings.push(file.finding(index + 1, &format!("must not depend on `{name}`")));
                }
            }
        }
    }
    findings
}

/// Every code of the closed list is given or understood by someone.
pub(super) fn error_codes(files: &[File]) -> Vec<String> {
    const LIST: &str = "shared/src/error_code.rs";
    let Some(list) = files.iter().find(|file| file.path == LIST) else { return Vec::new() };
    let used: BTreeSet<&str> = files
        .iter()
        .filter(|file| file.is_rust() && !file.is_below("shared/"))
        .flat_map(|file| file.text.split("ErrorCode::").skip(1))
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default())
        .collect();
    variants(list, "enum ErrorCode {")
        .into_iter()
        .filter(|(_, name)| !used.contains(name))
        .map(|(line, name)| list.finding(line, &format!("`{name}` is used by no one")))
        .collect()
}

/// The unit variants of an enum with their lines.
fn variants<'a>(file: &'a File, opening: &str) -> Vec<(usize, &'a str)> {
    file.code()
        .skip_while(|(_, line)| !line.contains(opening))
        .skip(1)
        .take_while(|(_, line)| *line != "}")
        .filter_map(|(number, line)| Some((number, line.trim().strip_suffix(',')?)))
        .filter(|(_, name)| name.chars().all(char::is_alphanumeric))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn engine_words_stay_in_the_store() {
        let sql = "tx.execute(\"PRAGMA wal_checkpoint\")";
        assert_eq!(code(&[file("relay/src/agents/store.rs", sql)]).len(), 1);
        assert!(code(&[file("relay/src/store/writer.rs", sql)]).is_empty());
        assert!(code(&[file("relay/src/agents/store.rs", "// no PRAGMA here")]).is_empty());
    }

    #[test]
    fn each_boundary_is_guarded() {
        let crossing = [
            ("relay/src/auth/routes.rs", "use axum::extract::ws::WebSocket;"),
            ("relay/routing/src/lib.rs", "use std::collections::HashMap;"),
            ("shared/src/time.rs", "use std::time::SystemTime;"),
            ("desktop-ui/src/views/main.tsx", "import { invoke } from '@tauri-apps/api/core';"),
            ("widget/src/app/text.tsx", "node.innerHTML = text;"),
            ("desktop-ui/src/ui/text.tsx", "<p dangerouslySetInnerHTML={{ __html: text }} />"),
        ];
        for (path, text) in crossing {
            assert!(!code(&[file(path, text)]).is_empty(), "{path}");
        }
        let home = "import { invoke } from '@tauri-apps/api/core';";
        assert!(code(&[file("desktop-ui/src/host/tauri.ts", home)]).is_empty());
    }

    #[test]
    fn manifests_are_boundaries() {
        assert_eq!(
            manifests(&[file("desktop/core/Cargo.toml", "tauri.workspace = true")]).len(),
            1
        );
        assert!(manifests(&[file("desktop/Cargo.toml", "tauri.workspace = true")]).is_empty());
    }

    #[test]
    fn an_unused_error_code_is_found() {
        let list = "/// Codes.\npub enum ErrorCode {\n    /// Full.\n    Full,\n    Closed,\n}\n";
        let files = [
            file("shared/src/error_code.rs", list),
            file("relay/src/error.rs", "return ErrorCode::Full;"),
            file("shared/src/apply.rs", "ErrorCode::Closed"),
        ];
        assert_eq!(error_codes(&files), ["shared/src/error_code.rs:5: `Closed` is used by no one"]);
    }
}
