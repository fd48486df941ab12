//! What an operator does to a data folder from the command line. While no relay runs on it: the first
//! account, a way back in, a site, a restore. Beside a running relay: a backup, a check. The work is
//! the rooms' and the store's; this reads the input and words the outcome.

use std::io::{BufRead as _, Read as _};
use std::path::{Path, PathBuf};

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::SiteId;
use yingke_shared::limits::{
    CAPACITY_DEFAULT, DOMAINS_MAX, NAME_CHARS_MAX, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN,
};
use yingke_shared::rest::AddAgent;
use yingke_shared::views::Role;

use crate::auth::PasswordHasher;
use crate::clock::{RealWorld, World as _};
use crate::error::RelayError;
use crate::obstacle::{self, Obstacle};
use crate::sites::{Domain, DomainError};
use crate::store::{self, BackupError, Damage, Fatal, OpenError, OtherRelease, Store};
use crate::{agents, auth, sites};

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The data folder could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Something that stands in the way of it.
    #[error(transparent)]
    Obstacle(#[from] Obstacle),
    /// No backup, or nothing restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A domain is not one.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// No password on standard input.
    #[error("standard input has no line with a password")]
    NoPassword,
    /// A name does not fit.
    #[error("a name has 1 to {NAME_CHARS_MAX} characters, not only white space")]
    Name,
    /// The password does not fit.
    #[error(
        "a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters and is not the account's name"
    )]
    Password,
    /// The account exists.
    #[error("there is an account of this name already; reset-password gives it a new password")]
    AccountTaken,
    /// Made or migrated by a later release.
    #[error(
        "the data is from a newer release of the relay (schema {found}; this one knows up to \
         {known}): nothing was checked, use that release"
    )]
    Newer {
        /// The schema's number.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// Not yet migrated.
    #[error(
        "the data is from an older release of the relay (schema {found}; this one's is {known}): \
         nothing was checked, use that release, or start this one on it first"
    )]
    Older {
        /// The schema's number.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// No relay's folder.
    #[error("{0} holds no relay's data: see to --data; create-admin begins a new folder")]
    NoData(PathBuf),
    /// It does not.
    #[error("there is no account of this name")]
    NoAccount,
    /// A site without a domain starts nowhere.
    #[error("a site needs 1 to {DOMAINS_MAX} domains")]
    NoDomain,
    /// The disk failed while it was stored. Nobody is answered then, so nobody may wait either.
    #[error("it is not known whether it was stored ({0}); see to the disk, then do it again")]
    Unsure(#[from] Fatal),
    /// Anything else; the log has the detail.
    #[error("it was not stored ({0:?})")]
    Failed(ErrorCode),
}

impl From<RelayError> for ToolError {
    fn from(error: RelayError) -> Self {
        match error.code() {
            ErrorCode::AlreadyExists => Self::AccountTaken,
            ErrorCode::NotFound => Self::NoAccount,
            ErrorCode::WeakPassword => Self::Password,
            ErrorCode::BadBody | ErrorCode::EmptyText | ErrorCode::TooLarge => Self::Name,
            code => Self::Failed(code),
        }
    }
}

/// A name that was mistyped must not become a relay's folder.
fn begun(data: &Path) -> Result<(), ToolError> {
    if store::is_begun(data) {
        return Ok(());
    }
    // Whoever may not look in does not see what is there.
    let hidden = obstacle::of_data(data).filter(|_| !matches!(data.try_exists(), Ok(false)));
    Err(hidden.map_or_else(|| ToolError::NoData(data.to_owned()), Into::into))
}

/// The data of a folder that no relay holds.
fn open(data: &Path) -> Result<Store, ToolError> {
    Store::open_inline(data, &RealWorld).map_err(explained(data))
}

/// The same failure, or what stands behind it.
fn explained(data: &Path) -> impl Fn(OpenError) -> ToolError {
    move |error| obstacle::behind(&error, data).map_or(error.into(), Into::into)
}

/// The same where a backup is made or restored: `copy` is its folder.
fn explained_beside(data: &Path, copy: &Path) -> impl Fn(BackupError) -> ToolError {
    move |error| match error {
        BackupError::Open(error) => obstacle::behind(&error, data)
            .or_else(|| obstacle::behind_copy(&error, copy))
            .map_or(error.into(), Into::into),
        error => error.into(),
    }
}

/// What came of `work`, unless the database could not go on meanwhile: then it never ends.
async fn done<T, E: Into<ToolError>>(
    store: &Store,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, ToolError> {
    tokio::select! {
        biased;
        done = work => done.map_err(Into::into),
        fatal = store.failed() => Err(fatal.into()),
    }
}

/// Where an account's password comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Password {
    /// Made here and given back.
    Generated,
    /// The first line of standard input.
    FromStdin,
}

impl Password {
    /// The password, and what to print of it.
    fn get(self) -> Result<(String, Option<String>), ToolError> {
        match self {
            Self::Generated => {
                let password = generated();
                Ok((password.clone(), Some(password)))
            }
            Self::FromStdin => Ok((read_line()?, None)),
        }
    }
}

/// Adds an admin; gives the generated password.
pub async fn create_admin(
    data: &Path,
    account: String,
    nickname: Option<String>,
    password: Password,
) -> Result<Option<String>, ToolError> {
    let (password, shown) = password.get()?;
    let store = open(data)?;
    let nickname = nickname.unwrap_or_else(|| account.clone());
    let request = AddAgent {
        account,
        password,
        nickname,
        role: Role::Admin,
        capacity: CAPACITY_DEFAULT,
        departments: None,
        skills: Vec::new(),
    };
    let hasher = PasswordHasher::default();
    let insert = agents::actions::insert(&store, &RealWorld, &hasher, request);
    let added = done(&store, insert).await;
    store.close().await;
    added?;
    Ok(shown)
}

/// Gives an account a new password and ends its sessions; gives the generated password.
pub async fn reset_password(
    data: &Path,
    account: &str,
    password: Password,
) -> Result<Option<String>, ToolError> {
    begun(data)?;
    let (password, shown) = password.get()?;
    let store = open(data)?;
    let hasher = PasswordHasher::default();
    let reset =
        done(&store, auth::actions::reset_password(&store, &hasher, account, password)).await;
    store.close().await;
    reset?;
    Ok(shown)
}

/// Adds a site; gives its id.
pub async fn add_site(data: &Path, name: &str, domains: &[String]) -> Result<SiteId, ToolError> {
    if domains.is_empty() {
        return Err(ToolError::NoDomain);
    }
    let domains = Domain::parse_all(domains)?;
    begun(data)?;
    let store = open(data)?;
    let added = done(&store, sites::actions::insert(&store, &RealWorld, name, domains)).await;
    store.close().await;
    Ok(added?.id)
}

/// What to do with a site: the snippet for its pages, and the chat as a page of its own.
#[must_use]
pub fn how_to_embed(origin: &str, site: &SiteId) -> String {
    format!(
        "before </body> of the site's pages:\n  \
         <script async src=\"{origin}/widget.js\" data-site=\"{site}\"></script>\n\
         as a page of its own: {origin}/c/{site}"
    )
}

/// Lines to print, and in how many places the data is damaged.
type Said = (Vec<String>, usize);

/// Makes a backup; gives what to print.
pub fn backup(data: &Path, to: &Path) -> Result<Said, ToolError> {
    begun(data)?;
    let made = store::backup(data, to, &RealWorld).map_err(explained_beside(data, to))?;
    let bytes: u64 = made.files.iter().map(|file| file.bytes).sum();
    let line = format!(
        "backed up to {}: {} messages, log position {}, {bytes} bytes, checked",
        to.display(),
        made.messages,
        made.position,
    );
    Ok(with_damage(line, "the backup is made, of data that was damaged already", &made.damaged))
}

/// The line, and what of the data was damaged when it was backed up.
fn with_damage(line: String, what: &str, damaged: &[Damage]) -> Said {
    let count = damaged.iter().map(|damage| damage.count).sum();
    let mut lines = vec![line];
    if count > 0 {
        lines.push(format!("{what}, in {count} places; keep older backups"));
    }
    lines.extend(damaged.iter().map(|damage| damaged_line(&damage.what, &damage.places)));
    (lines, count)
}

fn damaged_line(what: &str, places: &[String]) -> String {
    let at = if places.is_empty() { String::new() } else { format!(": {}", places.join(", ")) };
    format!("damaged: {what}{at}")
}

/// Puts a backup into a data folder; gives what to print.
pub fn restore(from: &Path, data: &Path, replace: bool) -> Result<Said, ToolError> {
    let done =
        store::restore(from, data, replace, &RealWorld).map_err(explained_beside(data, from))?;
    let aside = done
        .replaced
        .map_or_else(String::new, |path| format!("; what was there is now in {}", path.display()));
    let line = format!(
        "restored {} into {}: {} messages, log position {}{aside}",
        from.display(),
        data.display(),
        done.manifest.messages,
        done.manifest.position,
    );
    let what = "what is restored was damaged when it was backed up";
    Ok(with_damage(line, what, &done.manifest.damaged))
}

/// Checks everything in a data folder; gives each line to print, the findings first.
pub fn check(data: &Path) -> Result<Said, ToolError> {
    begun(data)?;
    let report = store::check(data).map_err(explained(data))?;
    if let Some(OtherRelease { found, known }) = report.other_release {
        return Err(match found > known {
            true => ToolError::Newer { found, known },
            false => ToolError::Older { found, known },
        });
    }
    let mut lines = Vec::new();
    for finding in &report.findings {
        lines.push(damaged_line(&finding.what, &finding.places));
        lines.push(format!("  what to do: {}", finding.advice));
    }
    let verdict = if report.findings.is_empty() { "all is well" } else { "not all is well" };
    lines.push(format!(
        "{} messages and the log up to position {} were checked: {verdict}",
        report.messages, report.position
    ));
    Ok((lines, report.findings.len()))
}

/// 16 letters and digits, 95 bits: nobody guesses it, and it can be typed.
fn generated() -> String {
    const CHARS: usize = 16;
    let mut password = String::with_capacity(CHARS);
    while password.chars().count() < CHARS {
        let letters = RealWorld.new_secret();
        let missing = CHARS - password.chars().count();
        password.extend(letters.chars().filter(char::is_ascii_alphanumeric).take(missing));
    }
    password
}

fn read_line() -> Result<String, ToolError> {
    // A character has at most four bytes; the line's end and one more show what is too long.
    let bytes_max = u64::try_from(PASSWORD_CHARS_MAX * 4 + 8).unwrap_or(u64::MAX);
    let mut line = String::new();
    let read = std::io::BufReader::new(std::io::stdin().take(bytes_max)).read_line(&mut line);
    let password = line.trim_end_matches(['\r', '\n']);
    match read {
        Ok(_) if !password.is_empty() => Ok(password.to_owned()),
        _ => Err(ToolError::NoPassword),
    }
}
