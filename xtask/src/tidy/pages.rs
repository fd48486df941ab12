//! Pages of the documentation that are made from the source say what the source says.

use super::File;
use crate::{limits, shapes};

/// The page of limits is what its sources make it.
pub(super) fn limits_are_fresh(files: &[File]) -> Vec<String> {
    let text_of = |path: &str| files.iter().find(|file| file.path == path);
    let sources: Option<Vec<String>> = limits::SOURCES
        .iter()
        .map(|(path, _)| text_of(path).map(|file| file.text.clone()))
        .collect();
    let Some(sources) = sources else { return Vec::new() };
    is_fresh(files, limits::PAGE, &limits::page(&sources))
}

/// The page of shapes is what the bindings make it.
pub(super) fn shapes_are_fresh(files: &[File]) -> Vec<String> {
    let mut texts: Vec<_> = files
        .iter()
        .filter(|file| shapes::is_of_the_wire(&file.path))
        .map(|file| (file.path.clone(), file.text.clone()))
        .collect();
    if texts.is_empty() {
        return Vec::new();
    }
    is_fresh(files, shapes::PAGE, &shapes::page(&mut texts))
}

fn is_fresh(files: &[File], path: &str, made: &str) -> Vec<String> {
    match files.iter().find(|file| file.path == path) {
        Some(page) if page.text == made => Vec::new(),
        Some(page) => vec![page.finding(1, "is stale; make it by `cargo xtask gen`")],
        None => vec![format!("{path}: is missing; make it by `cargo xtask gen`")],
    }
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_limit_that_changed_makes_the_page_stale() {
        let sources = |value: &str| {
            let line = format!("/// Why.\npub const A_MAX: usize = {value};\n");
            limits::SOURCES.map(|(path, _)| file(path, &line))
        };
        let mut files = sources("7").to_vec();
        let texts: Vec<String> = files.iter().map(|file| file.text.clone()).collect();
        files.push(file(limits::PAGE, &limits::page(&texts)));
        assert!(limits_are_fresh(&files).is_empty());
        let page = files.pop().unwrap();
        let mut changed = sources("8").to_vec();
        assert_eq!(limits_are_fresh(&changed).len(), 1, "missing");
        changed.push(page);
        assert_eq!(limits_are_fresh(&changed).len(), 1);
    }

    #[test]
    fn a_shape_that_changed_makes_the_page_stale() {
        let shape =
            |text: &str| file("shared/bindings/A.ts", &format!("export type A = {text};\n"));
        let mut texts = [("shared/bindings/A.ts".to_owned(), shape("number").text)];
        let page = file(shapes::PAGE, &shapes::page(&mut texts));
        assert!(shapes_are_fresh(&[shape("number"), page.clone()]).is_empty());
        assert_eq!(shapes_are_fresh(&[shape("string"), page]).len(), 1);
    }
}
