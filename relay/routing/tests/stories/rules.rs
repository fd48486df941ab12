//! The ordered rules, their dry run and their reasons (B04, X04).

use yingke_routing::hours::Span;
use yingke_routing::rules::{Condition, NumberOf, Outcome, PassedOver, Rule, TextIs, TextOf};
use yingke_routing::{
    Decision, Department, Described, DryRunOutcome, Fact, Verdict, WaitingReason, listed,
};

use crate::story::{SECOND, Story, calm};

fn rule(id: &str, when: Condition, then: Outcome) -> Rule {
    Rule { id: id.into(), enabled: true, when, then }
}

fn to(department: &str) -> Outcome {
    Outcome { department: Some(department.into()), ..Outcome::default() }
}

fn page(like: &str) -> Condition {
    Condition::Text { of: TextOf::Page, is: TextIs::Like(like.to_owned()) }
}

fn visitor(page: &str) -> Described {
    Described { page: page.to_owned(), ..Described::default() }
}

fn company() -> Story {
    let mut story = Story::new()
        .department(calm("support"))
        .agent("ana", 8)
        .agent_of("ben", 8, &["support"], &[])
        .agent_of("cho", 8, &["support"], &["french"]);
    let french = Outcome { skill: Some("french".into()), ..to("support") };
    let rules = vec![
        rule(
            "gold",
            Condition::Number { of: NumberOf::Level, from: 5, to: 9 },
            Outcome { agent: Some("ana".into()), priority: Some(9), ..Outcome::default() },
        ),
        rule(
            "french",
            Condition::All(vec![page("*/help/*"), Condition::Tag(vec!["fr".into()])]),
            french,
        ),
        rule("help", page("*/help/*"), to("support")),
    ];
    story.on(Fact::RulesSet { rules }, "");
    story
}

#[test]
fn b04_the_first_rule_that_matches_wins() {
    let mut story = company();
    story.comes("a", visitor("https://shop/help/1"), "a asks for support, a to ben");
    let mut french = visitor("https://shop/HELP/2");
    french.tags.insert("fr".into());
    story.comes("b", french, "b asks for support, b to cho");
    story.comes("c", visitor("https://shop/"), "c asks for sales, c to ana");
}

#[test]
fn a24_a25_what_a_rule_leaves_open_the_visitor_chooses() {
    let mut story = company();
    let chooses = Described { department: Some("support".into()), ..visitor("https://shop/") };
    story.comes("a", chooses, "a asks for support, a to ben");
    let mut company = yingke_routing::Company::new("sales".into());
    company.categories.insert("售后".into(), "support".into());
    story.on(Fact::CompanySet(Box::new(company)), "");
    let category = Described { category: "售后".into(), ..visitor("https://shop/") };
    story.comes("b", category, "b asks for support, b to cho");
}

#[test]
fn b04_a_dry_run_tells_rule_agent_and_reasons_and_changes_nothing() {
    let mut story = company();
    let before = format!("{:?}", story.router);
    let run = story.router.dry_run(&visitor("https://shop/help/1"));
    assert_eq!(run.routed.demand.rule, Some("help".into()));
    // The innermost condition that did not hold, for each rule passed over.
    let gold = Condition::Number { of: NumberOf::Level, from: 5, to: 9 };
    let tag = Condition::Tag(vec!["fr".into()]);
    assert_eq!(
        run.routed.passed_over,
        [PassedOver::Unmet("gold".into(), gold), PassedOver::Unmet("french".into(), tag)]
    );
    let DryRunOutcome::Assigned(why) = run.outcome else { panic!("nobody") };
    let told: Vec<_> = why.candidates.iter().map(|it| (it.agent.as_str(), it.verdict)).collect();
    assert_eq!(
        told,
        [("ben", Verdict::Taken), ("cho", Verdict::LaterById), ("ana", Verdict::NotInDepartment)]
    );
    assert_eq!(format!("{:?}", story.router), before);
    story.comes("a", visitor("https://shop/help/1"), "a asks for support, a to ben");
}

/// Somebody who may have no conversation at all stands nowhere between those who may.
#[test]
fn b02_a_dry_run_names_the_least_loaded_beside_one_without_places() {
    let mut story = Story::new().agent("ana", 3).agent("ben", 3).agent("cho", 3);
    story.is_served("vera", "ana");
    for (visitor, agent) in [("viktor", "ben"), ("wanda", "cho")] {
        story.passes(SECOND, "");
        story.is_served(visitor, agent);
        story.over(visitor, "");
    }
    let story = story.agent("ben", 0);
    let run = story.router.dry_run(&Described::default());
    let DryRunOutcome::Assigned(why) = run.outcome else { panic!("nobody") };
    assert_eq!(why.candidates[0].agent, "cho".into());
}

#[test]
fn b04_a_dry_run_for_a_visitor_who_would_wait() {
    let mut story = Story::new().agent("ana", 1);
    story.is_served("a", "ana");
    story.arrives("b", "b AllFull");
    let run = story.router.dry_run(&Described::default());
    let DryRunOutcome::Waits { reason, place, candidates, .. } = run.outcome else {
        panic!("assigned")
    };
    assert_eq!((reason, place), (WaitingReason::AllFull, 2));
    assert_eq!(candidates.candidates[0].verdict, Verdict::Full);
    let vip = Described { vip: true, ..Described::default() };
    let DryRunOutcome::Waits { place, .. } = story.router.dry_run(&vip).outcome else {
        panic!("assigned")
    };
    assert_eq!(place, 1);
}

#[test]
fn x04_every_assignment_carries_its_reasons() {
    let mut story = Story::new().agent("ana", 2).agent("ben", 2).agent("cho", 1).agent("dev", 8);
    story.chooses("dev", yingke_routing::Availability::Busy, "");
    story.is_served("a", "ana");
    story.served("b", "cho", "");
    story.arrives("c", "c to ben");
    let [Decision::Assign { why, .. }] = story.last() else { panic!("one assignment") };
    let told: Vec<_> = why
        .candidates
        .iter()
        .map(|it| (it.agent.as_str(), it.running, it.capacity, it.verdict))
        .collect();
    assert_eq!(
        told,
        [
            ("ben", 0, 2, Verdict::Taken),
            ("ana", 1, 2, Verdict::MoreLoaded),
            ("cho", 1, 1, Verdict::Full),
            ("dev", 0, 8, Verdict::Busy)
        ]
    );
    assert_eq!(why.unlisted, 0);
    let stored = serde_json::to_string(why).unwrap();
    assert_eq!(serde_json::from_str::<yingke_routing::Explanation>(&stored).unwrap(), **why);
}

#[test]
fn b04_conditions_on_everything_and_their_opposites() {
    use yingke_routing::hours::Zone;
    use yingke_routing::rules::Circumstances;
    let mut who = visitor("https://shop.example/item/42?x=1");
    who.country = "CN".into();
    who.language = "zh-CN".into();
    who.device = "phone".into();
    who.referrer = "https://www.baidu.com/".into();
    who.returning = true;
    who.fields.insert("order".into(), "A-77".into());
    let of = Circumstances {
        visitor: &who,
        // Thursday 1970-01-01, 12:00 in UTC.
        utc: 12 * 3_600_000,
        zone: &Zone::fixed(8 * 3_600),
        is_open: &|id| id.as_str() == "sales",
    };
    let text = |of, is| Condition::Text { of, is };
    let holds = [
        text(TextOf::Country, TextIs::OneOf(vec!["us".into(), "cn".into()])),
        text(TextOf::Language, TextIs::StartsWith("zh".into())),
        text(TextOf::Device, TextIs::OneOf(vec!["phone".into()])),
        text(TextOf::Referrer, TextIs::Contains("baidu".into())),
        text(TextOf::Page, TextIs::EndsWith("x=1".into())),
        text(TextOf::Page, TextIs::Like("*shop*/item/*".into())),
        text(TextOf::Field("order".into()), TextIs::Known),
        Condition::Returning(true),
        Condition::Time { days: [3].into(), span: Span::new((20, 0), (21, 0)) },
        Condition::Open("sales".into()),
        Condition::All(Vec::new()),
        Condition::Any(vec![Condition::Vip(true), Condition::Identified(false)]),
    ];
    for condition in holds {
        assert_eq!(condition.unmet(&of), None, "{condition:?}");
        assert!(Condition::Not(Box::new(condition)).unmet(&of).is_some());
    }
    let mut deep = Condition::Vip(false);
    for _ in 0..20 {
        deep = Condition::Not(Box::new(deep));
    }
    assert!(deep.unmet(&of).is_some());
}

#[test]
fn b17_the_larger_the_number_the_earlier_it_is_listed() {
    let of = |id: &str, order| Department { order, ..calm(id) };
    let all = [of("a", 1), of("b", 30), of("c", 2), of("d", 30)];
    let ids: Vec<_> = listed(all.iter()).iter().map(|it| it.id.as_str().to_owned()).collect();
    assert_eq!(ids, ["b", "d", "c", "a"]);
}
