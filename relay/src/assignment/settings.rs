//! The settings as admins save them, in the words of the routing core: departments and their hours,
//! rules and their questions, places on earth as tables of offsets, and a visitor as rules see one.
//!
//! Pure: values in, values out. It trusts nothing that was stored: what the core cannot hold (a day
//! that is none, a place nobody knows) is left out rather than refused, for without settings nobody
//! is served. What may be saved at all is the settings room's question.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::{TimeZone, TimeZoneDatabase};
use yingke_routing::hours::{Date, Hours, Span, SpecialDay, Transition, Zone};
use yingke_routing::rules::{self as routing_rules, Outcome, Rule};
use yingke_routing::{self as routing, AfterHours, Company, Department, Described};
use yingke_shared::commands::visitor::VisitorAsks;
use yingke_shared::explanation::DryRun;
use yingke_shared::ids::{AgentId, SiteId};
use yingke_shared::settings::{
    Ask, BusinessHours, CompanySettings, Condition, DepartmentSettings, NumberOf, QueuePolicy,
    RuleSettings, TextIs, TextOf,
};
use yingke_shared::time::Timestamp;

use crate::limits::ZONE_AHEAD_DAYS;

const DAY_MS: u64 = 86_400_000;
/// A table of offsets begins so long before it was made: clocks may be set back a little.
const ZONE_BEHIND_DAYS: u64 = 30;
/// Whoever writes in the page's window.
const CHANNEL_WEB: &str = "web";

/// Settings of the whole company.
pub(crate) fn company(set: &CompanySettings, now: Timestamp) -> Company {
    let department =
        |id: &yingke_shared::ids::DepartmentId| routing::DepartmentId::new(id.as_str());
    let site = |id: &SiteId| routing::SiteId::new(id.as_str());
    let by_category = |category: &yingke_shared::settings::Category| {
        (category.name.clone(), department(&category.department_id))
    };
    Company {
        zone: zone(&set.zone, now).unwrap_or_default(),
        grace_ms: Some(ms(set.grace_s)),
        invitation_ms: ms(set.invitation_s),
        default_department: department(&set.default_department),
        categories: set.categories.iter().map(by_category).collect(),
        sites: set.sites.iter().map(|(id, to)| (site(id), department(to))).collect(),
        seats_for_silent: set.seats_for_silent.iter().map(site).collect(),
    }
}

/// One department. Its hours hang on the company's clock if it has none of its own.
pub(crate) fn department(set: &DepartmentSettings, zone: &str, now: Timestamp) -> Department {
    Department {
        id: routing::DepartmentId::new(set.id.as_str()),
        order: i64::from(set.order),
        policy: match set.policy {
            QueuePolicy::Pool => routing::QueuePolicy::Pool,
            QueuePolicy::Sticky => routing::QueuePolicy::Sticky,
            QueuePolicy::StickyThenPool { after_s } => {
                routing::QueuePolicy::StickyThenPool { after_ms: ms(after_s) }
            }
        },
        hours: set.hours.as_ref().map(|set| hours(set, zone, now)),
        after_hours: if set.close_line { AfterHours::CloseLine } else { AfterHours::ServeLine },
        no_answer: set.no_answer.map(|set| routing::NoAnswer {
            after_ms: ms(set.after_s),
            transfers_max: set.transfers_max,
        }),
        wrap_up_ms: ms(set.wrap_up_s),
        silence: routing::Silence {
            ask_ms: set.silence.ask_s.map(ms),
            warn_ms: set.silence.warn_s.map(ms),
            end_ms: set.silence.end_s.map(ms),
        },
        explain_ms: set.explain_s.map(ms),
        file_after_ms: set.file_after_s.map(ms),
        wait_ms_max: set.wait_s_max.map(ms),
    }
}

fn hours(set: &BusinessHours, company_zone: &str, now: Timestamp) -> Hours {
    let name = if set.zone.is_empty() { company_zone } else { &set.zone };
    let mut week: [Vec<Span>; 7] = Default::default();
    for (day, spans) in week.iter_mut().zip(&set.week) {
        *day = spans.iter().map(span).collect();
    }
    let special = |day: &yingke_shared::settings::SpecialDay| {
        let spans = day.spans.iter().map(span).collect();
        Some(SpecialDay { date: date(&day.date)?, spans })
    };
    Hours {
        zone: zone(name, now).unwrap_or_default(),
        week,
        special: set.special.iter().filter_map(special).collect(),
    }
}

fn span(span: &yingke_shared::settings::Span) -> Span {
    Span { from: span.from, to: span.to }
}

/// `2026-10-01`, if there is such a day.
pub(crate) fn date(text: &str) -> Option<Date> {
    let is_plain =
        text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date: jiff::civil::Date = is_plain.then(|| text.parse().ok())??;
    Some(Date {
        year: i32::from(date.year()),
        month: u8::try_from(date.month()).ok()?,
        day: u8::try_from(date.day()).ok()?,
    })
}

/// A place by its name in the time zone database.
fn place(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// Whether the time zone database knows a place of this name.
pub(crate) fn is_zone(name: &str) -> bool {
    place(name).is_some()
}

/// The offsets of a place for the next years. The rules come with the relay: what a government
/// decides later needs a newer one.
pub(crate) fn zone(name: &str, now: Timestamp) -> Option<Zone> {
    let place = place(name)?;
    let from = now.millis().saturating_sub(ZONE_BEHIND_DAYS * DAY_MS);
    let until = now.millis().saturating_add(ZONE_AHEAD_DAYS * DAY_MS);
    let from = jiff::Timestamp::from_millisecond(i64::try_from(from).ok()?).ok()?;
    let mut offset_s = place.to_offset(from).seconds();
    let zone = Zone::fixed(offset_s);
    let mut transitions = Vec::new();
    for change in place.following(from) {
        let Ok(at) = u64::try_from(change.timestamp().as_millisecond()) else { continue };
        if at > until {
            break;
        }
        // Some changes are of the name alone.
        if change.offset().seconds() != offset_s {
            offset_s = change.offset().seconds();
            transitions.push(Transition { at, offset_s });
        }
    }
    Some(Zone { transitions, ..zone })
}

/// When the day began that the wall of this place shows at `now`.
pub(crate) fn day_began(name: &str, now: Timestamp) -> Timestamp {
    let began = || {
        let now = jiff::Timestamp::from_millisecond(i64::try_from(now.millis()).ok()?).ok()?;
        let began = now.to_zoned(place(name)?).start_of_day().ok()?;
        Timestamp::from_millis(u64::try_from(began.timestamp().as_millisecond()).ok()?).ok()
    };
    began().unwrap_or_else(|| {
        Timestamp::from_millis(now.millis() - now.millis() % DAY_MS).unwrap_or_default()
    })
}

/// When the day of this name begins and ends on the wall of this place.
pub(crate) fn day_of(name: &str, day: &str) -> Option<(Timestamp, Timestamp)> {
    date(day)?;
    let began = day.parse::<jiff::civil::Date>().ok()?.to_zoned(place(name)?).ok()?;
    let at = |at: &jiff::Zoned| {
        let millis = u64::try_from(at.timestamp().as_millisecond()).ok()?;
        Timestamp::from_millis(millis).ok()
    };
    Some((at(&began)?, at(&began.tomorrow().ok()?)?))
}

/// The hour that the wall of this place shows, from 0.
pub(crate) fn hour(name: &str, at: Timestamp) -> usize {
    let hour = || {
        let at = jiff::Timestamp::from_millisecond(i64::try_from(at.millis()).ok()?).ok()?;
        usize::try_from(at.to_zoned(place(name)?).hour()).ok()
    };
    hour().unwrap_or_default()
}

/// One rule.
pub(crate) fn rule(set: &RuleSettings) -> Rule {
    Rule {
        id: routing::RuleId::new(set.id.as_str()),
        enabled: set.enabled,
        when: routing_rules::Condition::All(set.when.iter().map(condition).collect()),
        then: Outcome {
            department: set
                .department_id
                .as_ref()
                .map(|id| routing::DepartmentId::new(id.as_str())),
            skill: set.skill_id.as_ref().map(|id| routing::SkillId::new(id.as_str())),
            agent: set.agent_id.as_ref().map(|id| routing::AgentId::new(id.as_str())),
            priority: set.priority,
        },
    }
}

/// One question, or its opposite.
pub(crate) fn condition(set: &Condition) -> routing_rules::Condition {
    let asked = ask(&set.ask);
    if set.not { routing_rules::Condition::Not(Box::new(asked)) } else { asked }
}

fn ask(ask: &Ask) -> routing_rules::Condition {
    use routing_rules::Condition as C;
    match ask {
        Ask::Text { of, field, is, values } => text(&text_of(*of, field), *is, values),
        Ask::Number { of, from, to } => {
            let of = match of {
                NumberOf::Visits => routing_rules::NumberOf::Visits,
                NumberOf::Level => routing_rules::NumberOf::Level,
            };
            C::Number { of, from: *from, to: *to }
        }
        Ask::Returning => C::Returning(true),
        Ask::Vip => C::Vip(true),
        Ask::Identified => C::Identified(true),
        Ask::Time { days, span: of } => {
            C::Time { days: days.iter().copied().collect::<BTreeSet<_>>(), span: span(of) }
        }
        Ask::Open { department_id } => C::Open(routing::DepartmentId::new(department_id.as_str())),
    }
}

/// The core compares with one text each; any of several is enough.
fn text(of: &routing_rules::TextOf, is: TextIs, values: &[String]) -> routing_rules::Condition {
    use routing_rules::{Condition as C, TextIs as Is};
    let single = |is| C::Text { of: of.clone(), is };
    let any = |is: fn(String) -> Is| {
        C::Any(values.iter().map(|value| single(is(value.clone()))).collect())
    };
    match is {
        TextIs::OneOf => single(Is::OneOf(values.to_vec())),
        TextIs::Contains => any(Is::Contains),
        TextIs::StartsWith => any(Is::StartsWith),
        TextIs::EndsWith => any(Is::EndsWith),
        TextIs::Like => any(Is::Like),
        TextIs::Known => single(Is::Known),
    }
}

fn text_of(of: TextOf, field: &str) -> routing_rules::TextOf {
    use routing_rules::TextOf as T;
    match of {
        TextOf::Site => T::Site,
        TextOf::Channel => T::Channel,
        TextOf::Page => T::Page,
        TextOf::Landing => T::Landing,
        TextOf::Referrer => T::Referrer,
        TextOf::Keyword => T::Keyword,
        TextOf::Language => T::Language,
        TextOf::Country => T::Country,
        TextOf::Province => T::Province,
        TextOf::City => T::City,
        TextOf::Device => T::Device,
        TextOf::Os => T::Os,
        TextOf::Browser => T::Browser,
        TextOf::Contact => T::Contact,
        TextOf::Group => T::Group,
        TextOf::Category => T::Category,
        TextOf::Product => T::Product,
        TextOf::ProductCategory => T::ProductCategory,
        TextOf::Field => T::Field(field.to_owned()),
    }
}

/// What is known of a visitor who begins a conversation.
pub(crate) struct Arriving<'a> {
    /// On which site.
    pub(crate) site_id: &'a SiteId,
    /// The page now open.
    pub(crate) page_url: &'a str,
    /// As the browser says.
    pub(crate) locale: &'a str,
    /// What the visitor picked of what is offered.
    pub(crate) asks: &'a VisitorAsks,
    /// Who served this visitor last.
    pub(crate) last_agent: Option<&'a AgentId>,
    /// Had a conversation before.
    pub(crate) returning: bool,
    /// Visits so far, this one included.
    pub(crate) visits: u32,
}

/// The visitor as rules see one.
pub(crate) fn described(of: &Arriving<'_>) -> Described {
    let VisitorAsks { category, department_id, agent_id } = of.asks;
    Described {
        site: Some(routing::SiteId::new(of.site_id.as_str())),
        channel: CHANNEL_WEB.to_owned(),
        page: of.page_url.to_owned(),
        language: of.locale.to_owned(),
        returning: of.returning,
        visits: of.visits,
        category: category.clone(),
        department: department_id.as_ref().map(|id| routing::DepartmentId::new(id.as_str())),
        agent: agent_id.as_ref().map(|id| routing::AgentId::new(id.as_str())),
        last_agent: of.last_agent.map(|id| routing::AgentId::new(id.as_str())),
        ..Described::default()
    }
}

/// The visitor of a dry run.
pub(crate) fn imagined(run: &DryRun) -> Described {
    let text = |of| run.texts.get(&of).cloned().unwrap_or_default();
    let number = |of| run.numbers.get(&of).copied().unwrap_or_default();
    Described {
        site: run.site_id.as_ref().map(|id| routing::SiteId::new(id.as_str())),
        channel: text(TextOf::Channel),
        page: text(TextOf::Page),
        landing: text(TextOf::Landing),
        referrer: text(TextOf::Referrer),
        keyword: text(TextOf::Keyword),
        language: text(TextOf::Language),
        country: text(TextOf::Country),
        province: text(TextOf::Province),
        city: text(TextOf::City),
        isp: String::new(),
        device: text(TextOf::Device),
        os: text(TextOf::Os),
        browser: text(TextOf::Browser),
        returning: run.returning,
        visits: number(NumberOf::Visits),
        identified: run.identified,
        vip: run.vip,
        contact: text(TextOf::Contact),
        group: text(TextOf::Group),
        level: number(NumberOf::Level),
        tags: BTreeSet::new(),
        category: text(TextOf::Category),
        product: text(TextOf::Product),
        product_category: text(TextOf::ProductCategory),
        fields: run.fields.clone().into_iter().collect::<BTreeMap<_, _>>(),
        department: run.department_id.as_ref().map(|id| routing::DepartmentId::new(id.as_str())),
        agent: run.agent_id.as_ref().map(|id| routing::AgentId::new(id.as_str())),
        last_agent: run.last_agent_id.as_ref().map(|id| routing::AgentId::new(id.as_str())),
    }
}

fn ms(seconds: u32) -> u64 {
    u64::from(seconds) * 1_000
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
