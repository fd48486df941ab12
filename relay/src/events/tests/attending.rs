//! Who attends has what is committed before the writer is answered, and together with what it reads
//! like anyone else everything once and in order.

use std::sync::Arc;

use futures_util::FutureExt as _;
use parking_lot::Mutex;

use super::*;

/// Takes everything but each fifth position; what it took and when it was told to wake others.
#[derive(Clone, Default)]
struct Taking {
    got: Arc<Mutex<Vec<u64>>>,
    woken: Arc<Mutex<usize>>,
}

impl Attendant for Taking {
    fn take(&mut self, entries: &[Arc<Entry>]) -> usize {
        let its = |entry: &&Arc<Entry>| !entry.position.get().is_multiple_of(5);
        let taken = entries.iter().take_while(its);
        let positions: Vec<u64> = taken.map(|entry| entry.position.get()).collect();
        let count = positions.len();
        self.got.lock().extend(positions);
        count
    }

    fn wake(&mut self) {
        *self.woken.lock() += 1;
    }
}

#[tokio::test]
async fn the_attendant_has_it_before_the_writer_is_answered() {
    let (_folder, store) = open();
    let mut reader = store.subscribe(Position::ZERO);
    let taking = Taking::default();
    let mut attending = Box::pin(reader.attend(taking.clone()));
    assert!(attending.as_mut().now_or_never().is_none(), "it waits");
    append(&store, 1).await;
    assert_eq!(*taking.got.lock(), [1]);
    append(&store, 2).await;
    assert_eq!(*taking.got.lock(), [1, 2, 3]);
    assert!(attending.as_mut().now_or_never().is_none(), "it goes on");
    // What it cannot take ends its attendance, and is read like anything else.
    append(&store, 4).await;
    assert_eq!(*taking.got.lock(), [1, 2, 3, 4]);
    assert!(*taking.woken.lock() > 0);
    attending.await.unwrap();
    assert_eq!(reader.position(), position(4));
    read_until(&mut reader, position(7)).await;
}

#[tokio::test]
async fn one_who_comes_and_goes_misses_nothing() {
    let (_folder, store) = open();
    let taking = Taking::default();
    let mut reader = store.subscribe(Position::ZERO);
    let all = taking.clone();
    let reading = tokio::spawn(async move {
        loop {
            if reader.attend(all.clone()).await.is_err() {
                return;
            }
            let Ok(entries) = reader.next().await else { return };
            all.got.lock().extend(entries.iter().map(|entry| entry.position.get()));
        }
    });
    for _ in 0..100 {
        append(&store, 3).await;
    }
    store.close().await;
    tokio::time::timeout(Duration::from_secs(10), reading).await.unwrap().unwrap();
    assert_eq!(*taking.got.lock(), (1..=300).collect::<Vec<u64>>());
}

#[tokio::test]
async fn one_who_gives_up_is_not_asked_again() {
    let (_folder, store) = open();
    let mut reader = store.subscribe(Position::ZERO);
    let taking = Taking::default();
    assert!(reader.attend(taking.clone()).now_or_never().is_none());
    append(&store, 2).await;
    assert!(taking.got.lock().is_empty());
    read_until(&mut reader, position(2)).await;
}

#[tokio::test]
async fn messages_wait_a_little_for_who_reads_news() {
    let (_folder, store) = open();
    let mut reader = store.subscribe_to_news(Position::ZERO);
    append_one_of_each(&store).await;
    let last = one_of_each().len() as u64;
    read_until(&mut reader, position(last)).await;
    write(&store, move |tx| {
        let message = message(9, Author::Visitor, "还在吗？");
        insert_message(tx, &message)?;
        tx.append(message_event(message, None, None)).map(|_| ())
    })
    .await;
    // Nothing but a message: it comes all the same.
    read_until(&mut reader, position(last + 1)).await;
}
