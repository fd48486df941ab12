//! `docs/SHAPES.md`: every shape that crosses the wire with its fields and what they mean, made from
//! the generated TypeScript, so that PROTOCOL can be followed without the source. It only lays out
//! anew what `shared/bindings` says; the client core's own types (`shared/bindings/ui`) never travel.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use crate::{builds, paths};

/// The page, relative to the root.
pub(crate) const PAGE: &str = "docs/SHAPES.md";

/// Where the shapes stand, relative to the root; folders below it are not of the wire.
pub(crate) const FOLDER: &str = "shared/bindings/";

const HEAD: &str = "# Shapes

Every shape of the wire, by its name, as TypeScript: part of [PROTOCOL](PROTOCOL.md), which says when \
each is sent. Made from the Rust types by `cargo xtask gen`; a check fails when it is stale. `A | B` \
is one of several, told apart by the words in quotes; `?` may be left out. A client ignores what it \
does not know, a relay refuses it.
";

/// Writes the page.
pub(crate) fn write() -> Result<()> {
    let root = paths::root();
    let mut texts = Vec::new();
    for path in builds::files_below(&root.join(FOLDER))? {
        let name = path.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
        if is_of_the_wire(&name) {
            texts.push((name, std::fs::read_to_string(&path)?));
        }
    }
    std::fs::write(root.join(PAGE), page(&mut texts)).context(PAGE)
}

/// Whether a file, its path relative to the root, is a shape of the wire.
pub(crate) fn is_of_the_wire(path: &str) -> bool {
    path.strip_prefix(FOLDER).is_some_and(|name| !name.contains('/') && name.ends_with(".ts"))
}

/// The page of these files, paths and texts, in the order of their paths.
pub(crate) fn page(files: &mut [(String, String)]) -> String {
    files.sort();
    let mut page = HEAD.to_owned();
    for (path, text) in files {
        let name = path.trim_start_matches(FOLDER).trim_end_matches(".ts");
        let _ = write!(page, "\n## {name}\n\n");
        let (said, shape) = parts(text);
        if !said.is_empty() {
            let _ = write!(page, "{said}\n\n");
        }
        let _ = write!(page, "```ts\n{}```\n", laid_out(&shape));
    }
    page
}

/// What a file says of its type, and the type.
fn parts(text: &str) -> (String, String) {
    let is_frame = |line: &&str| line.starts_with("//") || line.starts_with("import ");
    let body: Vec<&str> =
        text.lines().skip_while(|line| is_frame(line) || line.is_empty()).collect();
    let start = body.iter().position(|line| line.starts_with("export ")).unwrap_or(0);
    let (said, shape) = body.split_at(start);
    (said_by(said), shape.join("\n").replacen("export ", "", 1))
}

/// The words of a comment's lines, a paragraph a line.
fn said_by(lines: &[&str]) -> String {
    let words = lines.iter().filter_map(|line| {
        let line = line.trim();
        (!matches!(line, "/**" | "*/" | "")).then(|| line.trim_start_matches('*').trim())
    });
    words.collect::<Vec<_>>().join(" ").replace("[`", "`").replace("`]", "`")
}

/// A type with each field on its line, its comment before it, indented by its braces.
fn laid_out(shape: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    let mut comment: Option<Vec<&str>> = None;
    let shape = shape.replace("{ ", "{\n").replace(" }", "\n}");
    for line in shape.lines().map(str::trim) {
        if line.starts_with("/**") {
            comment = Some(Vec::new());
        }
        if let Some(lines) = &mut comment {
            lines.push(line);
            if line.ends_with("*/") {
                let _ = writeln!(out, "{}// {}", "  ".repeat(depth), said_by(lines));
                comment = None;
            }
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let before = if line.starts_with('}') { depth.saturating_sub(1) } else { depth };
        let _ = writeln!(out, "{}{line}", "  ".repeat(before));
        depth = (depth + line.matches('{').count()).saturating_sub(line.matches('}').count());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_every_field_with_its_meaning_and_nothing_of_the_client_core() {
        let text = "// This file was generated.\nimport type { B } from \"./B\";\n\n/**\n * A thing \
                    of\n * [`B`].\n */\nexport type A = { \"kind\": \"one\", \n/**\n * Why.\n */\n\
                    why: B | null, } | { \"kind\": \"two\", };\n";
        let page = page(&mut [("shared/bindings/A.ts".to_owned(), text.to_owned())]);
        let shape = "## A\n\nA thing of `B`.\n\n```ts\ntype A = {\n  \"kind\": \"one\",\n  // Why.\n  \
                     why: B | null,\n} | {\n  \"kind\": \"two\",\n};\n```\n";
        assert!(page.ends_with(shape), "{page}");
        assert!(is_of_the_wire("shared/bindings/A.ts"));
        assert!(!is_of_the_wire("shared/bindings/ui/A.ts"));
    }
}
