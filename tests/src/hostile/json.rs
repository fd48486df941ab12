//! JSON as a tree that can be wrong: numbers are text, fields may stand twice, texts may hold what no
//! text may hold. Read from good JSON, bent, and written again.

use serde_json::Value;

use super::bend::{ATOMS, hostile_text};
use crate::chance::Chance;

/// One value.
#[derive(Debug, Clone)]
pub(super) enum Json {
    /// Written as it stands.
    Raw(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(all) => Self::List(all.iter().map(Self::of).collect()),
            Value::Object(fields) => {
                Self::Object(fields.iter().map(|(k, v)| (k.clone(), Self::of(v))).collect())
            }
            other => Self::Raw(other.to_string()),
        }
    }

    fn count(&self) -> u64 {
        1 + match self {
            Self::Raw(_) | Self::Text(_) => 0,
            Self::List(all) => all.iter().map(Self::count).sum(),
            Self::Object(fields) => fields.iter().map(|(_, v)| v.count()).sum(),
        }
    }

    /// The node of this number, counted from the root.
    fn node(&mut self, number: u64) -> &mut Self {
        let mut left = number;
        let mut here = self;
        while left > 0 {
            left -= 1;
            let children: Box<dyn Iterator<Item = &mut Self>> = match here {
                Self::List(all) => Box::new(all.iter_mut()),
                Self::Object(fields) => Box::new(fields.iter_mut().map(|(_, v)| v)),
                Self::Raw(_) | Self::Text(_) => unreachable!("it has no children to count"),
            };
            let mut found = None;
            for child in children {
                let size = child.count();
                if left < size {
                    found = Some(child);
                    break;
                }
                left -= size;
            }
            here = found.expect("a node of this number");
        }
        here
    }

    /// Puts names that mean something in the place of the samples' ids.
    pub(super) fn settle(&mut self, chance: &mut Chance, known: &[String]) {
        match self {
            Self::Raw(_) => {}
            Self::Text(text)
                if matches!(text.as_str(), "c1" | "ana" | "ben" | "vera" | "site1") =>
            {
                text.clone_from(chance.one_of(known));
            }
            Self::Text(_) => {}
            Self::List(all) => all.iter_mut().for_each(|value| value.settle(chance, known)),
            Self::Object(fields) => {
                fields.iter_mut().for_each(|(_, value)| value.settle(chance, known))
            }
        }
    }

    /// Bends one place. `known` are names that mean something where this is sent.
    pub(super) fn bend(&mut self, chance: &mut Chance, known: &[String]) {
        let count = self.count();
        // Rather a leaf than the root: most of what is bent there is refused at once.
        let number =
            if count > 1 && chance.below(20) > 0 { chance.between(1, count - 1) } else { 0 };
        let node = self.node(number);
        match (node, chance.below(12)) {
            (Self::Object(fields), 0) if !fields.is_empty() => {
                let at = index(chance, fields.len());
                fields.remove(at);
            }
            (Self::Object(fields), 1 | 2) if !fields.is_empty() => {
                let again = fields[index(chance, fields.len())].clone();
                fields.insert(index(chance, fields.len() + 1), again);
            }
            (Self::Object(fields), 3) => {
                fields.push((hostile_text(chance), Self::Raw((*chance.one_of(ATOMS)).to_owned())));
            }
            (Self::Object(fields), 4) if !fields.is_empty() => {
                let at = index(chance, fields.len());
                fields[at].0 = hostile_text(chance);
            }
            (Self::Object(fields), 5 | 6) if fields.len() > 1 => {
                let (one, other) = (index(chance, fields.len()), index(chance, fields.len()));
                let taken = fields[one].1.clone();
                fields[other].1 = taken;
            }
            (Self::List(all), 0..=2) if !all.is_empty() => {
                let again = all[index(chance, all.len())].clone();
                for _ in 0..*chance.one_of(&[1, 2, 200]) {
                    all.push(again.clone());
                }
            }
            (Self::List(all), 3 | 4) => {
                let at = index(chance, all.len() + 1);
                all.truncate(at);
            }
            (Self::Text(text), 0..=5) => *text = hostile_text(chance),
            (Self::Text(text), 6..=8) if !known.is_empty() => text.clone_from(chance.one_of(known)),
            (Self::Raw(number), 0..=6) => *number = number_near(chance, number),
            (node, 9) => {
                let deep = *chance.one_of(&[1, 3, 126, 127, 128, 129, 600]);
                let inside = std::mem::replace(node, Self::Raw(String::new()));
                let (open, close) =
                    if chance.below(2) == 0 { ("[", "]") } else { ("{\"a\":", "}") };
                let text =
                    format!("{}{}{}", open.repeat(deep), inside.text(chance), close.repeat(deep));
                *node = Self::Raw(text);
            }
            (node, _) => *node = Self::Raw((*chance.one_of(ATOMS)).to_owned()),
        }
    }

    /// As text; how a character is escaped and where there is room is chance.
    pub(super) fn text(&self, chance: &mut Chance) -> String {
        let mut out = String::new();
        let odd = chance.below(8) == 0;
        self.write(&mut out, chance, odd);
        out
    }

    fn write(&self, out: &mut String, chance: &mut Chance, odd: bool) {
        if odd && chance.below(6) == 0 {
            out.push_str(
                chance.one_of::<&str>(&[" ", "\n\t", "\r\n", "\u{feff}", "\u{a0}", "/**/"]),
            );
        }
        match self {
            Self::Raw(text) => out.push_str(text),
            Self::Text(text) => write_text(out, text, chance, odd),
            Self::List(all) => {
                out.push('[');
                for (at, value) in all.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    value.write(out, chance, odd);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write_text(out, name, chance, odd);
                    out.push(':');
                    value.write(out, chance, odd);
                }
                out.push('}');
            }
        }
    }
}

fn write_text(out: &mut String, text: &str, chance: &mut Chance, odd: bool) {
    if !odd {
        out.push_str(&Value::from(text).to_string());
        return;
    }
    out.push('"');
    for c in text.chars() {
        let mut units = [0_u16; 2];
        match chance.below(3) {
            0 => {
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04X}"));
                }
            }
            _ if c == '"' || c == '\\' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// A number beside this one, or beside a border that some type has.
fn number_near(chance: &mut Chance, text: &str) -> String {
    let near = match chance.below(3) {
        0 => text.parse().unwrap_or(0_i128),
        1 => 1_i128 << chance.between(7, 66),
        _ => i128::from(*chance.one_of(&[
            0_i64,
            100,
            4_000,
            253_402_300_799_999,
            8_640_000_000_000_000,
            (1 << 53) - 1,
        ])),
    };
    let beside = near + i128::from(chance.below(5)) - 2;
    if chance.below(6) == 0 { (-beside).to_string() } else { beside.to_string() }
}

fn index(chance: &mut Chance, end: usize) -> usize {
    usize::try_from(chance.below(end as u64)).unwrap()
}
