//! What the person at the terminal reads: one voice for all verbs.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

fn coloured(code: &str, text: &str) -> String {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// A step begins.
pub(crate) fn step(text: &str) {
    println!("{} {text}", coloured("32", "▸"));
    let _ = std::io::stdout().flush();
}

/// A detail of the running step.
pub(crate) fn detail(text: &str) {
    println!("  {text}");
    let _ = std::io::stdout().flush();
}

/// The heading of something whose own output follows.
pub(crate) fn heading(text: &str) {
    println!("\n{}", coloured("1", &format!("── {text} ──")));
    let _ = std::io::stdout().flush();
}

/// Something went wrong; the last line a person reads before the prompt.
pub(crate) fn failed(text: &str) {
    let _ = std::io::stdout().flush();
    eprintln!("{} {text}", coloured("31", "✗"));
}

/// `1 min 05 s`, `12.3 s`.
pub(crate) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds >= 60 {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(time(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(time(Duration::from_secs(65)), "1 min 05 s");
    }
}
