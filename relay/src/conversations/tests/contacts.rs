//! Recent contacts (C05): the last fifty visitors, each once, the latest first, and who of them is here.

use std::sync::Arc;

use crate::conversations::actions;
use crate::testing::{TestRelay, admin};
use yingke_shared::views::Role;

#[tokio::test]
async fn c05_the_last_fifty_each_once_and_who_is_here() {
    let relay = TestRelay::open().await;
    let ana = relay.account("Ana", Role::Agent, 8).await;
    let mut visitors = Vec::new();
    for _ in 0..53 {
        let visitor = relay.visitor().await;
        let id = relay.conversation_with(&visitor, &ana).await;
        relay.end(&ana, &id).await.unwrap();
        visitors.push(visitor);
    }
    // One of long ago comes once more, and is the latest.
    let again = visitors.remove(0);
    let last = relay.conversation_with(&again, &ana).await;
    visitors.push(again.clone());
    let mailbox = Arc::default();
    let seat = relay.app.hub.join_visitor(&again.visitor_id, &again.site_id, &mailbox);

    let load = async || actions::load_contacts(&relay.app, ana.clone()).await.unwrap().contacts;
    let contacts = load().await;
    let expected: Vec<_> = visitors.iter().rev().take(50).map(|it| &it.visitor_id).collect();
    let listed: Vec<_> = contacts.iter().map(|it| &it.visitor.id).collect();
    assert_eq!(listed, expected);
    assert_eq!((contacts[0].conversation_id.clone(), contacts[0].is_open), (last, true));
    let here: Vec<_> = contacts.iter().filter(|it| it.online).map(|it| &it.visitor.id).collect();
    assert_eq!(here, [&again.visitor_id], "everybody else is grey");
    drop(seat);
    assert!(load().await.iter().all(|contact| !contact.online));
    let others = actions::load_contacts(&relay.app, admin()).await.unwrap().contacts;
    assert_eq!(others, [], "one's own");
}
