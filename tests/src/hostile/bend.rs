//! Good inputs bent into hostile ones: by their structure if they are JSON, else by bytes and words.
//! Everything comes from the chance that is handed in.

use super::json::Json;
use crate::chance::Chance;

/// What stands where a value is expected.
#[rustfmt::skip]
pub(super) const ATOMS: &[&str] = &[
    "null", "true", "false", "0", "-0", "-1", "1", "1.0", "1.5", "1e3", "1E400", "-1e400", "1e-400",
    "9007199254740991", "9007199254740992", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "18446744073709551615", "18446744073709551616", "4294967296", "65536",
    "340282366920938463463374607431768211456", "00", "+1", ".5", "1.", "0x10", "NaN", "Infinity",
    "[]", "{}", "[null]", "{\"\":0}", "\"\"", "\" \"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"",
    "\"\\uD83D\\uDE00\"", "\"\\x\"", "\"\u{1}\"", "\"", "", "\"a", "[", "{", "]", "}", ",", "'a'",
    "{\"a\":1,\"a\":2}", "[1,]", "undefined",
];

/// What stands where a word is expected.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "", " ", "\0", "\u{7f}", "\r\n", "..", "../../etc/passwd", "%00", "%2e%2e%2f", "%ff", "%", "a%zz",
    "null", "-1", "0", "9007199254740993", "99999999999999999999", "__proto__", "constructor", "toString",
    "id", "type", "body", "kind", "text", "hello", "welcome", "snapshot", "agent", "admin", "online",
    "<script>", "' OR 1=1 --", "$(id)", "{{7*7}}", "%s%n", "\u{feff}", "\u{202e}abc", "\u{200d}",
    "e\u{301}", "ﷺ", "ß", "İ", "茶", "😀", "👩‍👩‍👧‍👦", "\u{10ffff}", "\u{fffd}", "http://", "https://[::1",
    "https://user:p@h", "http://a.localhost:99999", "https://xn--", "https://xn--a", "https://茶.example",
    "javascript:alert(1)", "file:///etc/passwd", "*.example", "https://*.", "0.0.0.0/0", "::/129", "1.2.3.4/33",
    "255.255.255.255:65535", "[::]:0", "Bearer", "zh-CN", "info,yingke=trace", "a=b=c[d{e=f}]=g",
];

/// A word, a long one, or some characters of anywhere.
pub(super) fn hostile_text(chance: &mut Chance) -> String {
    let word = *chance.one_of(WORDS);
    match chance.below(8) {
        0 => word.repeat(length(chance)),
        1 => {
            let count = chance.below(12);
            let any = |chance: &mut Chance| {
                let bits = *chance.one_of(&[7, 11, 16, 21]);
                let code = u32::try_from(chance.below(1 << bits)).unwrap();
                char::from_u32(code).unwrap_or('\u{fffd}')
            };
            (0..count).map(|_| any(chance)).collect()
        }
        2 => format!("{word}{}", chance.one_of(WORDS)),
        _ => word.to_owned(),
    }
}

/// Mostly small, sometimes just at a limit of the product, seldom far over it.
fn length(chance: &mut Chance) -> usize {
    match chance.below(60) {
        0 => 70_000,
        1..=4 => *chance.one_of(&[3_999, 4_000, 4_001, 2_048, 2_049]),
        _ => *chance.one_of(&[2, 63, 64, 65, 128, 129, 256, 257, 500, 501]),
    }
}

/// A good input, ready to be bent again and again.
#[derive(Debug, Clone)]
pub(super) struct Seed {
    bytes: Vec<u8>,
    json: Option<Json>,
}

impl Seed {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let json = serde_json::from_slice(&bytes).ok().map(|value| Json::of(&value));
        Self { bytes, json }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// As it stands, but for the names in it: those of people and things that are there.
    pub(super) fn settled(&self, chance: &mut Chance, known: &[String]) -> Vec<u8> {
        let Some(mut json) = self.json.clone() else { return self.bytes.clone() };
        if !known.is_empty() {
            json.settle(chance, known);
        }
        json.text(chance).into_bytes()
    }

    /// Bent at one to five places.
    pub(super) fn bent(&self, chance: &mut Chance, known: &[String]) -> Vec<u8> {
        let times = *chance.one_of(&[1, 1, 1, 2, 3, 5]);
        let Some(json) = &self.json else {
            let mut bytes = self.bytes.clone();
            (0..times).for_each(|_| bend_bytes(&mut bytes, chance));
            return bytes;
        };
        let mut json = json.clone();
        if !known.is_empty() && chance.below(3) > 0 {
            json.settle(chance, known);
        }
        (0..times).for_each(|_| json.bend(chance, known));
        let mut bytes = json.text(chance).into_bytes();
        if chance.below(12) == 0 {
            bend_bytes(&mut bytes, chance);
        }
        bytes
    }
}

/// Bends bytes at one place: a bit, a cut, something put in or taken out, a part twice.
pub(super) fn bend_bytes(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let end = bytes.len();
    let at = usize::try_from(chance.below(end as u64 + 1)).unwrap();
    let upto = (at + usize::try_from(chance.below(24)).unwrap()).min(end);
    match chance.below(9) {
        0 if at < end => bytes[at] ^= 1 << chance.below(8),
        1 if at < end => bytes[at] = u8::try_from(chance.below(256)).unwrap(),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..upto)),
        4 => {
            let part = bytes[at..upto].to_vec();
            drop(bytes.splice(at..at, part));
        }
        5 => drop(bytes.splice(at..upto, hostile_text(chance).into_bytes())),
        6 => drop(bytes.splice(at..at, chance.one_of(ATOMS).bytes())),
        7 => {
            // What is no UTF-8: a lone continuation, an overlong slash, a surrogate, a byte too many.
            let bad: &[u8] = chance.one_of::<&[u8]>(&[
                b"\x80",
                b"\xc0\xaf",
                b"\xed\xa0\x80",
                b"\xf4\x90\x80\x80",
                b"\xff",
                b"\xe8\x8c",
                b"\0",
            ]);
            drop(bytes.splice(at..at, bad.iter().copied()));
        }
        _ => {
            let many = *chance.one_of(&[16, 129, 1_000, 20_000]);
            let c = *chance.one_of(b"[{\"a0\\ \n");
            drop(bytes.splice(at..at, std::iter::repeat_n(c, many)));
        }
    }
}
