//! What would happen to a visitor (B04), asked of the running driver and put into the words of the
//! protocol, with the rules' names.

use yingke_routing as routing;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::{
    DepartmentBy, DryRun, DryRunAnswer, PassedOver, RuleName, WouldWait,
};
use yingke_shared::ids::RuleId;
use yingke_shared::settings::{Condition, RuleSettings};
use yingke_shared::time::Timestamp;

use super::{settings as converted, words};
use crate::app::App;
use crate::auth::StaffIdentity;
use crate::error::RelayError;
use crate::policy::{self, Deed};
use crate::settings;

const TEXT_CHARS_MAX: usize = 2_048;
const FIELDS_MAX: usize = 30;

/// Describes what would happen to this visitor now. Nothing happens.
pub(crate) async fn dry_run(
    app: &App,
    who: &StaffIdentity,
    run: DryRun,
) -> Result<DryRunAnswer, RelayError> {
    policy::may(who.role, Deed::ChangeSettings)?;
    let fits = |text: &String| text.chars().count() <= TEXT_CHARS_MAX;
    let are_fields = run.fields.len() <= FIELDS_MAX && run.fields.keys().all(fits);
    if !(are_fields && run.texts.values().chain(run.fields.values()).all(fits)) {
        return Err(ErrorCode::Invalid.into());
    }
    let rules = app.store.read("rules of a dry run", settings::queries::rules).await?.value;
    let answer = app.routing.dry_run(converted::imagined(&run)).await;
    let answer = answer.ok_or(RelayError::later(ErrorCode::Unavailable, 1_000))?;
    answered(&answer, &rules).ok_or(ErrorCode::Internal.into())
}

/// The core's answer in the words of the protocol.
fn answered(run: &routing::DryRun, rules: &[RuleSettings]) -> Option<DryRunAnswer> {
    let (why, waits) = match &run.outcome {
        routing::DryRunOutcome::Assigned(why) => (why, None),
        routing::DryRunOutcome::Waits { reason, place, opens_at, candidates } => {
            let waits = WouldWait {
                reason: words::waiting(*reason),
                place: u32::try_from(*place).unwrap_or(u32::MAX),
                opens_at: opens_at.and_then(|at| Timestamp::from_millis(at).ok()),
            };
            (candidates, Some(waits))
        }
    };
    let mut why = words::explanation(why)?;
    if let Some(rule) = &mut why.rule {
        *rule = named(rule.id.clone(), rules);
    }
    let passed_over = run.routed.passed_over.iter();
    Some(DryRunAnswer {
        passed_over: passed_over.filter_map(|passed| passed_over_rule(passed, rules)).collect(),
        department_by: department_by(run.routed.department_by),
        why,
        waits,
    })
}

/// A rule with its name; without one if it is gone by now.
pub(crate) fn named(id: RuleId, rules: &[RuleSettings]) -> RuleName {
    let name = rules.iter().find(|rule| rule.id == id).map(|rule| rule.name.clone());
    RuleName { id, name: name.unwrap_or_default() }
}

fn passed_over_rule(
    passed: &routing::rules::PassedOver,
    rules: &[RuleSettings],
) -> Option<PassedOver> {
    let (id, unmet) = match passed {
        routing::rules::PassedOver::Disabled(id) => (id, None),
        routing::rules::PassedOver::Unmet(id, unmet) => (id, Some(unmet)),
    };
    let id = RuleId::new(id.as_str()).ok()?;
    let unmet = unmet.and_then(|unmet| asked_of(&id, unmet, rules));
    Some(PassedOver { rule: named(id, rules), unmet })
}

/// The question as it was saved. Two that are alike have the same answer, so the first is the one.
fn asked_of(
    id: &RuleId,
    unmet: &routing::rules::Condition,
    rules: &[RuleSettings],
) -> Option<Condition> {
    let rule = rules.iter().find(|rule| rule.id == *id)?;
    rule.when.iter().find(|asked| converted::condition(asked) == *unmet).cloned()
}

fn department_by(by: routing::rules::DepartmentBy) -> DepartmentBy {
    use routing::rules::DepartmentBy as B;
    match by {
        B::Rule => DepartmentBy::Rule,
        B::Visitor => DepartmentBy::Visitor,
        B::Category => DepartmentBy::Category,
        B::Site => DepartmentBy::Site,
        B::Company => DepartmentBy::Company,
    }
}

#[cfg(test)]
#[path = "explained_tests.rs"]
mod tests;
