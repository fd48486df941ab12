//! Settings as admins save them against what the routing core makes of them.

use jiff::civil::date as day;
use yingke_routing::rules::Circumstances;
use yingke_shared::ids::{DepartmentId, RuleId};
use yingke_shared::settings::{Category, NoAnswer, Silence, Span as WireSpan};

use super::*;
use crate::settings::queries;

/// The wall of a place shows this; gives the moment.
fn at(zone: &str, y: i16, m: i8, d: i8, hour: i8, minute: i8) -> Timestamp {
    let zoned = day(y, m, d).at(hour, minute, 0, 0).in_tz(zone).unwrap();
    Timestamp::from_millis(u64::try_from(zoned.timestamp().as_millisecond()).unwrap()).unwrap()
}

fn open(hours: &BusinessHours, zone: &str, now: Timestamp) -> bool {
    super::hours(hours, zone, now).is_open(now.millis())
}

fn spans(spans: &[(u16, u16)]) -> Vec<WireSpan> {
    spans.iter().map(|(from, to)| WireSpan { from: *from, to: *to }).collect()
}

fn workdays(from: u16, to: u16) -> BusinessHours {
    let week = (0..7).map(|day| if day < 5 { spans(&[(from, to)]) } else { Vec::new() }).collect();
    BusinessHours { zone: String::new(), week, special: Vec::new() }
}

#[test]
fn places_have_their_offsets_for_years() {
    let now = at("UTC", 2026, 11, 22, 12, 0);
    let shanghai = zone("Asia/Shanghai", now).unwrap();
    assert_eq!(shanghai, Zone::fixed(8 * 3_600));
    let new_york = zone("America/New_York", now).unwrap();
    assert_eq!(new_york.offset_s, -4 * 3_600);
    let next = |zone: &Zone| zone.transitions.iter().take(2).copied().collect::<Vec<_>>();
    assert_eq!(
        next(&new_york),
        [
            Transition { at: at("UTC", 2026, 11, 1, 6, 0).millis(), offset_s: -5 * 3_600 },
            Transition { at: at("UTC", 2027, 3, 14, 7, 0).millis(), offset_s: -4 * 3_600 },
        ]
    );
    assert_eq!(new_york.transitions.len(), 21, "two a year, ten years ahead");
    for name in ["", "Nowhere/Town", "Asia/Shanghai ", "../etc/passwd"] {
        assert!(!is_zone(name), "{name}");
    }
    assert!(is_zone("Asia/Shanghai") && is_zone("Europe/Berlin") && is_zone("UTC"));
}

#[test]
fn a_day_begins_where_the_company_is() {
    let began = |zone, now| day_began(zone, now);
    let evening = at("UTC", 2026, 11, 22, 17, 30);
    assert_eq!(began("Asia/Shanghai", evening), at("Asia/Shanghai", 2026, 11, 23, 0, 0));
    assert_eq!(began("America/New_York", evening), at("America/New_York", 2026, 11, 22, 0, 0));
    let long_day = at("America/New_York", 2026, 11, 1, 20, 0);
    assert_eq!(began("America/New_York", long_day), at("America/New_York", 2026, 11, 1, 0, 0));
    assert_eq!(began("nowhere", evening), at("UTC", 2026, 11, 22, 0, 0));
}

/// What the wall shows counts, on both sides of a change of the clocks.
#[test]
fn hours_follow_the_clocks_of_their_place() {
    let hours = workdays(540, 1_080);
    for (y, m, d) in [(2026, 3, 6), (2026, 3, 9), (2026, 10, 30), (2026, 11, 2)] {
        for (hour, minute, expected) in
            [(8, 59, false), (9, 0, true), (17, 59, true), (18, 0, false)]
        {
            let now = at("America/New_York", y, m, d, hour, minute);
            assert_eq!(open(&hours, "America/New_York", now), expected, "{y}-{m}-{d} {hour}");
        }
    }
    // The place of the department before that of the company.
    let own = BusinessHours { zone: "Asia/Shanghai".into(), ..workdays(540, 1_080) };
    let now = at("Asia/Shanghai", 2026, 11, 23, 9, 0);
    assert!(open(&own, "America/New_York", now) && !open(&workdays(540, 1_080), "UTC", now));
    // A saved table knows the clocks of later years too.
    let table = super::hours(&hours, "America/New_York", at("UTC", 2026, 1, 1, 0, 0));
    for month in [1, 7] {
        let later = |hour| at("America/New_York", 2033, month, 3 + i8::from(month == 7), hour, 30);
        assert!(table.is_open(later(9).millis()) && !table.is_open(later(8).millis()), "{month}");
    }
}

/// 22:00 to 02:00 are two spans; the second belongs to the next day.
#[test]
fn a_night_is_two_spans() {
    let mut hours = BusinessHours { week: vec![Vec::new(); 7], ..BusinessHours::default() };
    hours.week[4] = spans(&[(1_320, 1_440)]);
    hours.week[5] = spans(&[(0, 120)]);
    let friday = |hour, minute| at("Asia/Shanghai", 2026, 11, 20, hour, minute);
    let saturday = |hour, minute| at("Asia/Shanghai", 2026, 11, 21, hour, minute);
    for (now, expected) in [
        (friday(21, 59), false),
        (friday(22, 0), true),
        (friday(23, 59), true),
        (saturday(0, 0), true),
        (saturday(1, 59), true),
        (saturday(2, 0), false),
    ] {
        assert_eq!(open(&hours, "Asia/Shanghai", now), expected, "{}", now.millis());
    }
    let table = super::hours(&hours, "Asia/Shanghai", friday(12, 0));
    assert_eq!(table.next_change(friday(23, 0).millis()), Some(saturday(2, 0).millis()));
}

#[test]
fn holidays_and_working_days_made_up_for_them() {
    let mut hours = workdays(540, 1_080);
    let special = |date: &str, of: &[(u16, u16)]| yingke_shared::settings::SpecialDay {
        date: date.into(),
        spans: spans(of),
    };
    // The National Day of 2026 is a Thursday; Saturday the 10th is made up.
    hours.special = vec![special("2026-10-01", &[]), special("2026-10-10", &[(600, 960)])];
    let noon = |d| at("Asia/Shanghai", 2026, 10, d, 12, 0);
    let is_open = |d| open(&hours, "Asia/Shanghai", noon(d));
    assert_eq!(
        [30, 1, 2, 3, 10, 11].map(|d| if d == 30 {
            open(&hours, "Asia/Shanghai", at("Asia/Shanghai", 2026, 9, 30, 12, 0))
        } else {
            is_open(d)
        }),
        [true, false, true, false, true, false]
    );
    for text in ["2026-02-30", "2026-13-01", "20261001", "2026-1-1", "", "+02026-10-1", "tomorrow"]
    {
        assert_eq!(date(text), None, "{text}");
    }
    assert_eq!(date("2028-02-29"), Some(Date { year: 2028, month: 2, day: 29 }));
    hours.special = vec![special("no day", &[])];
    assert_eq!(super::hours(&hours, "UTC", noon(1)).special, []);
}

#[test]
fn seconds_become_milliseconds_and_nothing_stays_nothing() {
    let now = at("UTC", 2026, 11, 22, 12, 0);
    let id = DepartmentId::new("sales").unwrap();
    let plain = queries::department(id);
    let converted = department(&plain, "UTC", now);
    assert_eq!(converted, Department::new(routing::DepartmentId::new("sales")));
    let set = DepartmentSettings {
        order: -3,
        policy: QueuePolicy::StickyThenPool { after_s: 30 },
        close_line: true,
        no_answer: Some(NoAnswer { after_s: 20, transfers_max: 2 }),
        wrap_up_s: 5,
        silence: Silence { ask_s: Some(60), warn_s: None, end_s: Some(120) },
        explain_s: Some(45),
        file_after_s: None,
        wait_s_max: Some(600),
        ..plain
    };
    let expected = Department {
        id: routing::DepartmentId::new("sales"),
        order: -3,
        policy: routing::QueuePolicy::StickyThenPool { after_ms: 30_000 },
        hours: None,
        after_hours: AfterHours::CloseLine,
        no_answer: Some(routing::NoAnswer { after_ms: 20_000, transfers_max: 2 }),
        wrap_up_ms: 5_000,
        silence: routing::Silence { ask_ms: Some(60_000), warn_ms: None, end_ms: Some(120_000) },
        explain_ms: Some(45_000),
        file_after_ms: None,
        wait_ms_max: Some(600_000),
    };
    assert_eq!(department(&set, "UTC", now), expected);
    let sticky = DepartmentSettings { policy: QueuePolicy::Sticky, ..set };
    assert_eq!(department(&sticky, "UTC", now).policy, routing::QueuePolicy::Sticky);
}

fn company_of(site: &str) -> CompanySettings {
    let sales = DepartmentId::new("sales").unwrap();
    let category = |name: &str| Category { name: name.into(), department_id: sales.clone() };
    CompanySettings {
        zone: "Asia/Shanghai".into(),
        grace_s: 30,
        invitation_s: 45,
        default_department: DepartmentId::new("default").unwrap(),
        categories: vec![category("售前"), category("售后")],
        sites: BTreeMap::from([(SiteId::new(site).unwrap(), sales.clone())]),
        seats_for_silent: vec![SiteId::new(site).unwrap()],
        choose_department: true,
        choose_agent: true,
        announce_entering: true,
        attention: yingke_shared::settings::Attention::default(),
    }
}

#[test]
fn a_company() {
    let converted = company(&company_of("shop"), at("UTC", 2026, 11, 22, 12, 0));
    let sales = routing::DepartmentId::new("sales");
    let expected = Company {
        zone: Zone::fixed(8 * 3_600),
        grace_ms: Some(30_000),
        invitation_ms: 45_000,
        default_department: routing::DepartmentId::new("default"),
        categories: BTreeMap::from([
            ("售前".into(), sales.clone()),
            ("售后".into(), sales.clone()),
        ]),
        sites: BTreeMap::from([(routing::SiteId::new("shop"), sales)]),
        seats_for_silent: BTreeSet::from([routing::SiteId::new("shop")]),
    };
    assert_eq!(converted, expected);
}

/// A visitor of whom everything is known: each text says its own name.
fn known() -> DryRun {
    let texts = TEXTS.map(|of| (of, format!("The {of:?} of Vera")));
    DryRun {
        site_id: Some(SiteId::new("shop").unwrap()),
        texts: BTreeMap::from(texts),
        fields: BTreeMap::from([("order".into(), "A-17".into())]),
        numbers: BTreeMap::from([(NumberOf::Visits, 3), (NumberOf::Level, 2)]),
        ..DryRun::default()
    }
}

const TEXTS: [TextOf; 16] = [
    TextOf::Channel,
    TextOf::Page,
    TextOf::Landing,
    TextOf::Referrer,
    TextOf::Keyword,
    TextOf::Language,
    TextOf::Country,
    TextOf::Province,
    TextOf::City,
    TextOf::Device,
    TextOf::Os,
    TextOf::Browser,
    TextOf::Contact,
    TextOf::Group,
    TextOf::Category,
    TextOf::Product,
];

/// Asks the question and its opposite; they must answer each other's opposite.
fn holds(ask: &Ask, run: &DryRun, now: Timestamp) -> bool {
    let visitor = imagined(run);
    let zone = zone("Asia/Shanghai", now).unwrap();
    let is_open = |id: &routing::DepartmentId| id.as_str() == "sales";
    let of = Circumstances { visitor: &visitor, utc: now.millis(), zone: &zone, is_open: &is_open };
    let [plain, not] = [false, true].map(|not| {
        let set = Condition { not, ask: ask.clone() };
        condition(&set).unmet(&of).is_none()
    });
    assert_ne!(plain, not, "{ask:?}");
    plain
}

#[test]
fn every_text_is_asked_of_its_own() {
    let now = at("UTC", 2026, 11, 22, 12, 0);
    let asked = |of, is, values: &[&str]| {
        let values = values.iter().map(|value| value.to_string()).collect();
        holds(&Ask::Text { of, field: String::new(), is, values }, &known(), now)
    };
    for of in TEXTS {
        let whole = format!("the {of:?} of vera");
        assert!(asked(of, TextIs::OneOf, &["else", &whole]), "{of:?}");
        assert!(!asked(of, TextIs::OneOf, &["else"]), "{of:?}");
        let name = format!("{of:?} of");
        assert!(asked(of, TextIs::Contains, &["else", &name]) && asked(of, TextIs::Known, &[]));
    }
    let page = TextOf::Page;
    for (is, yes, no) in [
        (TextIs::StartsWith, ["x", "the page"], ["x", "page"]),
        (TextIs::EndsWith, ["x", "of vera"], ["x", "of"]),
        (TextIs::Like, ["x", "the*vera"], ["x", "the*page"]),
        (TextIs::Contains, ["x", "PAGE"], ["x", "y"]),
    ] {
        assert!(asked(page, is, &yes) && !asked(page, is, &no), "{is:?}");
    }
    assert!(
        asked(TextOf::Site, TextIs::OneOf, &["shop"])
            && !asked(TextOf::ProductCategory, TextIs::Known, &[])
    );
    let field = |name: &str| Ask::Text {
        of: TextOf::Field,
        field: name.into(),
        is: TextIs::StartsWith,
        values: vec!["a-".into()],
    };
    assert!(holds(&field("order"), &known(), now) && !holds(&field("other"), &known(), now));
}

#[test]
fn every_other_question_both_ways() {
    // A Monday in Shanghai, half past nine in the morning.
    let now = at("Asia/Shanghai", 2026, 11, 23, 9, 30);
    let (plain, all) =
        (known(), DryRun { returning: true, identified: true, vip: true, ..known() });
    for ask in [Ask::Returning, Ask::Identified, Ask::Vip] {
        assert!(holds(&ask, &all, now) && !holds(&ask, &plain, now), "{ask:?}");
    }
    let number = |of, from, to| holds(&Ask::Number { of, from, to }, &plain, now);
    assert!(number(NumberOf::Visits, 3, 3) && !number(NumberOf::Visits, 4, 9));
    assert!(number(NumberOf::Level, 0, 2) && !number(NumberOf::Level, 3, u32::MAX));
    let time = |days: &[u8], from, to| {
        holds(&Ask::Time { days: days.to_vec(), span: WireSpan { from, to } }, &plain, now)
    };
    assert!(time(&[], 540, 600) && time(&[0, 6], 570, 571) && time(&[0], 0, 1_440));
    assert!(!time(&[], 571, 1_440) && !time(&[], 0, 570) && !time(&[1, 2], 540, 600));
    let is_open =
        |id: &str| holds(&Ask::Open { department_id: DepartmentId::new(id).unwrap() }, &plain, now);
    assert!(is_open("sales") && !is_open("support"));
}

#[test]
fn a_rule_asks_all_and_says_what_follows() {
    let set = RuleSettings {
        id: RuleId::new("r1").unwrap(),
        name: "VIPs".into(),
        enabled: true,
        when: vec![
            Condition { not: false, ask: Ask::Vip },
            Condition { not: true, ask: Ask::Returning },
        ],
        department_id: Some(DepartmentId::new("sales").unwrap()),
        skill_id: Some(yingke_shared::ids::SkillId::new("english").unwrap()),
        agent_id: Some(AgentId::new("ana").unwrap()),
        priority: Some(7),
    };
    use routing_rules::Condition as C;
    let expected = Rule {
        id: "r1".into(),
        enabled: true,
        when: C::All(vec![C::Vip(true), C::Not(Box::new(C::Returning(true)))]),
        then: Outcome {
            department: Some("sales".into()),
            skill: Some("english".into()),
            agent: Some("ana".into()),
            priority: Some(7),
        },
    };
    assert_eq!(rule(&set), expected);
}

#[test]
fn a_visitor_is_described_with_what_was_picked() {
    let site = SiteId::new("shop").unwrap();
    let (sales, ana, ben) = (
        DepartmentId::new("sales").unwrap(),
        AgentId::new("ana").unwrap(),
        AgentId::new("ben").unwrap(),
    );
    let asks =
        VisitorAsks { category: "售前".into(), department_id: Some(sales), agent_id: Some(ana) };
    let arriving = Arriving {
        site_id: &site,
        page_url: "https://shop.example/cart",
        locale: "zh-CN",
        asks: &asks,
        last_agent: Some(&ben),
        returning: true,
        visits: 2,
    };
    let expected = Described {
        site: Some("shop".into()),
        channel: "web".into(),
        page: "https://shop.example/cart".into(),
        language: "zh-CN".into(),
        returning: true,
        visits: 2,
        category: "售前".into(),
        department: Some("sales".into()),
        agent: Some("ana".into()),
        last_agent: Some("ben".into()),
        ..Described::default()
    };
    assert_eq!(described(&arriving), expected);
}
