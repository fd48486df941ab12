//! The figures: one JSON object for scripts, a table for people. Each figure is in the unit its line
//! names; what could not be measured on this system is left out.

use serde::Serialize;

use super::options::Dose;
use super::spread::{Percentiles, Spread};

/// See the module.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) figures: Figures,
    pub(super) raw: Raw,
}

/// The promised figures.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    /// Durable messages a second with 100 pairs, as a share of the bare loop's in batches of 100.
    #[serde(rename = "S1", skip_serializing_if = "Option::is_none")]
    pub(super) s1: Option<f64>,
    /// Milliseconds, p99 at 500 a second.
    #[serde(rename = "S3", skip_serializing_if = "Option::is_none")]
    pub(super) s3: Option<f64>,
    /// Milliseconds, p99 at 5,000 a second.
    #[serde(rename = "S4", skip_serializing_if = "Option::is_none")]
    pub(super) s4: Option<f64>,
    /// KiB for an idle visitor's socket.
    #[serde(rename = "S5", skip_serializing_if = "Option::is_none")]
    pub(super) s5: Option<f64>,
    /// MiB in memory with 19,000 idle sockets.
    #[serde(rename = "S6", skip_serializing_if = "Option::is_none")]
    pub(super) s6: Option<f64>,
    /// Microseconds of processor time for a message, saturated.
    #[serde(rename = "S7", skip_serializing_if = "Option::is_none")]
    pub(super) s7: Option<f64>,
    /// Milliseconds from the start to the first accepted socket.
    #[serde(rename = "S8", skip_serializing_if = "Option::is_none")]
    pub(super) s8: Option<f64>,
    /// Milliseconds, p99 each, with a thousand live sockets.
    #[serde(rename = "P16", skip_serializing_if = "Option::is_none")]
    pub(super) p16: Option<Live>,
    /// Seconds until everybody is back after a restart.
    #[serde(rename = "S9", skip_serializing_if = "Option::is_none")]
    pub(super) s9: Option<f64>,
}

/// The three delays of P16.
#[derive(Debug, Serialize)]
pub(super) struct Live {
    pub(super) message_ms: f64,
    pub(super) preview_ms: f64,
    pub(super) presence_ms: f64,
}

/// What the figures were made of.
#[derive(Debug, Serialize)]
pub(super) struct Raw {
    version: &'static str,
    processors: usize,
    rounds: usize,
    round_s: f64,
    /// The whole bench.
    pub(super) took_s: f64,
    pub(super) durable: Vec<OfPairs>,
    pub(super) latency: Vec<AtRate>,
    pub(super) live: Option<OfLive>,
    pub(super) crowd: Option<OfCrowd>,
    pub(super) full_crowd: Option<OfCrowd>,
    pub(super) start: Option<OfStart>,
}

/// Writing as fast as possible.
#[derive(Debug, Serialize)]
pub(super) struct OfPairs {
    pairs: usize,
    pub(super) relay_per_second: Spread,
    pub(super) bare_in_batches_per_second: Spread,
    pub(super) bare_alone_per_second: Spread,
    pub(super) ratio_to_batches: f64,
    pub(super) ratio_to_alone: f64,
    pub(super) cpu_us_per_message: Option<Spread>,
    /// Of the bare loop's thread, in batches.
    pub(super) bare_cpu_us_per_message: Option<Spread>,
    pub(super) echoes_per_second: Option<Spread>,
    pub(super) ratio_to_echoes: Option<f64>,
    /// After the rounds.
    pub(super) relay_resident_kib: Option<f64>,
}

impl OfPairs {
    pub(super) fn begin(pairs: usize) -> Self {
        Self {
            pairs,
            relay_per_second: Spread::default(),
            bare_in_batches_per_second: Spread::default(),
            bare_alone_per_second: Spread::default(),
            ratio_to_batches: 0.0,
            ratio_to_alone: 0.0,
            cpu_us_per_message: None,
            bare_cpu_us_per_message: None,
            echoes_per_second: None,
            ratio_to_echoes: None,
            relay_resident_kib: None,
        }
    }

    /// For progress.
    pub(super) fn line(&self) -> String {
        format!(
            "{} pairs: {} messages/s; bare loop in batches {}, one by one {}",
            self.pairs,
            whole(self.relay_per_second),
            whole(self.bare_in_batches_per_second),
            whole(self.bare_alone_per_second)
        )
    }
}

/// Writing at a rate.
#[derive(Debug, Serialize)]
pub(super) struct AtRate {
    pub(super) rate: u32,
    pub(super) relay_ms: Percentiles,
    pub(super) relay_p99_ms: Spread,
    pub(super) sent_late_ms: Percentiles,
    /// From when a message was due to the end of its commit, without a relay.
    pub(super) bare_ms: Percentiles,
    pub(super) bare_p99_ms: Spread,
    pub(super) echo_ms: Percentiles,
    /// Of the p99.
    pub(super) ratio_to_echo: f64,
    pub(super) cpu_us_per_message: Option<Spread>,
    /// Of the bare loop's thread.
    pub(super) bare_cpu_us_per_message: Option<Spread>,
}

impl AtRate {
    /// For progress.
    pub(super) fn line(&self) -> String {
        format!(
            "{}/s: p50 {:.2}, p99 {:.2}, p99.9 {:.2} ms; bare loop's p99 {:.2} ms",
            self.rate, self.relay_ms.p50, self.relay_ms.p99, self.relay_ms.p999, self.bare_ms.p99
        )
    }
}

/// Live sockets, of both sides.
#[derive(Debug, Serialize)]
pub(super) struct OfLive {
    pub(super) sockets: usize,
    pub(super) messages_per_second: u32,
    pub(super) previews_per_second: u32,
    /// The share that was shown: one that a newer one overtakes need not be.
    pub(super) previews_shown: Spread,
    pub(super) message_ms: Percentiles,
    pub(super) message_p99_ms: Spread,
    pub(super) preview_ms: Percentiles,
    pub(super) preview_p99_ms: Spread,
    /// From the end, or the beginning, of a visitor's connection to the agent's screen.
    pub(super) presence_ms: Percentiles,
    pub(super) presence_p99_ms: Spread,
    pub(super) troubles: u64,
}

impl OfLive {
    /// For progress.
    pub(super) fn line(&self) -> String {
        format!(
            "{} sockets: p99 of messages {:.2}, of previews {:.2}, of presence {:.2} ms",
            self.sockets, self.message_ms.p99, self.preview_ms.p99, self.presence_ms.p99
        )
    }

    fn tell(&self, lines: &mut Vec<String>) {
        lines.push(format!("\n{} 个在线连接 live sockets", self.sockets));
        let mut tell = |name, of: &Percentiles, p99: Spread| {
            lines.push(row(name, &times(of)));
            lines.push(row("  p99 各轮 over the rounds", &over_rounds(p99)));
        };
        tell("消息延迟 delay of messages (P16)", &self.message_ms, self.message_p99_ms);
        tell("输入预览延迟 delay of previews (P16)", &self.preview_ms, self.preview_p99_ms);
        tell("在线状态延迟 delay of presence (P16)", &self.presence_ms, self.presence_p99_ms);
    }
}

/// Many visitors.
#[derive(Debug, Default, Serialize)]
pub(super) struct OfCrowd {
    pub(super) visitors: usize,
    pub(super) troubles: u64,
    pub(super) gathered_s: f64,
    pub(super) before_kib: Option<f64>,
    pub(super) resident_kib: Option<f64>,
    /// Idle.
    pub(super) kib_each: Option<f64>,
    /// At the most, while all wrote.
    pub(super) busy_kib_each: Option<f64>,
    pub(super) half_back_s: Option<f64>,
    pub(super) all_back_s: Option<f64>,
    pub(super) after_return_kib: Option<f64>,
}

impl OfCrowd {
    /// For progress.
    pub(super) fn line(&self) -> String {
        let each = self.kib_each.unwrap_or_default();
        format!("{} sockets: {each:.1} KiB each, there in {:.1} s", self.visitors, self.gathered_s)
    }

    /// For progress.
    pub(super) fn line_of_return(&self) -> String {
        format!("all {} back in {:.1} s", self.visitors, self.all_back_s.unwrap_or_default())
    }
}

/// Starting.
#[derive(Debug, Serialize)]
pub(super) struct OfStart {
    pub(super) stored: u32,
    pub(super) first_socket_ms: Spread,
    pub(super) resident_kib: Option<Spread>,
}

impl OfStart {
    /// For progress.
    pub(super) fn line(&self) -> String {
        let kib = self.resident_kib.unwrap_or_default().median;
        format!("first socket after {:.0} ms with {kib:.0} KiB", self.first_socket_ms.median)
    }
}

impl Report {
    pub(super) fn new(dose: &Dose) -> Self {
        let raw = Raw {
            version: env!("CARGO_PKG_VERSION"),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            rounds: dose.rounds,
            round_s: dose.round.as_secs_f64(),
            took_s: 0.0,
            durable: Vec::new(),
            latency: Vec::new(),
            live: None,
            crowd: None,
            full_crowd: None,
            start: None,
        };
        Self { figures: Figures::default(), raw }
    }

    /// On standard output. A closed pipe is the reader's choice.
    pub(super) fn print(&self, json: bool) {
        use std::io::Write as _;
        let text = match json {
            true => serde_json::to_string(self).unwrap_or_default(),
            false => self.table(),
        };
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
    }

    fn table(&self) -> String {
        let mut lines = vec![format!(
            "本机可承载 What this machine carries (yingke-relay {}, {} processors, {} rounds of {} s, in {:.0} s)",
            self.raw.version,
            self.raw.processors,
            self.raw.rounds,
            self.raw.round_s,
            self.raw.took_s
        )];
        self.raw.durable.iter().for_each(|of| of.tell(&mut lines));
        self.raw.latency.iter().for_each(|of| of.tell(&mut lines));
        self.raw.live.iter().for_each(|of| of.tell(&mut lines));
        self.raw.crowd.iter().for_each(|of| of.tell(&mut lines));
        self.raw.full_crowd.iter().for_each(|of| of.tell(&mut lines));
        self.raw.start.iter().for_each(|of| of.tell(&mut lines));
        lines.join("\n")
    }
}

/// The middle of a percentile, and how far its rounds lie apart.
fn over_rounds(ms: Spread) -> String {
    format!("{:.2} ms ({:.2} – {:.2})", ms.median, ms.least, ms.most)
}

/// What a message costs the relay, and the bare loop.
fn costs(
    relay: Option<Spread>,
    bare: Option<Spread>,
) -> impl Iterator<Item = (&'static str, String)> {
    let names = ["每条消息处理器 CPU per message (S7)", "  裸写入 bare loop"];
    let costs = names.into_iter().zip([relay, bare]);
    costs.filter_map(|(name, cost)| Some((name, format!("{} µs", whole(cost?)))))
}

impl OfPairs {
    fn tell(&self, lines: &mut Vec<String>) {
        lines.push(format!("\n{} 对 pairs", self.pairs));
        let mut tell = |name, value: String| lines.push(row(name, &value));
        tell("持久消息 durable messages/s", whole(self.relay_per_second));
        tell("裸写入(每批100) bare loop, batches of 100", whole(self.bare_in_batches_per_second));
        tell("  比率 ratio (S1)", format!("{:.2}", self.ratio_to_batches));
        tell("裸写入(逐条) bare loop, one by one", whole(self.bare_alone_per_second));
        tell("  比率 ratio", format!("{:.2}", self.ratio_to_alone));
        if let (Some(echoes), Some(ratio)) = (self.echoes_per_second, self.ratio_to_echoes) {
            tell("裸回声 bare WebSocket echoes/s", whole(echoes));
            tell("  比率 ratio", format!("{ratio:.2}"));
        }
        costs(self.cpu_us_per_message, self.bare_cpu_us_per_message)
            .for_each(|(name, value)| tell(name, value));
        if let Some(kib) = self.relay_resident_kib {
            tell("忙时内存 memory while busy", format!("{:.1} MiB", kib / 1_024.0));
        }
    }
}

impl AtRate {
    fn tell(&self, lines: &mut Vec<String>) {
        lines.push(format!("\n每秒 {} 条 messages a second", self.rate));
        let mut tell = |name, value: String| lines.push(row(name, &value));
        tell("端到端延迟 end-to-end delay", times(&self.relay_ms));
        tell("  p99 各轮 over the rounds", over_rounds(self.relay_p99_ms));
        tell("裸写入 bare loop's commits", times(&self.bare_ms));
        tell("  p99 各轮 over the rounds", over_rounds(self.bare_p99_ms));
        tell("裸回声 bare echo", times(&self.echo_ms));
        tell("  p99 比率 ratio of the p99", format!("{:.2}", self.ratio_to_echo));
        tell("发送端自身 the sender's own lateness", times(&self.sent_late_ms));
        costs(self.cpu_us_per_message, self.bare_cpu_us_per_message)
            .for_each(|(name, value)| tell(name, value));
    }
}

impl OfCrowd {
    fn tell(&self, lines: &mut Vec<String>) {
        lines.push(format!("\n{} 名访客 visitors", self.visitors));
        let mut tell = |name, value: Option<f64>, unit| {
            if let Some(value) = value {
                lines.push(row(name, &format!("{value:.1} {unit}")));
            }
        };
        let mib = |kib: Option<f64>| kib.map(|kib| kib / 1_024.0);
        tell("空闲连接内存 memory of an idle socket (S5)", self.kib_each, "KiB");
        tell("忙时最多 at most, while all write", self.busy_kib_each, "KiB");
        tell("总内存 memory in all (S6)", mib(self.resident_kib), "MiB");
        tell("全部连上 all connected in", Some(self.gathered_s), "s");
        tell("重启后半数恢复 half of them back after a restart", self.half_back_s, "s");
        tell("重启后全部恢复 all of them back, nothing lost (S9)", self.all_back_s, "s");
        tell("恢复后内存 memory then", mib(self.after_return_kib), "MiB");
    }
}

impl OfStart {
    fn tell(&self, lines: &mut Vec<String>) {
        lines.push(format!("\n{} 条已存消息 stored messages", self.stored));
        let ms = self.first_socket_ms;
        let spread = format!("{:.0} ms ({:.0} – {:.0})", ms.median, ms.least, ms.most);
        lines.push(row("启动到首个连接 start to the first socket (S8)", &spread));
        if let Some(kib) = self.resident_kib {
            let mib = format!("{:.1} MiB", kib.median / 1_024.0);
            lines.push(row("当时内存 memory then", &mib));
        }
    }
}

/// Columns of the labels.
const LABEL_COLUMNS: usize = 52;

fn row(name: &str, value: &str) -> String {
    // A Chinese character takes two columns.
    let columns: usize = name.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum();
    format!("  {name}{}{value}", " ".repeat(LABEL_COLUMNS.saturating_sub(columns).max(1)))
}

fn whole(spread: Spread) -> String {
    format!("{:.0} ({:.0} – {:.0})", spread.median, spread.least, spread.most)
}

fn times(of: &Percentiles) -> String {
    format!("p50 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2} ms", of.p50, of.p99, of.p999, of.most)
}
