//! Stories of the settings: bounds, names, versions, and the law on every screen that shows them.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode, header};
use serde_json::json;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, DepartmentId, RuleId, SiteId, SkillId};
use yingke_shared::rest::ChangeAgent;
use yingke_shared::settings::{
    Ask, Attention, AutoReplySettings, AutoReplyTexts, BusinessHours, Category, CompanySettings,
    Condition, DepartmentSettings, NoAnswer, NumberOf, QueuePolicy, RuleSettings, SaveSettings,
    Settings, SettingsSection, Silence, Span, SpecialDay, TextIs, TextOf, VisitorPrompts,
};
use yingke_shared::views::{Role, SkillCard};

use super::{actions, queries};
use crate::config::Config;
use crate::testing::http::ask;
use crate::testing::{PASSWORD, Screens, TestRelay, admin};
use crate::{agents, sites};

fn department_id(id: &str) -> DepartmentId {
    DepartmentId::new(id).unwrap()
}

fn department(id: &str, name: &str) -> DepartmentSettings {
    DepartmentSettings { name: name.into(), ..queries::department(department_id(id)) }
}

fn skill(id: &str) -> SkillCard {
    SkillCard { id: SkillId::new(id).unwrap(), name: id.into() }
}

fn rule(id: &str) -> RuleSettings {
    RuleSettings {
        id: RuleId::new(id).unwrap(),
        name: id.into(),
        enabled: true,
        when: Vec::new(),
        department_id: None,
        skill_id: None,
        agent_id: None,
        priority: None,
    }
}

async fn all(relay: &TestRelay) -> Settings {
    actions::all(&relay.app, &admin()).await.unwrap()
}

/// Saves over whatever is there.
async fn save(relay: &TestRelay, section: SettingsSection) -> Result<Settings, ErrorCode> {
    let now = all(relay).await;
    let base = match &section {
        SettingsSection::Company(_) => now.company.version,
        SettingsSection::Departments(_) => now.departments.version,
        SettingsSection::Skills(_) => now.skills.version,
        SettingsSection::Rules(_) => now.rules.version,
        SettingsSection::Prompts(_) => now.prompts.version,
        SettingsSection::AutoReplies(_) => now.auto_replies.version,
    };
    let request = SaveSettings { base, section };
    actions::save(&relay.app, &admin(), request).await.map_err(|error| error.code())
}

async fn company_with(
    relay: &TestRelay,
    change: impl FnOnce(&mut CompanySettings),
) -> Result<Settings, ErrorCode> {
    let mut company = all(relay).await.company.value;
    change(&mut company);
    save(relay, SettingsSection::Company(company)).await
}

#[tokio::test]
async fn a_section_is_saved_whole_against_its_version() {
    let relay = TestRelay::open().await;
    let fresh = all(&relay).await;
    assert_eq!(fresh.company.version, 0);
    assert_eq!(fresh.departments.value, [department("default", "")]);
    let sections = |name: &str| {
        SettingsSection::Departments(vec![department("default", ""), department("sales", name)])
    };
    let put = async |base, name| {
        let request = SaveSettings { base, section: sections(name) };
        actions::save(&relay.app, &admin(), request).await.map_err(|error| error.code())
    };
    let saved = put(0, " Sales ").await.unwrap();
    assert_eq!(saved.departments.version, 1);
    assert_eq!(saved.departments.value[1].name, "Sales");
    assert_eq!(saved, all(&relay).await);
    assert_eq!(put(0, "Late").await, Err(ErrorCode::Changed), "the first save is over");
    assert_eq!(put(2, "Early").await, Err(ErrorCode::Changed));
    assert_eq!(put(1, "Sells").await.unwrap().departments.version, 2);
    assert_eq!(put(1, "Late").await, Err(ErrorCode::Changed));
    // Other sections have their own versions.
    assert_eq!(
        save(&relay, SettingsSection::Skills(vec![skill("english")])).await.unwrap().skills.version,
        1
    );
    let ana = relay.agent("Ana").await;
    let mia = relay.account("Mia", Role::Manager, 8).await;
    for who in [&ana, &mia] {
        let refused = actions::all(&relay.app, who).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Forbidden);
        let request = SaveSettings { base: 2, section: sections("Mine") };
        let refused = actions::save(&relay.app, who, request).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Forbidden);
    }
}

/// Where the operator says people and pages reach the relay: an admin copies it into pages.
#[tokio::test]
async fn an_admin_sees_the_address_that_pages_need() {
    let relay = TestRelay::open().await;
    assert_eq!(all(&relay).await.public_url, None, "the configuration names none");
    let public_url = Some("https://chat.example.com".parse().unwrap());
    let relay = relay.restart_as(Config { public_url, ..Config::default() }).await;
    let named = Some("https://chat.example.com".to_owned());
    assert_eq!(all(&relay).await.public_url, named);
    let saved = save(&relay, SettingsSection::Skills(vec![skill("english")])).await.unwrap();
    assert_eq!(saved.public_url, named, "nor does a form forget it");
}

/// Two admins press at once: one of them is told, and nothing is mixed.
#[tokio::test]
async fn of_two_who_save_at_once_one_is_told() {
    let relay = TestRelay::open().await;
    let put = |name: &str| {
        let skills = vec![SkillCard { name: name.into(), ..skill("english") }];
        let request = SaveSettings { base: 0, section: SettingsSection::Skills(skills) };
        let app = relay.app.clone();
        async move { actions::save(&app, &admin(), request).await.map(|_| ()) }
    };
    let (one, other) = tokio::join!(put("One"), put("Other"));
    let refused: Vec<_> = [&one, &other].into_iter().filter_map(|it| it.as_ref().err()).collect();
    assert_eq!(refused.iter().map(|it| it.code()).collect::<Vec<_>>(), [ErrorCode::Changed]);
    assert_eq!(all(&relay).await.skills.version, 1);
}

/// What the promises say where nobody set anything: B06, B08, B11, B13, B14, D05.
#[tokio::test]
async fn a_company_begins_with_what_is_promised() {
    let relay = TestRelay::open().await;
    let all = all(&relay).await;
    assert_eq!(all.company.value.grace_s, 60);
    assert_eq!(yingke_shared::limits::CAPACITY_DEFAULT, 8);
    let [department] = all.departments.value.as_slice() else { panic!("one department") };
    assert_eq!(department.no_answer, Some(NoAnswer { after_s: 180, transfers_max: 3 }));
    assert_eq!(department.policy, QueuePolicy::Pool);
    assert_eq!((department.hours.clone(), department.wrap_up_s), (None, 0));
    assert_eq!(department.silence, Silence::default());
    assert_eq!(all.company.value.seats_for_silent, [], "opening a window takes no seat");
}

#[tokio::test]
async fn values_out_of_bounds_are_refused() {
    let relay = TestRelay::open().await;
    let invalid = async |section: SettingsSection| {
        let shown = format!("{section:?}");
        assert_eq!(save(&relay, section).await, Err(ErrorCode::Invalid), "{shown}");
    };
    let company = all(&relay).await.company.value;
    let of_company = |change: fn(&mut CompanySettings)| {
        let mut changed = company.clone();
        change(&mut changed);
        SettingsSection::Company(changed)
    };
    let category =
        |name: &str| Category { name: name.into(), department_id: department_id("default") };
    for section in [
        of_company(|it| it.zone = "Asia/Nowhere".into()),
        of_company(|it| it.zone = String::new()),
        of_company(|it| it.grace_s = 4),
        of_company(|it| it.grace_s = 3_601),
        of_company(|it| it.invitation_s = 9),
        of_company(|it| it.invitation_s = 601),
        of_company(|it| it.attention = Attention { warn_s: 60, red_s: 60 }),
        of_company(|it| it.attention = Attention { warn_s: 0, red_s: 60 }),
    ] {
        invalid(section).await;
    }
    for categories in [
        vec![category(" ")],
        vec![category(&"x".repeat(65))],
        vec![category("a"), category(" a ")],
        (0..31).map(|n| category(&n.to_string())).collect(),
    ] {
        invalid(SettingsSection::Company(CompanySettings { categories, ..company.clone() })).await;
    }

    let of_department = |change: fn(&mut DepartmentSettings)| {
        let mut sales = department("sales", "Sales");
        change(&mut sales);
        SettingsSection::Departments(vec![department("default", ""), sales])
    };
    let hours = || BusinessHours { week: vec![Vec::new(); 7], ..BusinessHours::default() };
    for section in [
        SettingsSection::Departments(Vec::new()),
        SettingsSection::Departments(vec![department("default", ""), department("default", "x")]),
        SettingsSection::Departments((0..201).map(|n| department(&format!("d{n}"), "d")).collect()),
        of_department(|it| it.name = String::new()),
        of_department(|it| it.name = "x".repeat(65)),
        of_department(|it| it.order = 1_000_001),
        of_department(|it| it.order = -1_000_001),
        of_department(|it| it.policy = QueuePolicy::StickyThenPool { after_s: 0 }),
        of_department(|it| it.policy = QueuePolicy::StickyThenPool { after_s: 86_401 }),
        of_department(|it| it.no_answer = Some(NoAnswer { after_s: 9, transfers_max: 1 })),
        of_department(|it| it.no_answer = Some(NoAnswer { after_s: 7_201, transfers_max: 1 })),
        of_department(|it| it.no_answer = Some(NoAnswer { after_s: 60, transfers_max: 21 })),
        of_department(|it| it.wrap_up_s = 3_601),
        of_department(|it| it.silence = Silence { ask_s: Some(9), ..Silence::default() }),
        of_department(|it| it.silence = Silence { warn_s: Some(86_401), ..Silence::default() }),
        of_department(|it| it.silence = Silence { end_s: Some(0), ..Silence::default() }),
        of_department(|it| it.explain_s = Some(7_201)),
        of_department(|it| it.file_after_s = Some(9)),
        of_department(|it| it.wait_s_max = Some(86_401)),
    ] {
        invalid(section).await;
    }
    let span = |from, to| Span { from, to };
    let special = |date: &str| SpecialDay { date: date.into(), spans: Vec::new() };
    let on_monday = |spans: Vec<Span>| {
        let mut hours = hours();
        hours.week[0] = spans;
        hours
    };
    for hours in [
        BusinessHours { zone: "Mars/Base".into(), ..hours() },
        BusinessHours { week: vec![Vec::new(); 6], ..hours() },
        on_monday(vec![span(600, 600)]),
        on_monday(vec![span(1_320, 120)]),
        on_monday(vec![span(600, 1_441)]),
        on_monday((0..7).map(|n| span(n * 60, n * 60 + 30)).collect()),
        BusinessHours { special: vec![special("2026-02-29")], ..hours() },
        BusinessHours { special: vec![special("2026-10-01"), special("2026-10-01")], ..hours() },
    ] {
        let sales = DepartmentSettings { hours: Some(hours), ..department("sales", "Sales") };
        invalid(SettingsSection::Departments(vec![department("default", ""), sales])).await;
    }

    let text = |of, is, field: &str, values: Vec<String>| Ask::Text {
        of,
        field: field.into(),
        is,
        values,
    };
    let page = TextOf::Page;
    let one = || vec!["x".to_owned()];
    for asked in [
        text(page, TextIs::Contains, "", Vec::new()),
        text(page, TextIs::Contains, "", vec!["x".repeat(201)]),
        text(page, TextIs::OneOf, "", (0..51).map(|n| n.to_string()).collect()),
        text(page, TextIs::Known, "", one()),
        text(page, TextIs::OneOf, "field", one()),
        text(TextOf::Field, TextIs::OneOf, "", one()),
        Ask::Number { of: NumberOf::Level, from: 3, to: 2 },
        Ask::Time { days: vec![7], span: span(0, 60) },
        Ask::Time { days: Vec::new(), span: span(60, 60) },
    ] {
        let when = vec![Condition { not: false, ask: asked }];
        invalid(SettingsSection::Rules(vec![RuleSettings { when, ..rule("r") }])).await;
    }
    let vips = vec![Condition { not: false, ask: Ask::Vip }; 21];
    for rules in [
        vec![RuleSettings { name: " ".into(), ..rule("r") }],
        vec![RuleSettings { when: vips, ..rule("r") }],
        vec![rule("r"), rule("r")],
        (0..201).map(|n| rule(&format!("r{n}"))).collect(),
    ] {
        invalid(SettingsSection::Rules(rules)).await;
    }
    invalid(SettingsSection::Skills(vec![skill("a"), skill("a")])).await;
    invalid(SettingsSection::Skills(vec![SkillCard { name: String::new(), ..skill("a") }])).await;
    let long = "好".repeat(501);
    let prompts = VisitorPrompts { message_left: long.clone(), ..VisitorPrompts::default() };
    invalid(SettingsSection::Prompts(prompts)).await;
    let texts = AutoReplyTexts { warn_visitor: long, ..AutoReplyTexts::default() };
    invalid(SettingsSection::AutoReplies(AutoReplySettings { forced: false, texts })).await;
    // Nothing of it was saved.
    let now = all(&relay).await;
    assert_eq!(now.company.version + now.departments.version + now.rules.version, 0);
}

#[tokio::test]
async fn the_bounds_themselves_may_be_saved() {
    let relay = TestRelay::open().await;
    let span = |from, to| Span { from, to };
    let hours = BusinessHours {
        zone: "America/New_York".into(),
        week: (0..7).map(|_| vec![span(0, 1), span(1_439, 1_440)]).collect(),
        special: vec![SpecialDay { date: "2028-02-29".into(), spans: vec![span(0, 1_440)] }],
    };
    let sales = DepartmentSettings {
        order: 1_000_000,
        policy: QueuePolicy::StickyThenPool { after_s: 86_400 },
        hours: Some(hours),
        close_line: true,
        no_answer: Some(NoAnswer { after_s: 7_200, transfers_max: 20 }),
        wrap_up_s: 3_600,
        silence: Silence { ask_s: Some(10), warn_s: Some(86_400), end_s: Some(86_400) },
        explain_s: Some(10),
        file_after_s: Some(86_400),
        wait_s_max: Some(10),
        ..department("sales", &"销".repeat(64))
    };
    let section = SettingsSection::Departments(vec![department("default", "客服"), sales.clone()]);
    let saved = save(&relay, section).await.unwrap();
    assert_eq!(saved.departments.value[0], sales, "listed by its order");
    let words = "好".repeat(500);
    let prompts = VisitorPrompts { waiting: words.clone(), ..VisitorPrompts::default() };
    save(&relay, SettingsSection::Prompts(prompts)).await.unwrap();
    // More rules than any other body of the relay may be long.
    let values: Vec<_> = (0..50).map(|n| format!("{n:0>200}")).collect();
    let asked = Ask::Text { of: TextOf::Page, field: String::new(), is: TextIs::Like, values };
    let when = vec![Condition { not: true, ask: asked }; 4];
    let rules: Vec<_> =
        (0..8).map(|n| RuleSettings { when: when.clone(), ..rule(&format!("r{n}")) }).collect();
    let request = SaveSettings { base: 0, section: SettingsSection::Rules(rules) };
    let body = serde_json::to_string(&request).unwrap();
    assert!(body.len() > crate::limits::REQUEST_BODY_BYTES_MAX);
    relay.account("Ada", Role::Admin, 8).await;
    let token = sign_in(&relay, "Ada").await;
    let headers = [(header::AUTHORIZATION, token.as_str())];
    let answer = ask(&relay.app, Method::PUT, "/api/settings", &headers, Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json["rules"]["version"], 1);
    let unknown = json!({"base": 0, "section": {"name": "skills", "value": []}, "more": 1});
    let answer =
        ask(&relay.app, Method::PUT, "/api/settings", &headers, Some(unknown.to_string())).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "bad_body"));
}

async fn sign_in(relay: &TestRelay, name: &str) -> String {
    let request = json!({"account": name, "password": PASSWORD}).to_string();
    let answer = ask(&relay.app, Method::POST, "/api/sign-in", &[], Some(request)).await;
    format!("Bearer {}", answer.json["token"].as_str().unwrap())
}

#[tokio::test]
async fn a_name_must_be_of_something() {
    let relay = TestRelay::open().await;
    let site = relay.site.clone();
    let (nowhere, ghost) = (department_id("nowhere"), AgentId::new("ghost").unwrap());
    let no_site = SiteId::new("no-site").unwrap();
    let first = department_id("default");
    let category = Category { name: "售前".into(), department_id: nowhere.clone() };
    let company = all(&relay).await.company.value;
    for company in [
        CompanySettings { default_department: nowhere.clone(), ..company.clone() },
        CompanySettings { categories: vec![category], ..company.clone() },
        CompanySettings {
            sites: BTreeMap::from([(site.clone(), nowhere.clone())]),
            ..company.clone()
        },
        CompanySettings {
            sites: BTreeMap::from([(no_site.clone(), first.clone())]),
            ..company.clone()
        },
        CompanySettings { seats_for_silent: vec![no_site], ..company.clone() },
    ] {
        assert_eq!(save(&relay, SettingsSection::Company(company)).await, Err(ErrorCode::Invalid));
    }
    let open = Condition { not: false, ask: Ask::Open { department_id: nowhere.clone() } };
    for rule in [
        RuleSettings { department_id: Some(nowhere), ..rule("r") },
        RuleSettings { skill_id: Some(SkillId::new("none").unwrap()), ..rule("r") },
        RuleSettings { agent_id: Some(ghost), ..rule("r") },
        RuleSettings { when: vec![open], ..rule("r") },
    ] {
        assert_eq!(save(&relay, SettingsSection::Rules(vec![rule])).await, Err(ErrorCode::Invalid));
    }
    let ana = relay.agent("Ana").await;
    save(&relay, SettingsSection::Skills(vec![skill("english")])).await.unwrap();
    let good = RuleSettings {
        department_id: Some(first.clone()),
        skill_id: Some(skill("english").id),
        agent_id: Some(ana.agent_id),
        when: vec![Condition { not: true, ask: Ask::Open { department_id: first.clone() } }],
        ..rule("r")
    };
    save(&relay, SettingsSection::Rules(vec![good])).await.unwrap();
    let good = company_with(&relay, |it| {
        it.sites = BTreeMap::from([(site.clone(), first)]);
        it.seats_for_silent = vec![site];
    });
    good.await.unwrap();
}

#[tokio::test]
async fn what_is_still_named_stays() {
    let relay = TestRelay::open().await;
    let ana = relay.agent("Ana").await;
    let sales = department_id("sales");
    let both = || {
        SettingsSection::Departments(vec![department("default", ""), department("sales", "Sales")])
    };
    let one = || SettingsSection::Departments(vec![department("default", "")]);
    save(&relay, both()).await.unwrap();
    save(&relay, SettingsSection::Skills(vec![skill("english")])).await.unwrap();
    let none = || SettingsSection::Skills(Vec::new());

    let by_rule = RuleSettings {
        department_id: Some(sales.clone()),
        skill_id: Some(skill("english").id),
        ..rule("r")
    };
    let asks = vec![Condition { not: true, ask: Ask::Open { department_id: sales.clone() } }];
    for named in [by_rule, RuleSettings { when: asks, ..rule("r") }] {
        let has_skill = named.skill_id.is_some();
        save(&relay, SettingsSection::Rules(vec![named])).await.unwrap();
        assert_eq!(save(&relay, one()).await, Err(ErrorCode::InUse));
        let expected = if has_skill { Some(ErrorCode::InUse) } else { None };
        assert_eq!(save(&relay, none()).await.err(), expected);
        save(&relay, SettingsSection::Rules(Vec::new())).await.unwrap();
        save(&relay, SettingsSection::Skills(vec![skill("english")])).await.unwrap();
    }
    let (site, to) = (relay.site.clone(), sales.clone());
    company_with(&relay, |it| it.sites = BTreeMap::from([(site, to)])).await.unwrap();
    assert_eq!(save(&relay, one()).await, Err(ErrorCode::InUse));
    let to = sales.clone();
    company_with(&relay, |it| {
        it.sites = BTreeMap::new();
        it.categories = vec![Category { name: "售前".into(), department_id: to }];
    })
    .await
    .unwrap();
    assert_eq!(save(&relay, one()).await, Err(ErrorCode::InUse));
    company_with(&relay, |it| it.categories = Vec::new()).await.unwrap();

    let of_agent = async |departments: Vec<DepartmentId>, skills: Vec<SkillId>| {
        let change = ChangeAgent {
            departments: Some(departments),
            skills: Some(skills),
            ..Default::default()
        };
        agents::actions::change(&relay.app, &admin(), ana.agent_id.clone(), change).await.unwrap();
    };
    of_agent(vec![sales], vec![skill("english").id]).await;
    assert_eq!(save(&relay, one()).await, Err(ErrorCode::InUse));
    assert_eq!(save(&relay, none()).await.err(), Some(ErrorCode::InUse));
    of_agent(vec![department_id("default")], Vec::new()).await;
    save(&relay, one()).await.unwrap();
    save(&relay, none()).await.unwrap();
    // The first department may go too, once nothing names it.
    let other = SettingsSection::Departments(vec![department("other", "Other")]);
    assert_eq!(save(&relay, other).await, Err(ErrorCode::InUse));
}

/// What was on a screen, plus the events, is what a fresh look shows: for staff, and for visitors of
/// every site.
#[tokio::test]
async fn every_screen_follows_the_settings() {
    let relay = TestRelay::open().await;
    let (ana, ada) = (relay.agent("Ana").await, relay.account("Ada", Role::Admin, 8).await);
    let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
    relay.conversation_with(&vera, &ana).await;
    let mut screens = Screens::take(&relay, &[&ana, &ada], &[&vera, &viktor]).await;
    let before = relay.head().await;

    let sections = SettingsSection::Departments(vec![
        department("default", "客服"),
        department("sales", "Sales"),
    ]);
    save(&relay, sections).await.unwrap();
    screens.check(&relay, "departments").await;
    assert_eq!(relay.staff_screen(&ana).await.company.departments.len(), 2);
    save(&relay, SettingsSection::Skills(vec![skill("english")])).await.unwrap();
    screens.check(&relay, "skills").await;
    save(&relay, SettingsSection::Rules(vec![rule("r")])).await.unwrap();
    screens.check(&relay, "rules").await;
    let forced = AutoReplySettings { forced: true, texts: AutoReplyTexts::default() };
    save(&relay, SettingsSection::AutoReplies(forced)).await.unwrap();
    screens.check(&relay, "auto replies").await;
    assert!(relay.staff_screen(&ana).await.company.forced_replies);
    assert!(relay.visitor_news_after(&vera, before).await.is_empty(), "nothing visitors see");

    let prompts =
        VisitorPrompts { queued: "前面还有 {place} 位".into(), ..VisitorPrompts::default() };
    save(&relay, SettingsSection::Prompts(prompts.clone())).await.unwrap();
    screens.check(&relay, "prompts").await;
    assert_eq!(relay.visitor_screen(&viktor).await.site.prompts, prompts);
    assert_eq!(relay.visitor_news_after(&vera, before).await, ["site_changed"]);

    let sales = department_id("sales");
    company_with(&relay, |it| {
        it.categories = vec![Category { name: "售前".into(), department_id: sales }];
        it.choose_department = true;
        it.choose_agent = true;
        it.attention = Attention { warn_s: 5, red_s: 6 };
    })
    .await
    .unwrap();
    screens.check(&relay, "company").await;
    let seen = relay.visitor_screen(&vera).await.site;
    assert_eq!(seen.categories, ["售前"]);
    assert_eq!(seen.departments.len(), 2);
    let names: Vec<_> = seen.agents.iter().map(|agent| agent.nickname.as_str()).collect();
    assert_eq!(names, ["Ana"], "whoever manages is nobody to pick");
    // Now that visitors pick departments, another name of one is news to them.
    let at = relay.head().await;
    let section = SettingsSection::Departments(vec![
        department("default", "Support"),
        department("sales", "Sales"),
    ]);
    save(&relay, section).await.unwrap();
    screens.check(&relay, "renamed").await;
    assert_eq!(relay.visitor_news_after(&viktor, at).await, ["site_changed"]);
    // And hours are not.
    let at = relay.head().await;
    let closed = DepartmentSettings { close_line: true, ..department("sales", "Sales") };
    save(&relay, SettingsSection::Departments(vec![department("default", "Support"), closed]))
        .await
        .unwrap();
    screens.check(&relay, "closing").await;
    assert!(relay.visitor_news_after(&viktor, at).await.is_empty());
}

/// A section that was damaged on the disk is as if it were never saved, and can be saved again.
#[tokio::test]
async fn a_damaged_section_can_be_saved_again() {
    let relay = TestRelay::open().await;
    save(&relay, SettingsSection::Skills(vec![skill("english")])).await.unwrap();
    let damaged = relay.app.store.write("damage", |tx| {
        tx.execute("UPDATE settings SET body = '{'", crate::params![])?;
        Ok::<_, crate::store::Abort<ErrorCode>>(())
    });
    damaged.await.unwrap();
    assert!(all(&relay).await.skills.value.is_empty());
    let saved = save(&relay, SettingsSection::Skills(vec![skill("german")])).await.unwrap();
    assert_eq!((saved.skills.version, saved.skills.value.len()), (2, 1));
    let shown = relay.app.store.read("site", {
        let site = relay.site.clone();
        move |tx| sites::queries::for_visitor(tx, &site)
    });
    assert!(shown.await.unwrap().enabled);
}
