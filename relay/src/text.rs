//! What people and browsers hand in as text, checked or cut before anything stores it. Text stays
//! text: nothing here reads or makes markup.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::limits::{NAME_CHARS_MAX, REMARK_CHARS_MAX, TEXT_CHARS_MAX, URL_BYTES_MAX};

/// A name people chose (account, nickname, site), trimmed; refused when empty, over 64 characters or
/// with control characters.
pub fn name(text: &str) -> Result<String, ErrorCode> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ErrorCode::EmptyText);
    }
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(ErrorCode::TooLarge);
    }
    if text.chars().any(char::is_control) { Err(ErrorCode::BadBody) } else { Ok(text.to_owned()) }
}

/// May this be a message or a welcome? It is kept as it was written, white space included.
pub fn may_be_message(text: &str) -> Result<(), ErrorCode> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(ErrorCode::TooLarge);
    }
    if text.chars().all(is_blank) { Err(ErrorCode::EmptyText) } else { Ok(()) }
}

/// May this be a note to colleagues beside something else, or words of the company? At most 500
/// characters; it may be empty.
pub fn may_be_remark(text: &str) -> Result<(), ErrorCode> {
    if text.chars().count() > REMARK_CHARS_MAX { Err(ErrorCode::TooLarge) } else { Ok(()) }
}

/// One line that a visitor fills in, trimmed; it may be empty.
pub fn line(text: &str, chars_max: usize) -> Result<String, ErrorCode> {
    let text = text.trim();
    if text.chars().count() > chars_max {
        return Err(ErrorCode::TooLarge);
    }
    if text.chars().any(char::is_control) { Err(ErrorCode::BadBody) } else { Ok(text.to_owned()) }
}

/// White space, or one of the characters that show nothing at all.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{3164}')
}

/// A page's address as shown to agents: only of the web, cut at a character.
#[must_use]
pub fn page_url(url: &str) -> &str {
    let is_web = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    if is_web && !url.chars().any(char::is_control) { cut_bytes(url, URL_BYTES_MAX) } else { "" }
}

/// A page's title: one line, its first 64 characters.
#[must_use]
pub fn page_title(title: &str) -> String {
    title.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}

/// A language tag, or nothing if it is none.
#[must_use]
pub fn locale(tag: &str) -> &str {
    let is_tag = tag.len() <= NAME_CHARS_MAX
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_tag { tag } else { "" }
}

fn cut_bytes(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(name("  Ana  "), Ok("Ana".to_owned()));
        assert_eq!(name(" "), Err(ErrorCode::EmptyText));
        assert_eq!(name(&"好".repeat(64)).map(|name| name.len()), Ok(192));
        assert_eq!(name(&"好".repeat(65)), Err(ErrorCode::TooLarge));
        assert_eq!(name("a\nb"), Err(ErrorCode::BadBody));
    }

    #[test]
    fn messages() {
        assert_eq!(may_be_message("你好"), Ok(()));
        assert_eq!(may_be_message(" x "), Ok(()));
        for blank in ["", "  \n\t", "\u{200b}", "\u{3000}"] {
            assert_eq!(may_be_message(blank), Err(ErrorCode::EmptyText), "{blank:?}");
        }
        assert_eq!(may_be_message(&"😀".repeat(TEXT_CHARS_MAX)), Ok(()));
        assert_eq!(may_be_message(&"😀".repeat(TEXT_CHARS_MAX + 1)), Err(ErrorCode::TooLarge));
    }

    #[test]
    fn pages() {
        assert_eq!(page_url("https://shop.example/a?b#c"), "https://shop.example/a?b#c");
        assert_eq!(page_url("javascript:alert(1)"), "");
        assert_eq!(page_url("file:///etc/passwd"), "");
        let long = format!("https://shop.example/{}", "好".repeat(1_000));
        assert!(page_url(&long).len() <= URL_BYTES_MAX && long.starts_with(page_url(&long)));
        assert_eq!(page_title("a\u{0}b\nc"), "abc");
        assert_eq!(locale("zh-Hans-CN"), "zh-Hans-CN");
        assert_eq!(locale("<b>"), "");
    }
}
