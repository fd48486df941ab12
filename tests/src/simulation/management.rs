//! What an admin changes while everything goes on: departments with their hours and clocks, skills,
//! rules, the company, and who answers where. In the quiet every department is open to everybody in it
//! again, with no clock running, so that the law of the line is simple: nobody waits beside a free place
//! of the right department and skill.

use yingke_relay::settings::queries;
use yingke_shared::ids::{DepartmentId, RuleId, SkillId};
use yingke_shared::rest::ChangeAgent;
use yingke_shared::settings::{
    Ask, BusinessHours, Condition, DepartmentSettings, NoAnswer, QueuePolicy, RuleSettings,
    SaveSettings, SettingsSection, Silence, Span, TextIs, TextOf,
};
use yingke_shared::views::SkillCard;

use super::handing::default_department;
use super::network::Call;
use super::run::Simulation;

/// With no clock running.
fn plain(id: DepartmentId, name: &str) -> DepartmentSettings {
    DepartmentSettings {
        id,
        name: name.to_owned(),
        order: 0,
        policy: QueuePolicy::Pool,
        hours: None,
        close_line: false,
        no_answer: None,
        wrap_up_s: 0,
        silence: Silence::default(),
        explain_s: None,
        file_after_s: None,
        wait_s_max: None,
    }
}

fn sales() -> DepartmentId {
    DepartmentId::new("sales").unwrap()
}

fn skill() -> SkillId {
    SkillId::new("refunds").unwrap()
}

impl Simulation {
    /// An admin changes something.
    pub(super) fn manage(&mut self) {
        let fate = self.fate.clone();
        let agent = &self.agents[fate.index(self.agents.len())];
        let id = agent.id.clone();
        match fate.index(9) {
            0 | 1 => {
                let all = [
                    vec![default_department()],
                    vec![sales()],
                    vec![default_department(), sales()],
                ];
                let departments = Some(all[fate.index(3)].clone());
                let change = ChangeAgent { departments, ..Default::default() };
                self.call(Call::ChangeAgent { id, change });
            }
            2 => {
                let skills = if fate.once_in(2) { vec![skill()] } else { Vec::new() };
                let change = ChangeAgent { skills: Some(skills), ..Default::default() };
                self.call(Call::ChangeAgent { id, change });
            }
            3 => {
                let skills = SkillCard { id: skill(), name: "refunds".to_owned() };
                let skills = if fate.once_in(4) { Vec::new() } else { vec![skills] };
                self.save(SettingsSection::Skills(skills));
            }
            4 | 5 => {
                let count = fate.index(3);
                let rules = (0..count).map(|n| self.rule(n)).collect();
                self.save(SettingsSection::Rules(rules));
            }
            6 => {
                let mut company = self.look_at(queries::company).value;
                company.announce_entering = fate.once_in(2);
                company.grace_s = if fate.once_in(2) { 5 } else { 60 };
                company.invitation_s = if fate.once_in(2) { 10 } else { 60 };
                company.default_department =
                    if fate.once_in(3) { sales() } else { default_department() };
                self.save(SettingsSection::Company(company));
            }
            _ => {
                let mut departments = vec![self.department(default_department(), "")];
                if !fate.once_in(4) {
                    departments.push(self.department(sales(), "sales"));
                }
                self.save(SettingsSection::Departments(departments));
            }
        }
    }

    fn department(&self, id: DepartmentId, name: &str) -> DepartmentSettings {
        let fate = &self.fate;
        let policies =
            [QueuePolicy::Pool, QueuePolicy::Sticky, QueuePolicy::StickyThenPool { after_s: 3 }];
        // All day on some days of the week, or never.
        let day = |open: bool| if open { vec![Span { from: 0, to: 1_440 }] } else { Vec::new() };
        let hours = fate.once_in(4).then(|| {
            let week = (0..7).map(|_| day(fate.once_in(2))).collect();
            BusinessHours { week, ..BusinessHours::default() }
        });
        let seconds = || fate.once_in(3).then(|| u32::try_from(fate.between(10, 20)).unwrap());
        DepartmentSettings {
            policy: policies[fate.index(3)],
            hours,
            close_line: fate.once_in(2),
            no_answer: seconds().map(|after_s| NoAnswer { after_s, transfers_max: 2 }),
            wrap_up_s: if fate.once_in(3) { 4 } else { 0 },
            silence: Silence { ask_s: seconds(), warn_s: None, end_s: seconds().map(|s| s + 15) },
            explain_s: seconds(),
            file_after_s: seconds(),
            wait_s_max: seconds().map(|s| s + 10),
            ..plain(id, name)
        }
    }

    fn rule(&self, n: usize) -> RuleSettings {
        let fate = &self.fate;
        let ask = Ask::Text {
            of: TextOf::Language,
            field: String::new(),
            is: TextIs::StartsWith,
            values: vec!["zh".to_owned()],
        };
        let agent = &self.agents[fate.index(self.agents.len())];
        RuleSettings {
            id: RuleId::new(format!("rule-{n}")).unwrap(),
            name: format!("rule {n}"),
            enabled: !fate.once_in(4),
            when: vec![Condition { not: fate.once_in(4), ask }],
            department_id: fate.once_in(2).then(sales),
            skill_id: fate.once_in(3).then(skill),
            agent_id: fate.once_in(4).then(|| agent.id.clone()),
            priority: fate.once_in(3).then_some(9),
        }
    }

    /// From what is set now; whatever was saved meanwhile refuses it.
    fn save(&mut self, section: SettingsSection) {
        let all = self.look_at(queries::all);
        let base = match &section {
            SettingsSection::Company(_) => all.company.version,
            SettingsSection::Departments(_) => all.departments.version,
            SettingsSection::Skills(_) => all.skills.version,
            SettingsSection::Rules(_) => all.rules.version,
            SettingsSection::Prompts(_) => all.prompts.version,
            SettingsSection::AutoReplies(_) => all.auto_replies.version,
        };
        self.call(Call::Save { request: Box::new(SaveSettings { base, section }) });
    }

    /// In the quiet: no department has hours, clocks or a policy of its own any more.
    pub(super) fn make_plain(&mut self) {
        if !self.calls.is_empty() {
            return;
        }
        let departments = self.look_at(queries::departments).value;
        let simple: Vec<_> =
            departments.iter().map(|one| plain(one.id.clone(), &one.name)).collect();
        if simple != departments {
            self.save(SettingsSection::Departments(simple));
        }
    }
}
