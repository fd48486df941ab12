//! Epoch and boot number: when clients must forget what they hold, and when they must not.

use std::path::{Path, PathBuf};

use super::*;
use crate::store::identity::{Beside, note_position, write_beside};

impl Bench {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn epoch(&self) -> Epoch {
        self.store.head().0
    }

    /// Stops the relay, does something to its folder, starts it again.
    async fn restart_after(self, change: impl FnOnce(&Path)) -> Self {
        self.store.close().await;
        let Self { folder, store } = self;
        drop(store);
        change(folder.path());
        let store = Store::open(folder.path(), &RealWorld).unwrap();
        Self { folder, store }
    }
}

fn copy(from: PathBuf, to: PathBuf) {
    std::fs::copy(from, to).unwrap();
}

#[tokio::test]
async fn a_restart_keeps_the_epoch() {
    let bench = Bench::open();
    let epoch = bench.epoch();
    bench.keep("one").await.unwrap();
    let bench = bench.restart().await.restart().await;
    assert_eq!(bench.epoch(), epoch);
}

#[tokio::test]
async fn a_copy_from_an_earlier_boot_gets_a_new_epoch() {
    let bench = Bench::open();
    let epoch = bench.epoch();
    bench.keep("one").await.unwrap();
    let bench =
        bench.restart_after(|folder| copy(folder.join("yingke.db"), folder.join("copy.db"))).await;
    bench.keep("lost").await.unwrap();
    let bench =
        bench.restart_after(|folder| copy(folder.join("copy.db"), folder.join("yingke.db"))).await;
    assert_ne!(bench.epoch(), epoch);
    assert_eq!(bench.kept().await, ["one"]);
    let renewed = bench.epoch();
    assert_eq!(bench.restart().await.epoch(), renewed, "once is enough");
}

#[tokio::test]
async fn a_copy_made_while_running_and_put_back_after_this_boot_gets_a_new_epoch() {
    let bench = Bench::open();
    let epoch = bench.epoch();
    bench.keep("one").await.unwrap();
    let target = bench.file("copy.db");
    let copy_of_now = rusqlite::Connection::open(bench.file("yingke.db")).unwrap();
    copy_of_now.execute("VACUUM INTO ?1", [target.to_str().unwrap()]).unwrap();
    drop(copy_of_now);
    bench.keep("lost").await.unwrap();
    let bench =
        bench.restart_after(|folder| copy(folder.join("copy.db"), folder.join("yingke.db"))).await;
    assert_ne!(bench.epoch(), epoch, "the boot is the same, the position is lower");
}

#[tokio::test]
async fn a_missing_or_broken_boot_file_is_no_restore() {
    let bench = Bench::open();
    let epoch = bench.epoch();
    let bench =
        bench.restart_after(|folder| std::fs::remove_file(folder.join("boot.json")).unwrap()).await;
    assert_eq!(bench.epoch(), epoch);
    let bench =
        bench.restart_after(|folder| std::fs::write(folder.join("boot.json"), "{").unwrap()).await;
    assert_eq!(bench.epoch(), epoch);
    assert!(bench.file("boot.json").metadata().unwrap().len() > 10, "written anew");
}

#[tokio::test]
async fn a_client_ahead_of_the_log_renews_the_epoch_once_a_boot() {
    let bench = Bench::open();
    let epoch = bench.epoch();
    bench.keep("one").await.unwrap();
    let renewed = bench.store.renew_epoch(&RealWorld).await.unwrap();
    assert_ne!(renewed, epoch);
    assert_eq!(bench.epoch(), renewed);
    assert_eq!(bench.store.renew_epoch(&RealWorld).await.unwrap(), renewed);
    let stored = bench.store.read("head", crate::events::head).await.unwrap();
    assert_eq!(stored, (renewed.clone(), Position::new(1).unwrap()));
    assert_eq!(bench.restart().await.epoch(), renewed);
}

#[tokio::test]
async fn a_new_epoch_that_was_not_stored_is_tried_again() {
    let bench = Bench::open();
    let epoch = bench.epoch();
    let execute = async |sql: &'static str| {
        let done = bench.store.write::<_, No, _>("trigger", |tx| Ok(tx.execute(sql, &[])?));
        done.await.unwrap();
    };
    execute(
        "CREATE TRIGGER full BEFORE UPDATE OF epoch ON log_head \
             BEGIN SELECT RAISE(ABORT, 'no space'); END",
    )
    .await;
    assert!(bench.store.renew_epoch(&RealWorld).await.is_err());
    assert_eq!(bench.epoch(), epoch);
    execute("DROP TRIGGER full").await;
    let renewed = bench.store.renew_epoch(&RealWorld).await.unwrap();
    assert_ne!(renewed, epoch);
    assert_eq!(bench.epoch(), renewed);
}

#[tokio::test]
async fn a_log_that_contradicts_its_counter_is_right_and_gets_a_new_epoch() {
    for damage in ["position = 7", "position = -1", "position = 0", "boot = -1"] {
        let bench = Bench::open();
        let epoch = bench.epoch();
        bench.keep("one").await.unwrap();
        let bench = bench
            .restart_after(|folder| {
                let database = rusqlite::Connection::open(folder.join("yingke.db")).unwrap();
                database.execute(&format!("UPDATE log_head SET {damage}"), []).unwrap();
            })
            .await;
        assert_ne!(bench.epoch(), epoch, "{damage}");
        assert_eq!(bench.keep("two").await.unwrap().get(), 2, "{damage}");
        assert_eq!(bench.kept().await, ["one", "two"]);
        let renewed = bench.epoch();
        assert_eq!(bench.restart().await.epoch(), renewed, "{damage}: once is enough");
    }
}

/// Once made to fail by two threads writing the file at once: the next start took the data for restored.
#[test]
fn a_position_noted_beside_a_new_epoch_does_not_bring_the_old_one_back() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = Folder::lock(scratch.path()).unwrap();
    let [old, new] = ["old", "new"].map(|name| Epoch::new(name).unwrap());
    let position = |number| Position::new(number).unwrap();
    let beside = |epoch: &Epoch, at| Beside { epoch: epoch.clone(), boot: 1, position: at };
    for number in 1..=100 {
        write_beside(&folder, &beside(&old, Position::ZERO)).unwrap();
        std::thread::scope(|scope| {
            let noted = scope.spawn(|| note_position(&folder, &old, position(number)));
            write_beside(&folder, &beside(&new, position(7))).unwrap();
            noted.join().unwrap().unwrap();
        });
        let bytes = std::fs::read(folder.boot_file()).unwrap();
        let left: Beside = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(left, beside(&new, position(7)), "round {number}");
    }
}
