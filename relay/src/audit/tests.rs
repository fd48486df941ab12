//! The audit over HTTP.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::Position;
use yingke_shared::rest::{AddSite, AuditEntry, ChangeSite};
use yingke_shared::settings::{SaveSettings, SettingsSection};

use super::actions;
use crate::limits::AUDIT_ENTRIES_MAX;
use crate::testing::{TestRelay, admin};
use crate::{settings, sites};

#[tokio::test]
async fn every_change_of_settings_leaves_a_line_and_a_refused_one_none() {
    let relay = TestRelay::open().await;
    let ana = relay.agent("Ana").await;
    let save = async |base, section| {
        let request = SaveSettings { base, section };
        settings::actions::save(&relay.app, &admin(), request).await.map(|_| ())
    };
    let skills = || SettingsSection::Skills(Vec::new());
    relay.set_clock(1_800_000_000_001);
    save(0, skills()).await.unwrap();
    assert_eq!(save(0, skills()).await.unwrap_err().code(), ErrorCode::Changed);
    save(0, SettingsSection::Rules(Vec::new())).await.unwrap();
    let page = actions::page(&relay.app, &admin(), None).await.unwrap();
    // The first one tells of the site all tests have.
    let lines: Vec<_> = page
        .entries
        .iter()
        .filter(|entry| entry.number.get() > 1)
        .map(|entry| (entry.number.get(), entry.deed.as_str(), entry.subject.as_str()))
        .collect();
    assert_eq!(lines, [(3, "settings", "rules"), (2, "settings", "skills")]);
    assert!(page.entries.iter().all(|entry| entry.agent_id == admin().agent_id));
    assert_eq!(page.entries[0].at.millis(), 1_800_000_000_001);
    let refused = actions::page(&relay.app, &ana, None).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::Forbidden);
}

/// N01: an account or a site that an admin adds or changes is on record, what the command line does is
/// nobody's.
#[tokio::test]
async fn a_changed_site_leaves_a_line_and_an_unchanged_one_none() {
    let relay = TestRelay::open().await;
    let before = actions::page(&relay.app, &admin(), None).await.unwrap().entries.len();
    let request = AddSite { name: "Blog".into(), domains: vec!["https://blog.example".into()] };
    let id = sites::actions::add(&relay.app, &admin(), request).await.unwrap().id;
    for _ in 0..2 {
        let change = ChangeSite { name: Some("Journal".into()), ..Default::default() };
        sites::actions::change(&relay.app, &admin(), id.clone(), change).await.unwrap();
    }
    let page = actions::page(&relay.app, &admin(), None).await.unwrap();
    let new = page.entries.len() - before;
    assert_eq!(new, 2);
    let is_its = |entry: &AuditEntry| entry.deed == "site" && entry.subject == id.as_str();
    assert!(page.entries.iter().take(new).all(is_its));
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let relay = TestRelay::open().await;
    let at = relay.app.world.now();
    let count = AUDIT_ENTRIES_MAX + 3;
    let written = relay.app.store.write("fill", move |tx| {
        for n in 0..count {
            super::record(tx, at, &admin().agent_id, "watch", &format!("c{n}"))?;
        }
        Ok::<_, crate::store::Abort<ErrorCode>>(())
    });
    written.await.unwrap();
    let mut numbers = Vec::new();
    let mut before: Option<Position> = None;
    loop {
        let page = actions::page(&relay.app, &admin(), before).await.unwrap();
        assert!(!page.entries.is_empty() && page.entries.len() <= AUDIT_ENTRIES_MAX);
        numbers.extend(page.entries.iter().map(|entry| entry.number.get()));
        before = page.entries.last().map(|entry| entry.number);
        if !page.has_earlier {
            break;
        }
    }
    assert_eq!(numbers, (1..=count as u64 + 1).rev().collect::<Vec<_>>());
}
