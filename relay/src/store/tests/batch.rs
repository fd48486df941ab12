//! Batches: one commit for many, each closure's fate its own, and what happens when one dies.

use std::collections::BTreeSet;

use super::*;
use crate::limits::{BATCH_CLOSURES_MAX, WRITE_QUEUE_MAX};

/// Starts a write now; it is queued when this returns.
async fn queue<T: Send + 'static>(
    bench: &Bench,
    f: impl Fn(&mut WriteTx<'_>) -> Result<T, Abort<No>> + Send + 'static,
) -> tokio::task::JoinHandle<Result<T, WriteError<No>>> {
    let store = bench.store.clone();
    let write = tokio::spawn(async move { store.write("queued", f).await });
    tokio::task::yield_now().await;
    write
}

#[tokio::test]
async fn what_queues_during_a_commit_shares_the_next_one() {
    let bench = Bench::open();
    let (release, held) = bench.hold().await;
    let mut writes = Vec::new();
    for number in 0..BATCH_CLOSURES_MAX {
        writes.push(
            queue(&bench, move |tx| {
                keep_in(tx, &format!("{number:04}"))?;
                // The counter row moves once a batch: who sees the same value shares a commit.
                let head = tx.query_one("SELECT position FROM log_head", &[], |row| row.int(0))?;
                Ok((tx.append(site_event())?, head))
            })
            .await,
        );
    }
    drop(release);
    held.await.unwrap();
    let mut heads = BTreeSet::new();
    for (number, write) in writes.into_iter().enumerate() {
        let (position, head) = write.await.unwrap().unwrap();
        assert_eq!(position.get(), 2 * number as u64 + 2);
        heads.insert(head);
    }
    assert_eq!(heads.len(), 1, "one commit for all of them");
}

#[tokio::test]
async fn one_closures_failure_is_its_own() {
    let bench = Bench::open();
    bench.keep("taken").await.unwrap();
    let (release, held) = bench.hold().await;
    let first = queue(&bench, |tx| keep_in(tx, "first")).await;
    let refused = queue(&bench, |tx| -> Result<(), _> {
        keep_in(tx, "refused")?;
        Err(Abort::Refused(No))
    })
    .await;
    let panicked = queue(&bench, |tx| -> Result<(), _> {
        keep_in(tx, "panicked")?;
        panic!("a bug")
    })
    .await;
    let violated = queue(&bench, |tx| {
        keep_in(tx, "violated")?;
        keep_in(tx, "taken")
    })
    .await;
    let last = queue(&bench, |tx| keep_in(tx, "last")).await;
    drop(release);
    held.await.unwrap();

    assert_eq!(first.await.unwrap().unwrap().get(), 2);
    assert!(matches!(refused.await.unwrap(), Err(WriteError::Refused(No))));
    assert!(matches!(panicked.await.unwrap(), Err(WriteError::Panicked)));
    assert!(matches!(violated.await.unwrap(), Err(WriteError::Failed(StoreError::Engine(_)))));
    assert_eq!(last.await.unwrap().unwrap().get(), 3);
    assert_eq!(bench.kept().await, ["first", "last", "taken"]);
    let bench = bench.restart().await;
    assert_eq!(bench.positions().await, [1, 2, 3], "no hole where something was taken back");
    assert_eq!(bench.keep("next").await.unwrap().get(), 4);
}

/// Leaves room for so many more pages: the real SQLITE_FULL, from the engine itself.
fn leave_room(tx: &WriteTx<'_>, pages: i64) -> Result<(), StoreError> {
    let pragma = |sql: &'static str| tx.query_one(sql, &[], |row| row.int(0));
    let used = pragma("PRAGMA page_count")?.unwrap();
    pragma(format!("PRAGMA max_page_count = {}", used + pages).leak())?;
    Ok(())
}

/// A row too large for the room that [`leave_room`] leaves. The table has one tree and the statement
/// one row, so the engine keeps no journal for the statement and gives up the whole transaction.
fn keep_too_much(tx: &mut WriteTx<'_>) -> Result<usize, StoreError> {
    tx.execute(
        "INSERT INTO marks (conversation_id, reader_id) VALUES ('big', ?)",
        params!["x".repeat(1_000_000)],
    )
}

#[tokio::test]
async fn a_full_disk_in_the_middle_of_a_batch_acknowledges_nothing_that_is_not_stored() {
    let bench = Bench::open();
    let (release, held) = bench.hold().await;
    let room = queue(&bench, |tx| Ok(leave_room(tx, 20)?)).await;
    let before = queue(&bench, |tx| keep_in(tx, "before")).await;
    let runs = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let big = queue(&bench, move |tx| {
        counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        keep_in(tx, "big's first half")?;
        keep_too_much(tx)?;
        Ok(())
    })
    .await;
    // Hides the error and goes on: after the loss nothing of it may reach the disk by itself.
    let careless = queue(&bench, |tx| {
        let lost = keep_too_much(tx).is_err();
        assert!(lost, "there is no room");
        keep_in(tx, "careless")
    })
    .await;
    let after = queue(&bench, |tx| keep_in(tx, "after")).await;
    drop(release);
    held.await.unwrap();

    room.await.unwrap().unwrap();
    assert_eq!(before.await.unwrap().unwrap().get(), 1);
    assert!(matches!(big.await.unwrap(), Err(WriteError::Failed(_))));
    assert!(matches!(careless.await.unwrap(), Err(WriteError::Failed(_))));
    assert_eq!(after.await.unwrap().unwrap().get(), 2);
    assert_eq!(runs.load(std::sync::atomic::Ordering::SeqCst), 2, "once in the batch, once alone");
    assert_eq!(bench.kept().await, ["after", "before"]);
    assert!(!bench.store.has_failed(), "a full disk is survivable");

    let bench = bench.restart().await;
    assert_eq!(bench.kept().await, ["after", "before"]);
    assert_eq!(bench.positions().await, [1, 2]);
    assert_eq!(bench.keep("space again").await.unwrap().get(), 3);
}

/// The disk is full at a commit, and the transaction cannot be given up either.
struct Stuck;

impl Faults for Stuck {
    fn at(&mut self, point: Point) -> Fate {
        if point == Point::BeforeCommit { Fate::Full } else { Fate::GoOn }
    }

    fn refuses_rollback(&mut self) -> bool {
        true
    }
}

/// It was only logged: the next batch began inside the old transaction, and failed for ever.
#[tokio::test]
async fn a_transaction_that_cannot_be_rolled_back_ends_the_store() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = MemoryFolder::new(scratch.path()).unwrap();
    let store = Store::open_by_turns(&folder, &RealWorld, Box::new(Stuck)).unwrap();
    let mut lost = Box::pin(store.write::<_, No, _>("lost", |tx| keep_in(tx, "lost")));
    assert!(futures_util::poll!(lost.as_mut()).is_pending());
    store.turn(1, 0);
    let failed = store.failure();
    assert!(matches!(failed, Some(Fatal::Storage { during: "rolling back", .. })), "{failed:?}");
    assert!(futures_util::poll!(lost.as_mut()).is_pending(), "nobody knows what became of it");
    let next = store.write::<_, No, _>("next", |tx| keep_in(tx, "next")).await;
    assert!(matches!(next, Err(WriteError::Closed)), "{next:?}");
}

#[tokio::test]
async fn a_full_queue_says_busy_and_recovers() {
    let bench = Bench::open();
    let (release, held) = bench.hold().await;
    let mut writes = Vec::with_capacity(WRITE_QUEUE_MAX);
    for _ in 0..WRITE_QUEUE_MAX {
        writes.push(queue(&bench, |_| Ok(())).await);
    }
    assert!(matches!(bench.keep("too much").await, Err(WriteError::Busy)));
    drop(release);
    held.await.unwrap();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    assert_eq!(bench.keep("room again").await.unwrap().get(), 1);
}

#[tokio::test]
async fn the_write_ahead_log_is_folded_in_beside_the_writer() {
    let bench = Bench::open();
    let filler = "x".repeat(100_000);
    for number in 0..100 {
        let filler = filler.clone();
        let write = bench.store.write::<_, No, _>("fill", move |tx| {
            tx.execute(
                "INSERT INTO command_outcomes (actor_id, client_id, command, at)
                 VALUES ('b', ?, ?, 0)",
                params![i64::from(number), filler],
            )?;
            Ok(())
        });
        write.await.unwrap();
    }
    let database = bench.folder.path().join("yingke.db");
    let size = || std::fs::metadata(&database).unwrap().len();
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while size() < 4_000_000 {
        assert!(std::time::Instant::now() < deadline, "still {} bytes", size());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
