//! What a preview may show (E01). The widget masks before anything leaves the browser; this is the
//! relay's own hand on it, for widgets that are not ours. Nothing here is stored or logged.

use yingke_shared::limits::PREVIEW_DIGITS_SHOWN;

/// In a run of digits, of any script, all after the sixth become `*`. A `*` continues the run: what
/// the widget masked stays one run.
pub(crate) fn masked(text: &str) -> String {
    let mut run = 0_usize;
    text.chars()
        .map(|c| {
            if c.is_numeric() {
                run += 1;
                if run > PREVIEW_DIGITS_SHOWN { '*' } else { c }
            } else {
                if c != '*' {
                    run = 0;
                }
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn digits_after_the_sixth_of_a_run_are_masked() {
        let check = |text: &str, expected: &str| assert_eq!(masked(text), expected);
        check("我的卡号 6222021234567890 谢谢", "我的卡号 622202********** 谢谢");
        check("123456", "123456");
        check("1234567 7654321", "123456* 765432*");
        check("一二三四五六七八", "一二三四五六七八");
        check("１２３４５６７８", "１２３４５６**");
        check("622202**1", "622202***");
        check("", "");
    }
}
