//! The page of limits says what the program does.

use super::File;
use crate::limits;

/// The page is what its sources make it.
pub(super) fn page_is_fresh(files: &[File]) -> Vec<String> {
    let text_of = |path: &str| files.iter().find(|file| file.path == path);
    let sources: Option<Vec<String>> = limits::SOURCES
        .iter()
        .map(|(path, _)| text_of(path).map(|file| file.text.clone()))
        .collect();
    let (Some(sources), Some(page)) = (sources, text_of(limits::PAGE)) else { return Vec::new() };
    if page.text == limits::page(&sources) {
        return Vec::new();
    }
    vec![page.finding(1, "is stale; make it by `cargo xtask gen`")]
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
        assert!(page_is_fresh(&files).is_empty());
        let page = files.pop().unwrap();
        let mut changed = sources("8").to_vec();
        changed.push(page);
        assert_eq!(page_is_fresh(&changed).len(), 1);
    }
}
