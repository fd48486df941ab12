//! Every hot query must find its rows by an index: a plan that reads a whole table, or sorts what an
//! index could have given in order, fails here before it is slow anywhere.

use crate::conversations::store;
use crate::store::Value;
use crate::testing::TestRelay;
use crate::{agents, auth, sites, visitors};

#[tokio::test]
async fn hot_queries_use_indexes() {
    let relay = TestRelay::open().await;
    let text = Value::Text("x");
    let number = Value::Int(1);
    let queries: Vec<(&'static str, &'static str, Vec<Value<'static>>)> = vec![
        ("conversation", store::BY_ID, vec![text]),
        ("open of visitor", store::OPEN_OF_VISITOR, vec![text]),
        ("newest of visitor", store::NEWEST_OF_VISITOR, vec![text]),
        ("served by", store::SERVED_BY_AGENT, vec![text, text, number]),
        ("waiting", store::WAITING, vec![number, number]),
        ("newest event", store::NEWEST_EVENT, vec![text]),
        ("newest message", store::NEWEST_MESSAGE, vec![text]),
        ("has place", store::HAS_PLACE, vec![text, number, text, text, number, number]),
        ("who had it", store::HAD_BY, vec![text]),
        ("begun by", store::BEGUN_BY, vec![text]),
        ("talk", store::TALK, vec![text]),
        ("has answered", store::HAS_ANSWERED, vec![text, text, text]),
        ("agents' marks", store::AGENT_MARKS, vec![text]),
        ("alert", store::ALERT, vec![text]),
        ("contacts", store::HAD, vec![text, number]),
        ("why who had it", store::ASSIGNMENTS, vec![text, number]),
        ("open invitations", store::OPEN_INVITATIONS, vec![text]),
        ("invitations to", store::INVITATIONS_TO, vec![text]),
        ("sent before", store::SENT, vec![text, text]),
        ("served visitor", store::SERVED_VISITOR, vec![text, text]),
        ("agents of visitor", store::AGENTS_OF_VISITOR, vec![text]),
        ("running", store::RUNNING, vec![text]),
        ("messages", store::MESSAGES, vec![text, number, number]),
        ("history", store::HISTORY, vec![text, number, number, number, number]),
        ("session", auth::store::SESSION, vec![text]),
        ("visitor of token", auth::store::VISITOR_OF_TOKEN, vec![text]),
        ("unheard visitors", visitors::store::UNHEARD, vec![number, number]),
        ("visitor", visitors::store::IS_THERE, vec![text]),
        ("ticket", visitors::store::TICKET, vec![text, text]),
        ("agent", agents::store::BY_ID, vec![text]),
        ("writes as", agents::store::WRITES_AS, vec![text]),
        ("named", agents::store::NAMED, vec![text]),
        ("site", sites::store::BY_ID, vec![text]),
        ("shown", sites::store::SHOWN, vec![text]),
    ];
    for (name, sql, params) in queries {
        let explain: &str = format!("EXPLAIN QUERY PLAN {sql}").leak();
        let read =
            relay.app.store.read("plan", move |tx| tx.query(explain, &params, |row| row.text(3)));
        let plan = read.await.unwrap();
        let steps: Vec<_> = plan
            .iter()
            .filter(|step| !step.contains("SUBQUERY") && **step != "CO-ROUTINE")
            .collect();
        for step in &steps {
            assert!(step.starts_with("SEARCH"), "{name}: {plan:#?}");
        }
        assert!(!steps.is_empty(), "{name}: {plan:#?}");
    }
}
