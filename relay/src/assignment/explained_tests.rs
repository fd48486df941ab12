//! A dry run against what then really happens, with a running driver.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use yingke_shared::explanation::{AssignedHow, Candidate, Verdict};
use yingke_shared::ids::{AgentId, ConversationId, DepartmentId, SiteId};
use yingke_shared::settings::{Ask, SaveSettings, SettingsSection, TextIs, TextOf};
use yingke_shared::views::{ConversationStatus, WaitingReason};

use super::*;
use crate::auth::VisitorIdentity;
use crate::conversations;
use crate::live::Registration;
use crate::testing::{TestRelay, admin};

const LIMIT: Duration = Duration::from_secs(20);

struct Running {
    relay: TestRelay,
    driver: tokio::task::JoinHandle<()>,
    seats: Vec<Registration>,
}

impl Running {
    async fn start() -> Self {
        let relay = TestRelay::open().await;
        let driver = tokio::spawn(crate::assignment::run(Arc::clone(&relay.app)));
        Self { relay, driver, seats: Vec::new() }
    }

    /// An agent who is connected, and known to be so by the driver.
    async fn at_work(&mut self, name: &str, capacity: u32) -> StaffIdentity {
        let who = self.relay.account(name, yingke_shared::views::Role::Agent, capacity).await;
        let (hub, mailbox) = (&self.relay.app.hub, Arc::default());
        self.seats.push(hub.join_staff(&who.agent_id, who.role, &who.session, &mailbox));
        // It hears of the socket and of the account from two sides: both are needed.
        self.until(|answer| {
            let known = candidate(answer, &who.agent_id);
            known.is_some_and(|it| it.capacity == capacity && it.verdict != Verdict::Offline)
        })
        .await;
        who
    }

    async fn ask(&self, run: DryRun) -> DryRunAnswer {
        dry_run(&self.relay.app, &admin(), run).await.unwrap()
    }

    async fn until(&self, is_so: impl Fn(&DryRunAnswer) -> bool) {
        let asked = async { while !is_so(&self.ask(DryRun::default()).await) {} };
        tokio::time::timeout(LIMIT, asked).await.expect("the driver learns it");
    }

    async fn save(&self, section: SettingsSection) {
        let request = SaveSettings { base: 0, section };
        settings::actions::save(&self.relay.app, &admin(), request).await.unwrap();
    }

    /// The visitor writes; gives whom the driver gave the conversation to, and why.
    async fn served(&self, visitor: &VisitorIdentity) -> (AgentId, AssignedHow) {
        let first = self.relay.app.world.new_id();
        let (id, _) = self.relay.say(visitor, &first, "在吗").await.unwrap();
        let found = async {
            loop {
                if let Some(found) = self.assigned(&id).await {
                    return found;
                }
            }
        };
        tokio::time::timeout(LIMIT, found).await.expect("somebody takes it")
    }

    async fn assigned(&self, id: &ConversationId) -> Option<(AgentId, AssignedHow)> {
        let id = id.clone();
        let read = self.relay.app.store.read("assigned", move |tx| {
            let status = conversations::store::load(tx, &id)?.unwrap().status;
            Ok((status, conversations::store::assignments(tx, &id, 10)?.pop()))
        });
        match read.await.unwrap() {
            (ConversationStatus::Serving { agent_id }, Some(why)) => Some((agent_id, why.how)),
            _ => None,
        }
    }

    async fn stop(self) {
        self.relay.app.stopping.cancel();
        self.driver.await.unwrap();
    }
}

fn candidate<'a>(answer: &'a DryRunAnswer, agent_id: &AgentId) -> Option<&'a Candidate> {
    answer.why.candidates.iter().find(|it| it.agent_id == *agent_id)
}

fn verdict(answer: &DryRunAnswer, agent_id: &AgentId) -> Option<Verdict> {
    candidate(answer, agent_id).map(|it| it.verdict)
}

fn rule(id: &str, ask: Ask) -> RuleSettings {
    RuleSettings {
        id: RuleId::new(id).unwrap(),
        name: format!("The rule {id}"),
        enabled: true,
        when: vec![Condition { not: true, ask: Ask::Vip }, Condition { not: false, ask }],
        department_id: None,
        skill_id: None,
        agent_id: None,
        priority: None,
    }
}

fn page(contains: &str) -> Ask {
    Ask::Text {
        of: TextOf::Page,
        field: String::new(),
        is: TextIs::Contains,
        values: vec![contains.into(), "/never".into()],
    }
}

#[tokio::test]
async fn what_was_foretold_happens_for_the_reasons_that_were_named() {
    let mut running = Running::start().await;
    let ana = running.at_work("Ana", 8).await;
    let ben = running.at_work("Ben", 8).await;
    // Three visitors one after the other: each time whom the dry run names.
    for _ in 0..3 {
        let foretold = running.ask(DryRun::default()).await;
        let first = foretold.why.candidates.first().unwrap();
        assert_eq!((first.verdict, foretold.waits), (Verdict::Taken, None));
        assert_eq!(foretold.department_by, DepartmentBy::Company);
        let vera = running.relay.visitor().await;
        let (agent_id, how) = running.served(&vera).await;
        assert_eq!(agent_id, first.agent_id);
        let AssignedHow::Routing { why } = how else { panic!("{how:?}") };
        assert_eq!(why.candidates[0].agent_id, agent_id);
        assert_eq!(why.department_id, foretold.why.department_id);
        // Decided is not yet told by the log, and only that makes an agent idle for a shorter time.
        let since = first.idle_since;
        running
            .until(|answer| {
                candidate(answer, &agent_id)
                    .is_some_and(|it| it.running > 0 && it.idle_since > since)
            })
            .await;
        running.relay.pass(1_000);
    }

    // A rule names Ben, whoever is less loaded; the rules before it say why they do not match.
    let off = RuleSettings { enabled: false, ..rule("off", page("cart")) };
    let named = RuleSettings { agent_id: Some(ben.agent_id.clone()), ..rule("ben", page("cart")) };
    let rules = vec![off, rule("other", page("/help")), named];
    running.save(SettingsSection::Rules(rules.clone())).await;
    let texts = BTreeMap::from([(TextOf::Page, "https://shop.example/cart".to_owned())]);
    let run = DryRun { texts, site_id: Some(running.relay.site.clone()), ..DryRun::default() };
    let answered = async {
        loop {
            let answer = running.ask(run.clone()).await;
            if answer.why.rule.is_some() {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(LIMIT, answered).await.expect("the rules are in force");
    let named = answer.why.rule.clone().unwrap();
    assert_eq!((named.id.as_str(), named.name.as_str()), ("ben", "The rule ben"));
    assert_eq!(answer.why.candidates[0].agent_id, ben.agent_id);
    let passed: Vec<_> =
        answer.passed_over.iter().map(|it| (it.rule.name.as_str(), it.unmet.clone())).collect();
    let unmet = rules[1].when[1].clone();
    assert_eq!(passed, [("The rule off", None), ("The rule other", Some(unmet))]);
    let vera = running.relay.visitor().await;
    let (agent_id, how) = running.served(&vera).await;
    assert_eq!(agent_id, ben.agent_id);
    let AssignedHow::Routing { why } = how else { panic!("{how:?}") };
    assert_eq!(why.rule, answer.why.rule, "the rule is named as it was called then");
    assert_ne!(ana.agent_id, ben.agent_id);
    running.stop().await;
}

#[tokio::test]
async fn whoever_would_wait_is_told_why_and_where() {
    let mut running = Running::start().await;
    let ana = running.relay.agent("Ana").await;
    let wait = async |reason, place| {
        let answered = async {
            loop {
                let waits = running.ask(DryRun::default()).await.waits;
                if waits.is_some_and(|waits| waits.reason == reason && waits.place == place) {
                    return;
                }
            }
        };
        tokio::time::timeout(LIMIT, answered).await.expect("it would wait so");
    };
    wait(WaitingReason::NobodyOnline, 1).await;
    let vera = running.relay.visitor().await;
    running.relay.say(&vera, "m1", "在吗").await.unwrap();
    wait(WaitingReason::NobodyOnline, 2).await;
    let answer = running.ask(DryRun::default()).await;
    assert_eq!(verdict(&answer, &ana.agent_id), Some(Verdict::Offline));
    // Ben has one place and Vera takes it.
    running.at_work("Ben", 1).await;
    let wait = async {
        loop {
            let waits = running.ask(DryRun::default()).await.waits;
            if waits.is_some_and(|it| it.reason == WaitingReason::AllFull && it.place == 1) {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, wait).await.expect("Ben is full");
    running.stop().await;
}

#[tokio::test]
async fn without_a_driver_and_out_of_bounds_there_is_no_answer() {
    let relay = TestRelay::open().await;
    let ask = async |run| dry_run(&relay.app, &admin(), run).await.unwrap_err().code();
    assert_eq!(ask(DryRun::default()).await, ErrorCode::Unavailable);
    let texts = BTreeMap::from([(TextOf::Page, "x".repeat(2_049))]);
    assert_eq!(ask(DryRun { texts, ..DryRun::default() }).await, ErrorCode::Invalid);
    let fields = (0..31).map(|n| (n.to_string(), String::new())).collect();
    assert_eq!(ask(DryRun { fields, ..DryRun::default() }).await, ErrorCode::Invalid);
    let ana = relay.agent("Ana").await;
    let refused = dry_run(&relay.app, &ana, DryRun::default()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Forbidden);
}

/// What nobody knows is said to be so: a site or department that is not there.
#[tokio::test]
async fn names_of_nothing_lead_where_everything_else_leads() {
    let mut running = Running::start().await;
    running.at_work("Ana", 8).await;
    let run = DryRun { site_id: Some(SiteId::new("nowhere").unwrap()), ..DryRun::default() };
    let answer = running.ask(run).await;
    assert_eq!(answer.department_by, DepartmentBy::Company);
    let nothing = DepartmentId::new("nothing").unwrap();
    let run = DryRun { department_id: Some(nothing.clone()), ..DryRun::default() };
    let answer = running.ask(run).await;
    assert_eq!(answer.department_by, DepartmentBy::Visitor);
    assert_eq!(answer.why.department_id, nothing);
    assert!(answer.waits.is_some());
    running.stop().await;
}
