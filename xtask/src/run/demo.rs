//! The first data of a new relay: an admin, a site for the demo shop, two agents.
//!
//! It is made in a folder beside the final one, which gets its name only when all is there: an
//! interrupted first start begins again from nothing, and data that exists is never touched, but
//! for one thing: a demo shop on another port is a site of its own (domains include the port).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use super::{Wish, http, relay_folder, start_relay};
use crate::{paths, procs, say};

const ADMIN: &str = "admin";
const SITE_NAME: &str = "云洁";
const AGENTS: [(&str, &str); 2] = [("zhouxiaoyu", "周晓雨"), ("lisiyuan", "李思源")];
const AGENT_CAPACITY: u32 = 8;

/// The heading over new accounts.
pub(super) const FIRST_ACCOUNTS: &str =
    "账号(密码只在这次启动时显示)· Accounts (passwords are shown at this start alone)";

/// What `run` needs to know of the data.
pub(super) struct Demo {
    /// The demo shop's site.
    pub(super) site: String,
    /// Accounts made just now; their passwords are known only here.
    pub(super) accounts: Vec<Account>,
}

/// An account made just now.
pub(super) struct Account {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) note: String,
}

impl Account {
    /// For the person at the terminal.
    pub(super) fn line(&self) -> String {
        format!("{:<10} {:<22} {}", self.name, self.password, self.note)
    }
}

impl Demo {
    /// What a page embeds.
    pub(super) fn snippet(&self, port: u16) -> String {
        format!(
            r#"<script async src="http://chat.localhost:{port}/widget.js" data-site="{}"></script>"#,
            self.site
        )
    }
}

/// How a forgotten password is replaced.
pub(super) fn reset_command(data: &Path) -> String {
    format!(
        "{} reset-password --data {} --account {ADMIN}",
        paths::executable("yingke-relay").display(),
        relay_folder(data).display()
    )
}

/// Makes the first data if there is none, and finds the demo shop's site.
pub(super) fn prepare(data: &Path, wish: &Wish) -> Result<Demo> {
    let origin = format!("http://shop.localhost:{}", wish.shop_port);
    let folder = relay_folder(data);
    let sites = Sites::of(data);
    if !folder.exists() {
        let (site, accounts) = make(data, &folder, &origin, wish.port)?;
        sites.remember(&origin, &site)?;
        return Ok(Demo { site, accounts });
    }
    let site = match sites.find(&origin) {
        Some(site) => site,
        None => {
            say::step(&format!("登记演示商店 · adding a site for {origin}"));
            let site = add_site(&folder, &origin)?;
            sites.remember(&origin, &site)?;
            site
        }
    };
    Ok(Demo { site, accounts: Vec::new() })
}

fn make(data: &Path, folder: &Path, origin: &str, port: u16) -> Result<(String, Vec<Account>)> {
    say::step("新建数据 · making the first data: an admin, a site, two agents");
    let unfinished = data.join("relay.unfinished");
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).context("clearing an unfinished first start")?;
    }
    let admin_password = relay_says(&unfinished, &["create-admin", "--account", ADMIN])?;
    let site = add_site(&unfinished, origin)?;
    let mut accounts = vec![Account {
        name: ADMIN.to_owned(),
        password: admin_password.clone(),
        note: "管理员 · admin".to_owned(),
    }];
    let relay = start_relay(&unfinished, port, &data.join("logs/relay-first.log"))?;
    let sign_in = json!({"account": ADMIN, "password": admin_password});
    let signed_in = http::post(port, "/api/sign-in", None, &sign_in)?;
    let token = signed_in["token"].as_str().context("the relay gave no token")?;
    for (account, nickname) in AGENTS {
        let password = password()?;
        let agent = json!({
            "account": account,
            "password": password,
            "nickname": nickname,
            "role": "agent",
            "capacity": AGENT_CAPACITY,
        });
        http::post(port, "/api/agents", Some(token), &agent)?;
        let note = format!("客服 · agent {nickname}");
        accounts.push(Account { name: account.to_owned(), password, note });
    }
    http::post(port, "/api/sign-out", Some(token), &json!({}))?;
    relay.stop();
    std::fs::rename(&unfinished, folder).context("naming the finished data folder")?;
    // Nobody can ask for them again, whatever happens to the rest of this start.
    say::step(FIRST_ACCOUNTS);
    accounts.iter().for_each(|account| say::detail(&account.line()));
    Ok((site, accounts))
}

fn add_site(folder: &Path, origin: &str) -> Result<String> {
    relay_says(folder, &["add-site", "--name", SITE_NAME, "--domain", origin])
}

/// Runs one of the relay's administrative commands, which answer with one line.
fn relay_says(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = procs::command(paths::executable("yingke-relay"));
    command.args(arguments).arg("--data").arg(folder);
    let name = format!("yingke-relay {}", arguments.first().copied().unwrap_or_default());
    let answer = procs::read(&mut command, &name)?.trim().to_owned();
    if answer.is_empty() || answer.contains('\n') {
        bail!("{name} did not answer with one line");
    }
    Ok(answer)
}

/// Sixteen letters and digits that are told apart on paper: over 77 bits.
fn password() -> Result<String> {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    const LENGTH: usize = 16;
    let mut bytes = [0_u8; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
        .map(|letter| char::from(*letter))
        .collect())
}

/// Which site belongs to the demo shop at which address; kept beside the relay's data.
struct Sites {
    file: PathBuf,
}

impl Sites {
    fn of(data: &Path) -> Self {
        Self { file: data.join("demo-sites.json") }
    }

    fn read(&self) -> Map<String, Value> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn find(&self, origin: &str) -> Option<String> {
        self.read().get(origin)?.as_str().map(str::to_owned)
    }

    fn remember(&self, origin: &str, site: &str) -> Result<()> {
        let mut all = self.read();
        all.insert(origin.to_owned(), Value::from(site));
        std::fs::write(&self.file, format!("{}\n", Value::Object(all)))
            .with_context(|| format!("writing {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_remembered_by_address() {
        let dir = tempfile::tempdir().unwrap();
        let sites = Sites::of(dir.path());
        assert_eq!(sites.find("http://shop.localhost:1"), None);
        sites.remember("http://shop.localhost:1", "a").unwrap();
        sites.remember("http://shop.localhost:2", "b").unwrap();
        assert_eq!(sites.find("http://shop.localhost:1").as_deref(), Some("a"));
    }

    #[test]
    fn passwords_are_long_and_differ() {
        let (one, two) = (password().unwrap(), password().unwrap());
        assert_eq!(one.len(), 16);
        assert_ne!(one, two);
    }
}
