//! The store's promises, each shown on a real database in a folder of its own.

mod backup;
mod batch;
mod identity;
mod integrity;
mod migrations;

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tempfile::TempDir;
use yingke_shared::time::Timestamp;

use super::*;
use crate::clock::RealWorld;
use crate::events::{LogBody, NewEvent};
use crate::params;

/// A refusal of the rooms of these tests.
#[derive(Debug, PartialEq, Eq)]
struct No;

struct Bench {
    folder: TempDir,
    store: Store,
}

impl Bench {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), &RealWorld).unwrap();
        Self { folder, store }
    }

    /// Stops as an operator would and starts again on the same data.
    async fn restart(self) -> Self {
        self.store.close().await;
        let Self { folder, store } = self;
        drop(store);
        let store = Store::open(folder.path(), &RealWorld).unwrap();
        Self { folder, store }
    }

    /// Keeps the writer busy until the returned sender is dropped: whatever is written meanwhile
    /// ends up in one batch.
    async fn hold(&self) -> (Sender<()>, tokio::task::JoinHandle<()>) {
        let (release, released) = channel::<()>();
        let (running, runs) = channel::<()>();
        let (released, running) = (Mutex::new(released), Mutex::new(running));
        let store = self.store.clone();
        let held = tokio::spawn(async move {
            let held = store.write::<_, No, _>("hold", move |_| {
                let _ = running.lock().unwrap().send(());
                let _ = released.lock().unwrap().recv();
                Ok(())
            });
            held.await.unwrap();
        });
        let runs = tokio::task::spawn_blocking(move || runs.recv_timeout(Duration::from_secs(10)));
        runs.await.unwrap().unwrap();
        (release, held)
    }

    /// Appends one event and, beside it, keeps a row named `name`.
    async fn keep(&self, name: &str) -> Result<Position, WriteError<No>> {
        let name = name.to_owned();
        self.store.write("keep", move |tx| keep_in(tx, &name)).await
    }

    async fn kept(&self) -> Vec<String> {
        let names = self.store.read("kept", |tx| {
            tx.query("SELECT client_id FROM command_outcomes ORDER BY client_id", &[], |row| {
                row.text(0)
            })
        });
        names.await.unwrap()
    }

    /// Positions in the log, in order.
    async fn positions(&self) -> Vec<i64> {
        let positions = self.store.read("positions", |tx| {
            tx.query("SELECT position FROM events ORDER BY position", &[], |row| row.int(0))
        });
        positions.await.unwrap()
    }
}

fn keep_in(tx: &mut WriteTx<'_>, name: &str) -> Result<Position, Abort<No>> {
    tx.execute(
        "INSERT INTO command_outcomes (actor_id, client_id, command, at) VALUES ('a', ?, '', 0)",
        params![name],
    )?;
    Ok(tx.append(site_event())?)
}

fn site_event() -> NewEvent {
    let body = LogBody::SiteChanged { site_id: "site-1".parse().unwrap() };
    NewEvent { at: Timestamp::from_millis(1).unwrap(), subject: None, body }
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let bench = Bench::open();
    assert_eq!(bench.keep("one").await.unwrap().get(), 1);
    let bench = bench.restart().await;
    assert_eq!(bench.kept().await, ["one"]);
    assert_eq!(bench.store.head().1.get(), 1);
    assert_eq!(bench.keep("two").await.unwrap().get(), 2);
}

#[tokio::test]
async fn a_second_relay_cannot_open_the_same_folder() {
    let bench = Bench::open();
    let second = Store::open(bench.folder.path(), &RealWorld).err().unwrap();
    assert!(matches!(second, OpenError::InUse { .. }), "{second}");
    assert!(second.to_string().contains(&std::process::id().to_string()), "{second}");
}

#[tokio::test]
async fn a_closed_store_finished_what_was_queued_and_takes_nothing_new() {
    let bench = Bench::open();
    let (release, held) = bench.hold().await;
    let store = bench.store.clone();
    let queued = tokio::spawn(async move { store.write("keep", |tx| keep_in(tx, "queued")).await });
    let store = bench.store.clone();
    // The queued write is in the queue before the request to close: both tasks run on this thread,
    // in order.
    tokio::task::yield_now().await;
    let closing = tokio::spawn(async move { store.close().await });
    tokio::task::yield_now().await;
    drop(release);
    closing.await.unwrap();
    held.await.unwrap();
    assert_eq!(queued.await.unwrap().unwrap().get(), 1);
    assert!(matches!(bench.keep("late").await, Err(WriteError::Closed)));
    let late = bench.store.read("late", |_| Ok(())).await;
    assert!(matches!(late, Err(StoreError::Closed)));
    let bench = bench.restart().await;
    assert_eq!(bench.kept().await, ["queued"]);
}

#[tokio::test]
async fn a_read_sees_one_moment_and_cannot_write() {
    let bench = Bench::open();
    bench.keep("one").await.unwrap();
    let write = bench.store.read("write", |tx| {
        tx.query("INSERT INTO command_outcomes VALUES ('b', 'x', '', 0) RETURNING 1", &[], |row| {
            row.int(0)
        })
    });
    assert!(write.await.is_err());
    let panicked = bench.store.read("panic", |_| -> Result<(), StoreError> { panic!("a bug") });
    assert!(matches!(panicked.await, Err(StoreError::Panicked)));
    assert_eq!(bench.kept().await, ["one"]);
}

/// With one queue for everybody this waited until the held ones were let go.
#[tokio::test]
async fn the_spine_reads_while_every_other_reader_is_busy() {
    let bench = Bench::open();
    let (release, released) = channel::<()>();
    let released = std::sync::Arc::new(Mutex::new(released));
    let mut held = Vec::new();
    for _ in 0..2 * READERS_MAX {
        let (store, released) = (bench.store.clone(), std::sync::Arc::clone(&released));
        held.push(tokio::spawn(async move {
            let read = store.read("hold", move |_| {
                let _ = released.lock().unwrap().recv();
                Ok(())
            });
            read.await
        }));
    }
    tokio::task::yield_now().await;
    let read = bench.store.read_for_spine("spine", |_| Ok(7));
    let read = tokio::time::timeout(Duration::from_secs(20), read).await;
    assert_eq!(read.expect("it waits for the others").unwrap(), 7);
    drop(release);
    for read in held {
        read.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_executor_without_threads_runs_the_same_batches() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_inline(folder.path(), &RealWorld).unwrap();
    let bench = Bench { folder, store };
    assert_eq!(bench.keep("one").await.unwrap().get(), 1);
    let refused = bench.store.write::<(), _, _>("refuse", |tx| {
        keep_in(tx, "not kept")?;
        Err(Abort::Refused(No))
    });
    assert!(matches!(refused.await, Err(WriteError::Refused(No))));
    assert_eq!(bench.keep("two").await.unwrap().get(), 2);
    assert_eq!(bench.kept().await, ["one", "two"]);
    bench.store.close().await;
    assert!(matches!(bench.keep("late").await, Err(WriteError::Closed)));
}
