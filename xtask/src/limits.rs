//! `docs/LIMITS.md`: every limit with its size and the reason for it, made from the comments of the
//! files that define them, so that the page cannot say anything else than the program does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use crate::paths;

/// The page, relative to the root.
pub(crate) const PAGE: &str = "docs/LIMITS.md";

/// Where limits are defined, and what the page says of each file.
pub(crate) const SOURCES: [(&str, &str); 2] = [
    ("shared/src/limits.rs", "Known to both ends of the wire"),
    ("relay/src/limits.rs", "The relay's own"),
];

const HEAD: &str = "# Limits

Everything has a limit. This page is made from the files named below by `cargo xtask gen`; a check \
fails when it is stale. Sizes are in the unit the name ends in; what a client meets, and how it is \
told, stands in [PROTOCOL](PROTOCOL.md), section 10; what an operator can set, in \
[OPERATING](OPERATING.md). There are no uploads, so there are no limits of them; \
nothing on a socket is compressed.
";

/// One limit as its file defines it.
#[derive(Debug, PartialEq, Eq)]
struct Limit {
    section: String,
    name: String,
    value: String,
    reason: String,
}

/// Writes the page.
pub(crate) fn write() -> Result<()> {
    let root = paths::root();
    let mut texts = Vec::new();
    for (path, _) in SOURCES {
        texts.push(std::fs::read_to_string(root.join(path)).with_context(|| path.to_owned())?);
    }
    std::fs::write(root.join(PAGE), page(&texts)).context(PAGE)
}

/// The page for these sources, in the order of [`SOURCES`].
pub(crate) fn page(texts: &[String]) -> String {
    let mut known = BTreeMap::new();
    let mut page = HEAD.to_owned();
    for ((path, title), text) in SOURCES.iter().zip(texts) {
        let _ = write!(page, "\n## {title}: `{path}`\n");
        let mut section = None;
        for limit in limits(text) {
            if section.as_ref() != Some(&limit.section) {
                if !limit.section.is_empty() {
                    let _ = write!(page, "\n### {}\n", limit.section);
                }
                page.push_str("\n| limit | size | |\n| --- | --- | --- |\n");
                section = Some(limit.section.clone());
            }
            let size = size(&limit.value, &known);
            if let Ok(number) = size.replace(',', "").parse::<u128>() {
                known.insert(limit.name.clone(), number);
            }
            let _ = writeln!(page, "| `{}` | {size} | {} |", limit.name, limit.reason);
        }
    }
    page
}

fn limits(text: &str) -> Vec<Limit> {
    let mut found = Vec::new();
    let (mut section, mut reason) = (String::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("// ---- ") {
            title.trim_end_matches(['-', ' ']).clone_into(&mut section);
        } else if let Some(comment) = line.strip_prefix("///") {
            reason.push(comment.trim());
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let mut whole = rest.to_owned();
            while !whole.trim_end().ends_with(';') {
                let Some(more) = lines.next() else { break };
                whole.push(' ');
                whole.push_str(more.trim());
            }
            if let Some((name, rest)) = whole.split_once(':')
                && let Some((_, value)) = rest.split_once('=')
            {
                found.push(Limit {
                    section: section.clone(),
                    name: name.trim().to_owned(),
                    value: value.trim().trim_end_matches(';').to_owned(),
                    reason: reason
                        .join(" ")
                        .replace("[`", "`")
                        .replace("`]", "`")
                        .replace('|', "/"),
                });
            }
            reason.clear();
        } else {
            reason.clear();
        }
    }
    found
}

/// A product as its number, with commas between thousands; anything else as it is written.
fn size(value: &str, known: &BTreeMap<String, u128>) -> String {
    let factor = |text: &str| {
        let text = text.trim();
        let name = text.rsplit("::").next().unwrap_or_default();
        text.replace('_', "").parse::<u128>().ok().or_else(|| known.get(name).copied())
    };
    match value.split('*').map(factor).product::<Option<u128>>() {
        Some(number) => with_commas(number),
        None => format!("`{}`", value.replace("yingke_shared::limits::", "").replace(", }", " }")),
    }
}

fn with_commas(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_every_limit_with_its_size_and_reason() {
        let shared = "/// One frame, in bytes.\npub const FRAME_BYTES_MAX: usize = 64 * 1_024;\n";
        let relay = "// ---- live ----\n\n/// A frame read to its end:\n/// see [`FRAME_BYTES_MAX`].\n\
                     pub const READ_BYTES_MAX: usize = 4 * yingke_shared::limits::FRAME_BYTES_MAX;\n\
                     #[derive(Debug)]\npub struct Rate;\n\n/// So many.\npub const RATE: Rate =\n    \
                     Rate {};\n";
        let page = page(&[shared.to_owned(), relay.to_owned()]);
        assert!(page.contains("| `FRAME_BYTES_MAX` | 65,536 | One frame, in bytes. |"), "{page}");
        let read =
            "| `READ_BYTES_MAX` | 262,144 | A frame read to its end: see `FRAME_BYTES_MAX`. |";
        assert!(page.contains(read) && page.contains("### live"), "{page}");
        assert!(page.contains("| `RATE` | `Rate {}` | So many. |"), "{page}");
    }
}
