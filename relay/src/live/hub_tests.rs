//! The hub alone: who is let in, what is counted, who learns what.

use super::*;
use crate::live::mailbox::Item;

fn online(conversation: &str, online: bool) -> Bytes {
    online_frame(&ConversationId::new(conversation).unwrap(), online).unwrap()
}

/// All is fanned out.
fn everything() -> Position {
    Position::new(1_000).unwrap()
}

fn shop() -> SiteId {
    SiteId::new("shop").unwrap()
}

#[test]
fn what_a_site_shows_goes_to_its_visitors_once_and_to_no_others() {
    let hub = Hub::new();
    let [vera, viktor] = ["vera", "viktor"].map(|name| VisitorId::new(name).unwrap());
    let [first, second, elsewhere] = [(); 3].map(|()| Arc::new(Mailbox::default()));
    let blog = SiteId::new("blog").unwrap();
    let _places = [
        hub.join_visitor(&vera, &shop(), &first),
        hub.join_visitor(&vera, &shop(), &second),
        hub.join_visitor(&viktor, &blog, &elsewhere),
    ];
    let mut rung = Vec::new();
    let json = Bytes::from_static(b"{}");
    hub.put_to_site(&shop(), Position::new(7).unwrap(), &json, &mut rung);
    assert_eq!(rung.len(), 2);
    for (mailbox, expected) in [(&first, 1), (&second, 1), (&elsewhere, 0)] {
        let items = mailbox.take(usize::MAX, everything());
        assert_eq!(items.len(), expected);
        // Encoded once: every mailbox holds the same bytes.
        assert!(
            items
                .iter()
                .all(|item| matches!(item, Item::Event(_, held) if held.as_ptr() == json.as_ptr()))
        );
    }
}

#[test]
fn one_socket_too_many_ends_the_oldest() {
    let hub = Hub::new();
    let vera = VisitorId::new("vera").unwrap();
    let mailboxes: Vec<_> =
        (0..=SOCKETS_PER_VISITOR_MAX).map(|_| Arc::new(Mailbox::default())).collect();
    let mut places: Vec<_> =
        mailboxes.iter().map(|mailbox| hub.join_visitor(&vera, &shop(), mailbox)).collect();
    let ended = mailboxes[0].ending().unwrap();
    assert_eq!(ended.code, ErrorCode::TooFast);
    assert_eq!(ended.retry_after_ms, Some(DISPLACED_RECONNECT_AFTER_MS));
    assert!(mailboxes[1..].iter().all(|mailbox| mailbox.ending().is_none()));
    assert_eq!(hub.sockets(), (0, SOCKETS_PER_VISITOR_MAX));
    // What was displaced takes nobody with it when it goes.
    drop(places.remove(0));
    assert_eq!(hub.sockets(), (0, SOCKETS_PER_VISITOR_MAX));
    drop(places);
    assert_eq!(hub.sockets(), (0, 0));
    assert!(!hub.visitor_online(&vera));
}

#[test]
fn messages_are_counted_for_all_sockets_of_a_person() {
    let hub = Hub::new();
    let (vera, viktor) = (VisitorId::new("vera").unwrap(), VisitorId::new("viktor").unwrap());
    let join = |visitor| hub.join_visitor(visitor, &shop(), &Arc::new(Mailbox::default()));
    let (first, second, other) = (join(&vera), join(&vera), join(&viktor));
    let rate = Rate { burst: 3, per_second: 1 };
    let taken = [&first, &second, &first, &second].map(|place| place.take(Class::Message, rate));
    assert_eq!(taken.map(|taken| taken.is_ok()), [true, true, true, false]);
    assert!(other.take(Class::Message, rate).is_ok());
}

#[test]
fn a_desk_that_is_behind_still_learns_who_is_there() {
    let hub = Hub::new();
    let (ana, vera) = (AgentId::new("ana").unwrap(), VisitorId::new("vera").unwrap());
    let conversation_id = ConversationId::new("c").unwrap();
    hub.set_serving(&vera, Some(&ServingNow { conversation_id, agents: vec![ana.clone()] }));
    let desk = Arc::new(Mailbox::default());
    let _ana = hub.join_staff(&ana, Role::Agent, &TokenHash::of("ana"), &desk);
    let backlog = Bytes::from(vec![b'x'; crate::limits::SIGNAL_BYTES_MAX]);
    assert!(desk.put_event(Position::new(1).unwrap(), &backlog));
    drop(hub.join_visitor(&vera, &shop(), &Arc::new(Mailbox::default())));
    let signals: Vec<_> = desk
        .take(usize::MAX, everything())
        .into_iter()
        .filter_map(|item| match item {
            Item::Signal(frame) => Some(frame),
            Item::Event(..) => None,
        })
        .collect();
    assert_eq!(signals, [online("c", true), online("c", false)]);
}

/// What `mailbox` was told since it was looked at last.
fn told(mailbox: &Mailbox) -> Vec<String> {
    let items = mailbox.take(usize::MAX, everything()).into_iter();
    let texts = items.filter_map(|item| match item {
        Item::Signal(json) => Some(String::from_utf8(json.to_vec()).unwrap()),
        _ => None,
    });
    texts.collect()
}

/// X10: whoever lost a conversation is told nothing more of who has it open, and others do not see a
/// reader who sees nothing.
#[test]
fn who_lost_a_conversation_is_out_of_its_readers() {
    let hub = Hub::new();
    let [ana, ben, mia] = ["ana", "ben", "mia"].map(|name| AgentId::new(name).unwrap());
    let vera = VisitorId::new("vera").unwrap();
    let id = ConversationId::new("hers").unwrap();
    let token = TokenHash::of("a session");
    let mailboxes = [(); 3].map(|()| Arc::new(Mailbox::default()));
    let places: Vec<_> = [&ana, &ben, &mia]
        .into_iter()
        .zip(&mailboxes)
        .map(|(agent_id, mailbox)| hub.join_staff(agent_id, Role::Manager, &token, mailbox))
        .collect();
    let both = ServingNow { conversation_id: id.clone(), agents: vec![ana.clone(), ben.clone()] };
    hub.set_serving(&vera, Some(&both));
    assert_eq!(hub.watch(places[2].seat(), &id), Ok(true));
    assert_eq!(hub.watch(places[2].seat(), &id), Ok(false), "once is enough");
    for (place, agent_id) in places.iter().zip([&ana, &ben, &mia]) {
        hub.viewing(place.seat(), agent_id, Some(&id)).unwrap();
    }
    mailboxes.iter().for_each(|mailbox| drop(told(mailbox)));

    let alone = ServingNow { conversation_id: id.clone(), agents: vec![ben.clone()] };
    hub.set_serving(&vera, Some(&alone));
    assert!(told(&mailboxes[0]).is_empty());
    let seen = told(&mailboxes[1]);
    assert!(seen.len() == 1 && seen[0].contains("mia") && !seen[0].contains("ana"), "{seen:?}");
    hub.typing(&ben, &id).unwrap();
    assert!(told(&mailboxes[0]).is_empty(), "who is out hears of no typing");
    assert_eq!((told(&mailboxes[1]).len(), told(&mailboxes[2]).len()), (1, 2));
    hub.unwatch(places[2].seat(), &id);
    let seen = told(&mailboxes[1]);
    assert!(seen.len() == 1 && seen[0].contains(r#""reading":[]"#), "{seen:?}");
    hub.set_serving(&vera, None);
    hub.forget_watched(&id);
    assert!(mailboxes.iter().all(|mailbox| told(mailbox).is_empty()), "it is over");
}
