//! A past day with other settings, side by side (X04).

use std::collections::BTreeMap;

use yingke_routing::replay::{Fate, PastConversation, PastDay, PastFact, Settings, compare};
use yingke_routing::{AgentSettings, Availability, Company, Described, Fact};

use crate::story::{MINUTE, calm};

fn day() -> PastDay {
    let settings = AgentSettings {
        agent: "ana".into(),
        capacity: 1,
        availability: Availability::Online,
        departments: ["sales".into()].into(),
        skills: [].into(),
    };
    let agents = vec![
        PastFact { at: 0, fact: Fact::AgentSet(Box::new(settings)) },
        PastFact { at: 0, fact: Fact::AgentConnected { agent: "ana".into() } },
    ];
    let past = |id: &str, minute: u64, patience: Option<u64>| PastConversation {
        conversation: id.into(),
        at: minute * MINUTE,
        number: minute,
        visitor: Described::default(),
        served_ms: 10 * MINUTE,
        patience_ms: patience.map(|minutes| minutes * MINUTE),
    };
    let conversations =
        vec![past("a", 1, None), past("b", 2, None), past("c", 3, Some(5)), past("d", 4, None)];
    PastDay { agents, conversations, until: 60 * MINUTE }
}

fn settings(capacity: u32) -> Settings {
    Settings {
        company: Company::new("sales".into()),
        departments: vec![calm("sales")],
        rules: Vec::new(),
        capacities: BTreeMap::from([("ana".into(), capacity)]),
    }
}

#[test]
fn x04_the_same_day_with_more_capacity() {
    let both = compare(&day(), &[settings(1), settings(3)]);
    let [one, three] = both.as_slice() else { panic!("two") };
    assert_eq!((one.all.came, one.all.served, one.all.missed), (4, 3, 1));
    assert_eq!(one.fates[&"c".into()], Fate::Left);
    // b waits from minute 2 to 11, d from 4 to 21.
    assert_eq!(one.all.wait_sum_ms, (9 + 17) * MINUTE);
    assert_eq!(one.all.wait_max_ms, 17 * MINUTE);
    assert_eq!(one.loads[&"ana".into()], (3, 1));
    assert_eq!((three.all.served, three.all.missed), (4, 0));
    assert_eq!(three.all.wait_max_ms, 7 * MINUTE);
    assert_eq!(three.loads[&"ana".into()], (4, 3));
    assert_eq!(both, compare(&day(), &[settings(1), settings(3)]));
}
