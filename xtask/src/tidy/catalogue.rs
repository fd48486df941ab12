//! The catalogue of texts: both languages say the same things with the same gaps to fill.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::File;

const LANGUAGES: [&str; 2] = ["shared/i18n/zh-CN.json", "shared/i18n/en.json"];

/// Equal keys, no empty text, equal placeholders.
pub(super) fn languages_agree(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut catalogues = Vec::new();
    for path in LANGUAGES {
        let Some(file) = files.iter().find(|file| file.path == path) else { continue };
        match serde_json::from_str(&file.text) {
            Ok(value) => {
                let mut texts = BTreeMap::new();
                flatten("", &value, &mut texts);
                catalogues.push((file, texts));
            }
            Err(error) => findings.push(file.finding(error.line(), &error.to_string())),
        }
    }
    let [(first, ours), (second, theirs)] = catalogues.as_slice() else { return findings };
    for (file, texts, other) in [(first, ours, theirs), (second, theirs, ours)] {
        for key in other.keys().filter(|key| !has(texts, key)) {
            findings.push(file.finding(1, &format!("`{key}` is missing")));
        }
        for (key, _) in texts.iter().filter(|(_, text)| text.trim().is_empty()) {
            findings.push(file.finding(1, &format!("`{key}` is empty")));
        }
    }
    for (key, text) in theirs {
        if let Some(original) = ours.get(key)
            && placeholders(original) != placeholders(text)
        {
            findings.push(second.finding(1, &format!("`{key}` has other placeholders")));
        }
    }
    findings
}

/// Whether a language has this text. Which plural forms there are is the language's own: `other`
/// is enough.
fn has(texts: &BTreeMap<String, String>, key: &str) -> bool {
    let is_form_of_other = || {
        let (head, form) = key.rsplit_once('.')?;
        let is_form = ["zero", "one", "two", "few", "many"].contains(&form);
        Some(is_form && texts.contains_key(&format!("{head}.other")))
    };
    texts.contains_key(key) || is_form_of_other().unwrap_or_default()
}

fn flatten(head: &str, value: &Value, texts: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let key = if head.is_empty() { name.clone() } else { format!("{head}.{name}") };
                flatten(&key, member, texts);
            }
        }
        Value::String(text) => {
            texts.insert(head.to_owned(), text.clone());
        }
        other => {
            texts.insert(head.to_owned(), other.to_string());
        }
    }
}

/// Names in braces.
fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn findings(zh: &str, en: &str) -> usize {
        languages_agree(&[file(LANGUAGES[0], zh), file(LANGUAGES[1], en)]).len()
    }

    #[test]
    fn keys_texts_and_placeholders_are_compared() {
        assert_eq!(findings(r#"{"a": {"b": "第{n}位"}}"#, r#"{"a": {"b": "No. {n}"}}"#), 0);
        assert_eq!(findings(r#"{"a": {"b": "第{n}位"}}"#, r#"{"a": {"b": "No. {m}"}}"#), 1);
        assert_eq!(findings(r#"{"a": "一"}"#, r#"{"b": "two"}"#), 2);
        assert_eq!(findings(r#"{"a": "一"}"#, r#"{"a": ""}"#), 1);
        assert_eq!(findings(r#"{"a": "一"}"#, "{"), 1);
        let plural = r#"{"a": {"one": "{n} day", "other": "{n} days"}}"#;
        assert_eq!(findings(r#"{"a": {"other": "{n}天"}}"#, plural), 0);
        assert_eq!(findings(plural, r#"{"a": {"one": "{n} day"}}"#), 1);
    }
}
