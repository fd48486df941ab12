//! May this be saved: the bounds of every section, and the names it may use. Pure.
//!
//! [`checked`] looks at a section alone and gives it with its names trimmed; [`names_exist`] and
//! [`nothing_is_missed`] hold it against everything else, read in the transaction that saves it.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, DepartmentId, SiteId, SkillId};
use yingke_shared::settings::{
    Ask, AutoReplyTexts, BusinessHours, CompanySettings, Condition, DepartmentSettings,
    QueuePolicy, RuleSettings, SettingsSection, Span, TextIs, TextOf, VisitorPrompts,
};
use yingke_shared::views::SkillCard;

use super::DEFAULT_DEPARTMENT;
use crate::assignment::settings::{date, is_zone};
use crate::limits::SETTINGS_LIST_MAX;
use crate::text;

type Checked<T = ()> = Result<T, ErrorCode>;

/// An invitation waits for so many seconds at most.
pub(crate) const INVITATION_S_MAX: u32 = 600;
/// A place stays taken after an end for so many seconds at most (C15).
pub(crate) const WRAP_UP_S_MAX: u32 = 3_600;
const CATEGORIES_MAX: usize = 30;
const SPANS_MAX: usize = 6;
const SPECIAL_DAYS_MAX: usize = 366;
const CONDITIONS_MAX: usize = 20;
const VALUES_MAX: usize = 50;
const VALUE_CHARS_MAX: usize = 200;
const WORDS_CHARS_MAX: usize = 500;
const MINUTES_OF_DAY: u16 = 1_440;
const DAY_S: u32 = 86_400;

/// The section as it is saved, if everything in it is within its bounds.
pub(crate) fn checked(section: SettingsSection) -> Checked<SettingsSection> {
    Ok(match section {
        SettingsSection::Company(company) => SettingsSection::Company(checked_company(company)?),
        SettingsSection::Departments(departments) => {
            let checked = checked_list(departments, checked_department)?;
            may(!checked.is_empty() && are_unique(checked.iter().map(|one| &one.id)))?;
            SettingsSection::Departments(checked)
        }
        SettingsSection::Skills(skills) => {
            let checked =
                checked_list(skills, |skill| Ok(SkillCard { name: name(&skill.name)?, ..skill }))?;
            may(are_unique(checked.iter().map(|one| &one.id)))?;
            SettingsSection::Skills(checked)
        }
        SettingsSection::Rules(rules) => {
            let checked = checked_list(rules, checked_rule)?;
            may(are_unique(checked.iter().map(|one| &one.id)))?;
            SettingsSection::Rules(checked)
        }
        SettingsSection::Prompts(prompts) => {
            may_be_prompts(&prompts)?;
            SettingsSection::Prompts(prompts)
        }
        SettingsSection::AutoReplies(replies) => {
            may_be_replies(&replies.texts)?;
            SettingsSection::AutoReplies(replies)
        }
    })
}

/// An agent's own words are bound like the company's.
pub(crate) fn may_be_replies(texts: &AutoReplyTexts) -> Checked {
    let AutoReplyTexts { ask_visitor, warn_visitor, explain_delay } = texts;
    may_be_words(&[ask_visitor, warn_visitor, explain_delay])
}

fn may_be_prompts(prompts: &VisitorPrompts) -> Checked {
    let VisitorPrompts {
        waiting,
        queued,
        nobody_online,
        closed,
        agent_joined,
        agent_changed,
        agent_ended,
        timed_out,
        agent_away,
        reconnecting,
        offline,
        message_left,
    } = prompts;
    may_be_words(&[waiting, queued, nobody_online, closed, agent_joined, agent_changed])?;
    may_be_words(&[agent_ended, timed_out, agent_away, reconnecting, offline, message_left])
}

fn may_be_words(all: &[&String]) -> Checked {
    may(all.iter().all(|words| words.chars().count() <= WORDS_CHARS_MAX))
}

fn checked_company(mut company: CompanySettings) -> Checked<CompanySettings> {
    may(is_zone(&company.zone))?;
    within(company.grace_s, 5..=3_600)?;
    within(company.invitation_s, 10..=INVITATION_S_MAX)?;
    may(company.categories.len() <= CATEGORIES_MAX)?;
    for category in &mut company.categories {
        category.name = name(&category.name)?;
    }
    may(are_unique(company.categories.iter().map(|category| &category.name)))?;
    may(are_unique(company.seats_for_silent.iter()))?;
    let attention = company.attention;
    within(attention.warn_s, 1..=DAY_S)?;
    within(attention.red_s, 1..=DAY_S)?;
    may(attention.warn_s < attention.red_s)?;
    Ok(company)
}

fn checked_department(mut department: DepartmentSettings) -> Checked<DepartmentSettings> {
    let is_first = department.id.as_str() == DEFAULT_DEPARTMENT;
    department.name = if is_first && department.name.trim().is_empty() {
        String::new()
    } else {
        name(&department.name)?
    };
    may((-1_000_000..=1_000_000).contains(&department.order))?;
    if let QueuePolicy::StickyThenPool { after_s } = department.policy {
        within(after_s, 1..=DAY_S)?;
    }
    department.hours.as_ref().map_or(Ok(()), may_be_hours)?;
    if let Some(no_answer) = department.no_answer {
        within(no_answer.after_s, 10..=7_200)?;
        within(no_answer.transfers_max, 0..=20)?;
    }
    within(department.wrap_up_s, 0..=WRAP_UP_S_MAX)?;
    let silence = department.silence;
    for after_s in [silence.ask_s, silence.warn_s, silence.end_s].into_iter().flatten() {
        within(after_s, 10..=DAY_S)?;
    }
    department.explain_s.map_or(Ok(()), |after_s| within(after_s, 10..=7_200))?;
    for after_s in [department.file_after_s, department.wait_s_max].into_iter().flatten() {
        within(after_s, 10..=DAY_S)?;
    }
    Ok(department)
}

fn may_be_hours(hours: &BusinessHours) -> Checked {
    may(hours.zone.is_empty() || is_zone(&hours.zone))?;
    may(hours.week.len() == 7 && hours.special.len() <= SPECIAL_DAYS_MAX)?;
    may(are_unique(hours.special.iter().map(|day| &day.date)))?;
    may(hours.special.iter().all(|day| date(&day.date).is_some()))?;
    let days = hours.week.iter().chain(hours.special.iter().map(|day| &day.spans));
    for spans in days {
        may(spans.len() <= SPANS_MAX && spans.iter().all(is_span))?;
    }
    Ok(())
}

fn is_span(span: &Span) -> bool {
    span.from < span.to && span.to <= MINUTES_OF_DAY
}

fn checked_rule(rule: RuleSettings) -> Checked<RuleSettings> {
    may(rule.when.len() <= CONDITIONS_MAX)?;
    rule.when.iter().try_for_each(may_be_asked)?;
    Ok(RuleSettings { name: name(&rule.name)?, ..rule })
}

fn may_be_asked(condition: &Condition) -> Checked {
    match &condition.ask {
        Ask::Text { of, field, is, values } => {
            if *of == TextOf::Field {
                name(field)?;
            } else {
                may(field.is_empty())?;
            }
            let count = if *is == TextIs::Known { 0..=0 } else { 1..=VALUES_MAX };
            let fits = |value: &String| value.chars().count() <= VALUE_CHARS_MAX;
            may(count.contains(&values.len()) && values.iter().all(fits))
        }
        Ask::Number { from, to, .. } => may(from <= to),
        Ask::Time { days, span } => {
            may(days.len() <= 7 && days.iter().all(|day| *day < 7) && is_span(span))
        }
        Ask::Returning | Ask::Vip | Ask::Identified | Ask::Open { .. } => Ok(()),
    }
}

fn checked_list<T>(list: Vec<T>, check: impl Fn(T) -> Checked<T>) -> Checked<Vec<T>> {
    may(list.len() <= SETTINGS_LIST_MAX)?;
    list.into_iter().map(check).collect()
}

/// A name, trimmed.
fn name(text: &str) -> Checked<String> {
    text::name(text).map_err(|_| ErrorCode::Invalid)
}

fn within(value: u32, bounds: RangeInclusive<u32>) -> Checked {
    may(bounds.contains(&value))
}

fn may(is_so: bool) -> Checked {
    if is_so { Ok(()) } else { Err(ErrorCode::Invalid) }
}

fn are_unique<T: Ord>(mut names: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    names.all(|name| seen.insert(name))
}

/// Everything a section may name or be named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) company: CompanySettings,
    pub(crate) departments: Vec<DepartmentSettings>,
    pub(crate) skills: Vec<SkillCard>,
    pub(crate) rules: Vec<RuleSettings>,
    pub(crate) sites: BTreeSet<SiteId>,
    pub(crate) agents: BTreeSet<AgentId>,
    /// Where agents answer, and what they can.
    pub(crate) answered: BTreeSet<DepartmentId>,
    pub(crate) able: BTreeSet<SkillId>,
}

impl Known {
    /// The same with this section in the place of what is saved.
    pub(crate) fn with(mut self, section: &SettingsSection) -> Self {
        match section.clone() {
            SettingsSection::Company(company) => self.company = company,
            SettingsSection::Departments(departments) => self.departments = departments,
            SettingsSection::Skills(skills) => self.skills = skills,
            SettingsSection::Rules(rules) => self.rules = rules,
            SettingsSection::Prompts(_) | SettingsSection::AutoReplies(_) => {}
        }
        self
    }
}

/// Whether all that this section would name is there. `known` is as it is before it is saved.
pub(crate) fn names_exist(section: &SettingsSection, known: &Known) -> Checked {
    let departments: BTreeSet<_> = known.departments.iter().map(|one| &one.id).collect();
    match section {
        SettingsSection::Company(company) => {
            may(departments_of_company(company).all(|id| departments.contains(id)))?;
            let mut sites = company.sites.keys().chain(&company.seats_for_silent);
            may(sites.all(|id| known.sites.contains(id)))
        }
        SettingsSection::Rules(rules) => {
            let skills: BTreeSet<_> = known.skills.iter().map(|one| &one.id).collect();
            may(departments_of_rules(rules).all(|id| departments.contains(id)))?;
            may(rules
                .iter()
                .filter_map(|rule| rule.skill_id.as_ref())
                .all(|id| skills.contains(id)))?;
            let mut agents = rules.iter().filter_map(|rule| rule.agent_id.as_ref());
            may(agents.all(|id| known.agents.contains(id)))
        }
        SettingsSection::Departments(_)
        | SettingsSection::Skills(_)
        | SettingsSection::Prompts(_)
        | SettingsSection::AutoReplies(_) => Ok(()),
    }
}

/// Whether nothing that would be gone is still named. `after` is as it would be then.
pub(crate) fn nothing_is_missed(section: &SettingsSection, after: &Known) -> Checked {
    let is_missed = match section {
        SettingsSection::Departments(departments) => {
            let there: BTreeSet<_> = departments.iter().map(|one| &one.id).collect();
            let named = departments_of_company(&after.company)
                .chain(departments_of_rules(&after.rules))
                .chain(&after.answered);
            named.into_iter().any(|id| !there.contains(id))
        }
        SettingsSection::Skills(skills) => {
            let there: BTreeSet<_> = skills.iter().map(|one| &one.id).collect();
            let of_rules = after.rules.iter().filter_map(|rule| rule.skill_id.as_ref());
            of_rules.chain(&after.able).any(|id| !there.contains(id))
        }
        _ => false,
    };
    if is_missed { Err(ErrorCode::InUse) } else { Ok(()) }
}

fn departments_of_company(company: &CompanySettings) -> impl Iterator<Item = &DepartmentId> {
    let of_categories = company.categories.iter().map(|category| &category.department_id);
    let first = std::iter::once(&company.default_department);
    first.chain(of_categories).chain(company.sites.values())
}

fn departments_of_rules(rules: &[RuleSettings]) -> impl Iterator<Item = &DepartmentId> {
    let asked = |condition: &'_ Condition| matches!(condition.ask, Ask::Open { .. });
    rules.iter().flat_map(move |rule| {
        let open = rule.when.iter().filter(move |one| asked(one));
        let open = open.filter_map(|one| match &one.ask {
            Ask::Open { department_id } => Some(department_id),
            _ => None,
        });
        rule.department_id.iter().chain(open)
    })
}
