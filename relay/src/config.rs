//! The boot configuration: one file (TOML), then the environment (`YINGKE_…`), then flags, the later
//! winning. What can be changed while running stands in the database instead.
//!
//! Everything wrong is reported at once, each with where it came from. An unknown key of the file is
//! an error with a suggestion. An unknown `YINGKE_…` variable is one only when it looks like a
//! mistyped key: other programs of this product have variables of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use figment::providers::{Format as _, Serialized, Toml};
use figment::value::Dict;
use figment::{Figment, Profile};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::limits::{
    CONFIG_FILE_BYTES_MAX, CONFIG_NESTING_MAX, MESSAGES_PER_SECOND, MESSAGES_PER_SECOND_MAX,
    SOCKETS_PER_ADDRESS, SOCKETS_PER_ADDRESS_MAX, TRUSTED_PROXIES_MAX,
};
use crate::obstacle;
use crate::tls;

/// The port of a relay that was not told another.
const PORT_DEFAULT: u16 = 8765;

/// The checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder of the database; everything the relay keeps is in it.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address people and pages reach the relay by, if it is not the one it listens on: for what is
    /// put into pages, and for the admin who copies it.
    pub public_url: Option<Url>,
    /// Certificate and key, if the relay speaks TLS itself.
    pub tls: Option<TlsFiles>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Messages one person may send, on all sockets together, in a second, in the long run.
    pub messages_per_second: u32,
    /// Sockets one address may have open at once.
    pub sockets_per_address: u32,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which are written: `info`, `warn,yingke_relay=debug`, ….
    pub log_filter: String,
}

impl Config {
    /// The origin people and pages reach the relay by, as far as it is known here.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.public_origin().unwrap_or_else(|| format!("{scheme}://{}", self.listen))
    }

    /// The same, if the operator named it.
    #[must_use]
    pub fn public_origin(&self) -> Option<String> {
        self.public_url.as_ref().map(|url| url.origin().ascii_serialization())
    }
}

/// Files of the certificate chain and its key, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, the relay's own certificate first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line, for collectors.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("yingke-data"),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT_DEFAULT),
            public_url: None,
            tls: None,
            trusted_proxies: Vec::new(),
            messages_per_second: MESSAGES_PER_SECOND,
            sockets_per_address: SOCKETS_PER_ADDRESS,
            log_format: LogFormat::default(),
            log_filter: "info".to_owned(),
        }
    }
}

/// Flags that set a key of the configuration. Left out means: as the file or the environment says.
#[derive(Debug, Clone, Default, Serialize, clap::Args)]
pub struct Flags {
    /// The folder the relay keeps everything in [default: yingke-data]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Address and port to listen on [default: 127.0.0.1:8765]
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// The address people reach the relay by, such as https://chat.example.com
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Certificate chain (PEM): the relay then speaks TLS itself
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<String>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<String>,
    /// A proxy to believe about the visitor's address, such as 10.0.0.0/8; may be repeated
    #[arg(long = "trusted-proxy", value_name = "CIDR")]
    #[serde(rename = "trusted_proxies", skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<String>,
    /// Messages one person may send in a second, in the long run [default: 10]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_second: Option<String>,
    /// Sockets one address may have open at once [default: 1000]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sockets_per_address: Option<String>,
    /// Log lines as "text" or "json"
    #[arg(long, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<String>,
    /// Which log lines to write, such as "info" or "warn,yingke_relay=debug"
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_filter: Option<String>,
}

/// Every key, as file, environment (upper case, `YINGKE_` before it) and flags name it.
pub const KEYS: [&str; 10] = [
    "data",
    "listen",
    "public_url",
    "tls_cert",
    "tls_key",
    "trusted_proxies",
    "messages_per_second",
    "sockets_per_address",
    "log_format",
    "log_filter",
];

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration has {} problem(s):", self.0.len())?;
        self.0.iter().try_for_each(|problem| writeln!(f, "  - {problem}"))
    }
}

impl std::error::Error for Problems {}

impl Config {
    /// Reads file, environment and flags, and checks everything.
    pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Self, Problems> {
        // A variable that is not text cannot be one of ours.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::load_from(file, variables, flags)
    }

    fn load_from(
        file: Option<&Path>,
        variables: impl Iterator<Item = (String, String)>,
        flags: &Flags,
    ) -> Result<Self, Problems> {
        let mut figment = Figment::new();
        let mut problems = Vec::new();
        if let Some(file) = file {
            let text = read_file(file).map_err(|problem| Problems(vec![problem]))?;
            let shown = file.display();
            let content = Toml::string(&text).profile(Profile::Default);
            match Figment::from(&content).extract::<Dict>() {
                Ok(dict) => problems.extend(dict.keys().filter_map(|key| unknown_key(&shown, key))),
                // It is not TOML, so nothing else can be said about it.
                Err(error) => return Err(Problems(vec![format!("{shown}: {error}")])),
            }
            figment = figment.merge(content);
        }
        let variables: BTreeMap<String, String> = variables
            .filter_map(|(name, value)| Some((name.strip_prefix("YINGKE_")?.to_lowercase(), value)))
            .collect();
        problems.extend(variables.keys().filter_map(|key| unknown_variable(key)));
        let figment = figment
            .merge(Serialized::from(variables, Profile::Default))
            .merge(Serialized::from(flags, Profile::Default));

        let mut reader = Reader { figment: &figment, problems };
        let config = reader.read();
        if reader.problems.is_empty() { Ok(config) } else { Err(Problems(reader.problems)) }
    }
}

/// What to say about a key of the file, if it is not one of ours.
fn unknown_key(file: &impl fmt::Display, key: &str) -> Option<String> {
    if KEYS.contains(&key) {
        return None;
    }
    Some(match nearest(key) {
        Some(near) => format!("{file}: unknown key \"{key}\"; did you mean \"{near}\"?"),
        None => format!("{file}: unknown key \"{key}\"; the keys are {}", KEYS.join(", ")),
    })
}

/// What to say about a variable that looks like a mistyped key.
fn unknown_variable(key: &str) -> Option<String> {
    let near = nearest(key).filter(|near| *near != key)?;
    let (key, near) = (key.to_uppercase(), near.to_uppercase());
    Some(format!("environment: unknown variable YINGKE_{key}; did you mean YINGKE_{near}?"))
}

fn nearest(key: &str) -> Option<&'static str> {
    let near = KEYS.iter().map(|known| (distance(key, known), *known)).min();
    near.filter(|(steps, _)| *steps <= 2 || *steps * 3 <= key.chars().count()).map(|(_, key)| key)
}

fn read_file(file: &Path) -> Result<String, String> {
    let shown = file.display();
    let mut text = String::new();
    let read = File::open(file)
        .and_then(|file| file.take(CONFIG_FILE_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|error| format!("{shown}: {}", obstacle::unread(&error, "see to --config")))?;
    if u64::try_from(read).is_ok_and(|read| read > CONFIG_FILE_BYTES_MAX) {
        return Err(format!("{shown}: larger than {CONFIG_FILE_BYTES_MAX} bytes"));
    }
    if nesting(&text) > CONFIG_NESTING_MAX {
        return Err(format!(
            "{shown}: brackets inside brackets; every key is one line or one list"
        ));
    }
    Ok(text)
}

/// The most brackets that are open at once. The reader of TOML calls itself for each, more often
/// than a small stack bears.
fn nesting(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '[' | '{' => open += 1,
            ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// One text or several; an environment variable has them with commas between.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

struct Reader<'f> {
    figment: &'f Figment,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self) -> Config {
        let default = Config::default();
        let data = self.text("data").map_or(default.data, PathBuf::from);
        let listen = self.parsed("listen", "an address and port such as 127.0.0.1:8765");
        let log_filter = self.text("log_filter").unwrap_or(default.log_filter);
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&log_filter) {
            self.problems.push(format!("log_filter: {error}"));
        }
        Config {
            data,
            listen: listen.unwrap_or(default.listen),
            public_url: self.public_url(),
            tls: self.tls(),
            trusted_proxies: self.trusted_proxies(),
            messages_per_second: self.number(
                "messages_per_second",
                default.messages_per_second,
                MESSAGES_PER_SECOND_MAX,
            ),
            sockets_per_address: self.number(
                "sockets_per_address",
                default.sockets_per_address,
                SOCKETS_PER_ADDRESS_MAX,
            ),
            log_format: self.log_format(),
            log_filter,
        }
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.figment.extract_inner::<figment::value::Value>(key) {
            Err(_) => None,
            Ok(figment::value::Value::String(_, text)) if !text.is_empty() => Some(text),
            Ok(figment::value::Value::String(..)) => self.wrong(key, "must not be empty"),
            Ok(_) => self.wrong(key, "must be a text"),
        }
    }

    fn wrong<T>(&mut self, key: &str, problem: impl fmt::Display) -> Option<T> {
        self.problems.push(format!("{key}: {problem}"));
        None
    }

    fn parsed<T: std::str::FromStr>(&mut self, key: &str, expected: &str) -> Option<T> {
        let text = self.text(key)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(_) => self.wrong(key, format!("\"{text}\" is not {expected}")),
        }
    }

    fn public_url(&mut self) -> Option<Url> {
        let key = "public_url";
        let url: Url = self.parsed(key, "an address such as https://chat.example.com")?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return self.wrong(key, "must begin with https:// or http:// and name a host");
        }
        if !bare || !anonymous {
            return self.wrong(key, "must be only scheme, host and port");
        }
        Some(url)
    }

    fn tls(&mut self) -> Option<TlsFiles> {
        let cert = self.text("tls_cert").map(PathBuf::from);
        let key = self.text("tls_key").map(PathBuf::from);
        match (cert, key) {
            (Some(cert), Some(key)) => {
                let files = TlsFiles { cert, key };
                self.problems.extend(tls::load(&files).err().into_iter().flatten());
                Some(files)
            }
            (None, None) => None,
            (Some(_), None) => self.wrong("tls_key", "is needed beside tls_cert"),
            (None, Some(_)) => self.wrong("tls_cert", "is needed beside tls_key"),
        }
    }

    fn trusted_proxies(&mut self) -> Vec<IpNet> {
        let key = "trusted_proxies";
        if !self.figment.contains(key) {
            return Vec::new();
        }
        let texts: Vec<String> = match self.figment.extract_inner(key) {
            Ok(Texts::One(text)) => text.split(',').map(|part| part.trim().to_owned()).collect(),
            Ok(Texts::Many(texts)) => texts,
            Err(_) => {
                self.problems.push(format!("{key}: must be a list of texts"));
                return Vec::new();
            }
        };
        if texts.len() > TRUSTED_PROXIES_MAX {
            self.problems.push(format!("{key}: at most {TRUSTED_PROXIES_MAX}"));
        }
        let mut found = Vec::new();
        for text in texts.iter().filter(|text| !text.is_empty()) {
            let one = text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse::<IpNet>());
            match one {
                Ok(net) => found.push(net),
                Err(_) => self.problems.push(format!(
                    "{key}: \"{text}\" is not an address or a network such as 10.0.0.0/8"
                )),
            }
        }
        found
    }

    /// A number from 1 to `max`.
    fn number(&mut self, key: &str, default: u32, max: u32) -> u32 {
        let number = match self.figment.extract_inner::<figment::value::Value>(key) {
            Err(_) => return default,
            Ok(figment::value::Value::String(_, text)) => text.parse().ok(),
            // TOML's numbers have a sign.
            Ok(value) => value.to_i128().and_then(|number| u32::try_from(number).ok()),
        };
        match number.filter(|number| (1..=max).contains(number)) {
            Some(number) => number,
            None => self.wrong(key, format!("must be a number from 1 to {max}")).unwrap_or(default),
        }
    }

    fn log_format(&mut self) -> LogFormat {
        match self.text("log_format").as_deref() {
            None => LogFormat::default(),
            Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                self.problems.push(format!("log_format: \"{other}\" is not text or json"));
                LogFormat::default()
            }
        }
    }
}

/// Letters to change, add or take away to come from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((above_left, above), to) in row.iter().zip(row.iter().skip(1)).zip(&b) {
            let left = next.last().copied().unwrap_or(i + 1);
            next.push((above_left + usize::from(from != *to)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
