//! Snapshots and pages: bounded, complete when put together, in the right order.

use yingke_shared::commands::staff::LoadMessages;
use yingke_shared::commands::visitor::LoadHistory;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::limits::{SNAPSHOT_MESSAGES_MAX, TEXT_CHARS_MAX};
use yingke_shared::views::{HistoryCursor, Role};

use crate::conversations::actions;
use crate::limits::{SNAPSHOT_ALERTS_MAX, SNAPSHOT_BYTES_MAX};
use crate::store::{Abort, Value};
use crate::testing::{TestRelay, any_id};

#[tokio::test]
async fn a_heavy_snapshot_is_cut_and_the_rest_comes_in_pages() {
    let relay = TestRelay::open().await;
    let ana = relay.account("Ana", Role::Agent, 200).await;
    let mut held = std::collections::BTreeSet::new();
    for n in 0..40 {
        let visitor = relay.visitor().await;
        let id = relay.conversation_with(&visitor, &ana).await;
        relay.say(&visitor, &format!("m{n}"), &"好".repeat(TEXT_CHARS_MAX)).await.unwrap();
        held.insert(id);
    }
    let snapshot = relay.staff_screen(&ana).await;
    assert!(snapshot.has_more && snapshot.conversations.len() > 10);
    let bytes = serde_json::to_vec(&snapshot).unwrap().len();
    assert!(bytes <= SNAPSHOT_BYTES_MAX, "{bytes}");

    let mut found: std::collections::BTreeSet<_> = snapshot.conversations.into_keys().collect();
    let mut more = true;
    while more {
        let after = found.last().cloned();
        let page = actions::load_served(&relay.app, &ana, after).await.unwrap();
        assert!(!page.conversations.is_empty());
        found.extend(page.conversations.into_iter().map(|record| record.id));
        more = page.has_more;
    }
    assert_eq!(found, held);
}

#[tokio::test]
async fn a_visitors_history_spans_conversations_and_clocks() {
    let relay = TestRelay::open().await;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    let mut expected = Vec::new();
    // Each conversation begins an hour before the one before, by a clock that is being set back.
    for round in 0..4_u64 {
        relay.set_clock(1_800_000_000_000 - round * 3_600_000);
        let id = relay.conversation_with(&vera, &ana).await;
        for n in 0..20 {
            relay.say(&vera, &format!("r{round}n{n}"), "嗨").await.unwrap();
        }
        relay.end(&ana, &id).await.unwrap();
        // Welcome, first message, joined, twenty more, ended.
        expected.extend((1..=24).map(|seq| (id.clone(), seq)));
    }
    let screen = relay.visitor_screen(&vera).await;
    assert_eq!(screen.messages.len(), SNAPSHOT_MESSAGES_MAX as usize);
    assert!(screen.has_earlier);
    assert_eq!(screen.conversation.unwrap().id, expected.last().unwrap().0);

    let mut found: Vec<_> = screen.messages;
    let mut has_earlier = true;
    while has_earlier {
        let first = &found[0];
        let before =
            HistoryCursor { conversation_id: first.conversation_id.clone(), seq: first.seq };
        let command = LoadHistory { before: Some(before), limit: 7 };
        let page = actions::load_history(relay.app.clone(), vera.clone(), any_id(), command).await;
        let Outcome::History { page } = page.unwrap() else { panic!("not a page") };
        has_earlier = page.has_earlier;
        found.splice(0..0, page.messages);
    }
    let found: Vec<_> =
        found.into_iter().map(|message| (message.conversation_id, message.seq.get())).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn pages_are_dense_and_bounded() {
    let relay = TestRelay::open().await;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    let id = relay.conversation_with(&vera, &ana).await;
    for n in 0..30 {
        relay.say(&vera, &format!("m{n}"), &"好".repeat(TEXT_CHARS_MAX)).await.unwrap();
    }
    let load = async |before: Option<u64>, limit| {
        let before = before.map(|seq| yingke_shared::ids::Seq::new(seq).unwrap());
        let command = LoadMessages { conversation_id: id.clone(), before, limit };
        let page = actions::load_messages(relay.app.clone(), ana.clone(), any_id(), command).await;
        page.map(|outcome| match outcome {
            Outcome::Messages { page } => page,
            other => panic!("{other:?}"),
        })
    };
    let mut before = None;
    let mut seqs = Vec::new();
    loop {
        let page = load(before, 100).await.unwrap();
        assert!(serde_json::to_vec(&page).unwrap().len() <= SNAPSHOT_BYTES_MAX);
        before = Some(page.messages[0].seq.get());
        seqs.splice(0..0, page.messages.iter().map(|message| message.seq.get()));
        if !page.has_earlier {
            break;
        }
    }
    assert_eq!(seqs, (1..=33).collect::<Vec<_>>());
    for limit in [0, 101] {
        assert_eq!(load(None, limit).await.unwrap_err().code(), ErrorCode::BadBody);
    }
}

/// Nobody saw to any of them for weeks: a manager's every sign-in brought all of them.
#[tokio::test]
async fn of_alerts_the_newest_few_hundred_are_in_a_snapshot() {
    let relay = TestRelay::open().await;
    let mia = relay.account("Mia", Role::Manager, 8).await;
    let alerted = relay.app.store.write("alerted", |tx| {
        for number in 1..=i64::from(SNAPSHOT_ALERTS_MAX) + 2 {
            let id = format!("0192f3a4-0000-7000-8000-{number:012}");
            tx.execute(
                "INSERT INTO conversations (id, site_id, visitor_id, state, started_at, \
                 started_position, alert, alerted_at, alerted_position) \
                 VALUES (?, 'shop', ?, 'waiting', 1, ?, 'no_answer', 1, ?)",
                &[Value::Text(&id), Value::Text(&id), Value::Int(number), Value::Int(number)],
            )?;
        }
        Ok::<_, Abort<ErrorCode>>(())
    });
    alerted.await.unwrap();
    let alerts = relay.staff_screen(&mia).await.alerts;
    assert_eq!(alerts.len(), SNAPSHOT_ALERTS_MAX as usize);
    assert_eq!(alerts.values().map(|alert| alert.rev.get()).min(), Some(3));
}
