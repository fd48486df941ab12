//! What a visitor picks before the chat (A24, A25): what must be picked is, and what is not offered is
//! not looked at.

use yingke_shared::commands::visitor::{
    LeaveMessage, PageContext, VisitorAsks, VisitorSendMessage,
};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::ConversationId;
use yingke_shared::settings::{Category, CompanySettings};

use super::crew::Crew;
use crate::auth::VisitorIdentity;
use crate::conversations::queries;
use crate::settings::queries::default_department;
use crate::testing::{TestRelay, client};

async fn say(
    relay: &TestRelay,
    who: &VisitorIdentity,
    id: &str,
    asks: VisitorAsks,
) -> Result<ConversationId, ErrorCode> {
    let command = VisitorSendMessage {
        text: "在吗".into(),
        page: PageContext::default(),
        locale: "zh-CN".into(),
        asks,
    };
    match act!(relay, send_as_visitor, who, client(id), command)? {
        Outcome::Accepted { conversation_id, .. } => Ok(conversation_id),
        other => panic!("{other:?}"),
    }
}

fn picked(category: &str) -> VisitorAsks {
    VisitorAsks { category: category.into(), ..VisitorAsks::default() }
}

fn with_a_form(company: &mut CompanySettings) {
    let department_id = default_department().unwrap();
    company.categories = vec![Category { name: "售前".into(), department_id }];
}

#[tokio::test]
async fn a24_a_conversation_begins_with_a_category_where_there_is_a_form() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, vera, .. } = &crew;
    crew.set_company(with_a_form).await;
    for asks in [VisitorAsks::default(), picked("别的")] {
        assert_eq!(say(relay, vera, "v1", asks).await, Err(ErrorCode::CategoryNeeded));
    }
    assert!(relay.visitor_screen(vera).await.conversation.is_none(), "nothing of it remains");
    let id = say(relay, vera, "v1", picked("售前")).await.unwrap();
    assert_eq!(
        say(relay, vera, "v1", VisitorAsks::default()).await.as_ref(),
        Ok(&id),
        "sent before"
    );
    assert_eq!(
        say(relay, vera, "v2", VisitorAsks::default()).await.as_ref(),
        Ok(&id),
        "it is open"
    );
    crew.assign(&id, ana).await.unwrap();
    relay.end(ana, &id).await.unwrap();
    let again = say(relay, vera, "v3", VisitorAsks::default()).await;
    assert_eq!(again, Err(ErrorCode::CategoryNeeded), "the next one begins anew");
    // Nobody is there to be led to.
    let left = LeaveMessage {
        text: "请回电".into(),
        name: String::new(),
        contact: "13800000000".into(),
        page: PageContext::default(),
        locale: "zh-CN".into(),
    };
    assert!(act!(relay, leave_message, vera, left).is_ok());
}

#[tokio::test]
async fn a25_what_is_not_there_is_not_asked_for() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, mia, vera, viktor, .. } = &crew;
    crew.set_company(|company| (company.choose_department, company.choose_agent) = (true, true))
        .await;
    relay.set_disabled(ben, true).await;
    let described = async |id: ConversationId| {
        let read = relay.app.store.read("described", move |tx| queries::load_in_routing(tx, &id));
        let json = read.await.unwrap().unwrap().described;
        let it: yingke_routing::Described = serde_json::from_str(&json).unwrap();
        (it.department.map(|id| id.to_string()), it.agent.map(|id| id.to_string()))
    };
    let asks = |department: &str, agent: &str| VisitorAsks {
        category: String::new(),
        department_id: Some(department.parse().unwrap()),
        agent_id: Some(agent.parse().unwrap()),
    };
    let hers = say(relay, vera, "v1", asks("default", ana.agent_id.as_str())).await.unwrap();
    let expected = (Some("default".to_owned()), Some(ana.agent_id.to_string()));
    assert_eq!(described(hers).await, expected);
    // Nowhere, and somebody who is disabled, manages, or never was.
    for (n, agent) in
        [ben.agent_id.as_str(), mia.agent_id.as_str(), "nobody"].into_iter().enumerate()
    {
        let id = say(relay, viktor, &format!("v{n}"), asks("nowhere", agent)).await.unwrap();
        assert_eq!(described(id.clone()).await, (None, None), "{agent}");
        crew.assign(&id, ana).await.unwrap();
        relay.end(ana, &id).await.unwrap();
    }
}
