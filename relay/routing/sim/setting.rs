//! The companies of the simulation: small, so that everything meets everything.

use yingke_routing::hours::{Hours, Span, Zone};
use yingke_routing::rules::{Condition, NumberOf, Outcome, Rule, TextIs, TextOf};
use yingke_routing::{AfterHours, Company, Department, NoAnswer, QueuePolicy, Silence};

use crate::random::Random;

pub(crate) const AGENTS: [&str; 5] = ["ana", "ben", "cho", "dev", "eli"];
pub(crate) const DEPARTMENTS: [&str; 2] = ["sales", "support"];

pub(crate) const SECOND: u64 = 1_000;

pub(crate) fn company() -> Company {
    let mut company = Company::new("sales".into());
    company.grace_ms = Some(30 * SECOND);
    company.invitation_ms = 25 * SECOND;
    company
}

/// The departments of one life.
pub(crate) fn departments(random: &mut Random) -> Vec<Department> {
    DEPARTMENTS.map(|id| department(id, random)).into()
}

fn department(id: &str, random: &mut Random) -> Department {
    let policy = match random.below(4) {
        0 => QueuePolicy::Sticky,
        1 => QueuePolicy::StickyThenPool { after_ms: 40 * SECOND },
        _ => QueuePolicy::Pool,
    };
    let silence = if random.one_in(2) {
        Silence { ask_ms: Some(50 * SECOND), warn_ms: Some(90 * SECOND), end_ms: Some(40 * SECOND) }
    } else {
        Silence::default()
    };
    let no_answer = NoAnswer { after_ms: 60 * SECOND, transfers_max: 2 };
    Department {
        policy,
        hours: random.one_in(3).then(every_other_ten_minutes),
        after_hours: if random.one_in(2) { AfterHours::CloseLine } else { AfterHours::ServeLine },
        no_answer: (!random.one_in(4)).then_some(no_answer),
        wrap_up_ms: if random.one_in(3) { 15 * SECOND } else { 0 },
        silence,
        explain_ms: random.one_in(2).then_some(45 * SECOND),
        file_after_ms: Some(200 * SECOND),
        wait_ms_max: random.one_in(4).then_some(400 * SECOND),
        ..Department::new(id.into())
    }
}

/// Open in the first ten minutes of every twenty, as a wall shows it that is ten minutes ahead: read in
/// another place, they would be the other ten.
fn every_other_ten_minutes() -> Hours {
    let mut hours = Hours { zone: Zone::fixed(8 * 3_600 + 600), ..Hours::default() };
    for day in &mut hours.week {
        *day = (0..72_u16).map(|nth| Span { from: nth * 20, to: nth * 20 + 10 }).collect();
    }
    hours
}

pub(crate) fn rules() -> Vec<Rule> {
    let rule = |id: &str, when: Condition, then: Outcome| Rule {
        id: id.into(),
        enabled: true,
        when,
        then,
    };
    let page = TextIs::Contains("/support/".to_owned());
    vec![
        rule(
            "french",
            Condition::Tag(vec!["french".to_owned()]),
            Outcome { skill: Some("french".into()), ..Outcome::default() },
        ),
        rule(
            "support",
            Condition::Text { of: TextOf::Page, is: page },
            Outcome { department: Some("support".into()), ..Outcome::default() },
        ),
        rule(
            "high",
            Condition::Number { of: NumberOf::Level, from: 6, to: 9 },
            Outcome { priority: Some(5), ..Outcome::default() },
        ),
    ]
}
