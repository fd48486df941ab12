//! The store's promises, each shown on a real database in a folder of its own.

use std::sync::Arc;

use yingke_shared::ids::Position;

use super::*;
use crate::clock::RealWorld;
use crate::events::{LogBody, NewEvent};
use crate::params;

pub(super) fn site_event(at: u64) -> NewEvent {
    NewEvent {
        at: yingke_shared::time::Timestamp::from_millis(at).unwrap(),
        subject: None,
        body: LogBody::SiteChanged { site_id: "site-1".parse().unwrap() },
    }
}

#[tokio::test]
async fn what_was_written_is_read_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &RealWorld).unwrap();
    let position = store
        .write::<_, StoreError, _>("append", |tx| Ok(tx.append(site_event(1))?))
        .await
        .unwrap();
    assert_eq!(position, Position::new(1).unwrap());
    assert_eq!(store.head().1, position);
    store.close().await;
    drop(store);

    let store = Store::open(folder.path(), &RealWorld).unwrap();
    let count = store
        .read("count", |tx| tx.query_one("SELECT count(*) FROM events", &[], |row| row.int(0)))
        .await
        .unwrap();
    assert_eq!(count, Some(1));
    assert_eq!(store.head().1, position);
    let _ = (params![1_i64], Arc::new(1));
}
