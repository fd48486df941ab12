//! How a file reads: its head, its length, nothing left open, words with one meaning.

use super::File;

const LINES_MAX: usize = 600;
/// A longer file says why in its head, in a line that begins with this word.
const LONG: &str = "Long:";
const HEAD_LINES: usize = 12;

/// Endings that say nothing about what a type is.
const EMPTY_ENDINGS: [&str; 7] =
    ["Manager", "Service", "Helper", "Util", "Processor", "Info", "Data"];
/// Words of the glossary's right column that have no other meaning in code.
const OTHER_WORDS: [&str; 4] = ["customer", "guest", "tenant", "dashboard"];

/// Every Rust file opens by saying what it owns.
pub(super) fn heads(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.is_rust())
        .filter(|file| !file.text.lines().next().unwrap_or_default().starts_with("//! "))
        .map(|file| file.finding(1, "the file does not open with `//!` lines on what it owns"))
        .collect()
}

/// A file over the limit gives its reason.
pub(super) fn length(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.is_rust() || file.is_typescript())
        .filter_map(|file| {
            let lines = file.text.lines().count();
            let has_reason = file
                .text
                .lines()
                .take(HEAD_LINES)
                .any(|line| line.trim_start_matches(['/', '!', '*', ' ']).starts_with(LONG));
            (lines > LINES_MAX && !has_reason).then(|| {
                file.finding(lines, &format!("over {LINES_MAX} lines and no `{LONG}` in the head"))
            })
        })
        .collect()
}

/// Nothing is left for later in the code, no test is switched off.
pub(super) fn left_open(files: &[File]) -> Vec<String> {
    // In pieces, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[ig", "nore"),
        concat!("@ts-ig", "nore"),
        concat!("describe.", "only("),
        concat!("it.", "only("),
        concat!("test.", "only("),
        concat!("it.", "skip("),
        concat!("test.", "skip("),
    ];
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() || file.is_typescript()) {
        for (index, line) in file.text.lines().enumerate() {
            for mark in marks.iter().filter(|mark| line.contains(*mark)) {
                findings.push(file.finding(index + 1, &format!("`{mark}` is left open")));
            }
        }
    }
    findings
}

/// Types end in what they are, and nouns are those of the glossary.
pub(super) fn names(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() || file.is_typescript()) {
        for (number, line) in file.code() {
            if let Some(name) = declared_type(line)
                && EMPTY_ENDINGS.iter().any(|end| name.ends_with(end))
            {
                findings
                    .push(file.finding(number, &format!("`{name}`: the last word says nothing")));
            }
            if file.is_below("xtask/") || file.path.contains("/demo/") {
                continue;
            }
            for word in identifiers(line).flat_map(words) {
                if OTHER_WORDS.contains(&word.as_str()) {
                    findings.push(file.finding(number, &format!("`{word}` is not a word of ours")));
                }
            }
        }
    }
    findings
}

fn declared_type(line: &str) -> Option<&str> {
    if line.starts_with(char::is_whitespace) {
        // An associated type has the name that its trait gave it.
        return None;
    }
    let mut words = line.split_whitespace().skip_while(|word| {
        word.starts_with("pub") || ["export", "declare", "abstract", "default"].contains(word)
    });
    let keyword = words.next()?;
    if !["struct", "enum", "trait", "type", "class", "interface"].contains(&keyword) {
        return None;
    }
    let name = words.next()?;
    name.split(|c: char| !c.is_alphanumeric()).next()
}

/// Identifiers of a line; what stands in quotes is text, not a name.
fn identifiers(line: &str) -> impl Iterator<Item = &str> {
    line.split('"')
        .step_by(2)
        .flat_map(|code| code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
}

/// The words of an identifier in snake or camel case, in small letters.
fn words(identifier: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_new = true;
    for c in identifier.chars() {
        if c == '_' {
            is_new = true;
            continue;
        }
        if is_new || c.is_ascii_uppercase() {
            words.push(String::new());
        }
        is_new = false;
        if let Some(word) = words.last_mut() {
            word.push(c.to_ascii_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_head_is_asked_for() {
        assert!(heads(&[file("a.rs", "//! Owns a.\n")]).is_empty());
        assert_eq!(heads(&[file("a.rs", "use b;\n"), file("a.ts", "x")]).len(), 1);
    }

    #[test]
    fn a_long_file_needs_its_reason() {
        let long = "x\n".repeat(601);
        assert_eq!(length(&[file("a.rs", &long)]).len(), 1);
        assert!(length(&[file("a.rs", &format!("//! Long: one table.\n{long}"))]).is_empty());
        assert!(length(&[file("shared/bindings/A.ts", &long)]).is_empty());
    }

    #[test]
    fn what_is_left_open_is_found_in_comments_too() {
        let text = format!("// {}: later\n", concat!("TO", "DO"));
        assert_eq!(left_open(&[file("a.rs", &text)]).len(), 1);
    }

    #[test]
    fn names_say_something_and_are_ours() {
        let found = |text: &str| names(&[file("relay/src/a.rs", text)]).len();
        assert_eq!(found("pub(crate) struct SessionManager {"), 1);
        assert_eq!(found("fn load(guest_id: u64, the: CustomerCard) {"), 2);
        assert_eq!(found("// a customer\nlet text = \"customer\"; // guest"), 0);
        assert_eq!(found("struct Guesthouse;\n    type Service = Self;"), 0);
    }
}
