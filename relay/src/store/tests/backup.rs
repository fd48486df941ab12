//! Backup beside an open store, restore, and what either refuses. Each refusal was once seen to fail
//! by taking its check away.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::store::{BackupError, backup, check, is_begun, restore};

impl Bench {
    fn data(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

fn put_aside(scratch: &TempDir, name: &str) -> PathBuf {
    scratch.path().join(name)
}

#[tokio::test]
async fn a_backup_beside_an_open_store_is_whole_and_comes_back_as_another_history() {
    let bench = Bench::open();
    let scratch = tempfile::tempdir().unwrap();
    bench.keep("one").await.unwrap();
    let to = put_aside(&scratch, "monday");
    let manifest = backup(&bench.data(), &to, &RealWorld).unwrap();
    assert_eq!((manifest.epoch.clone(), manifest.position), bench.store.head());
    bench.keep("later").await.unwrap();
    let mut names: Vec<_> =
        fs::read_dir(&to).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["manifest.json", "yingke.db"]);
    let beside: Vec<_> = fs::read_dir(scratch.path()).unwrap().collect();
    assert_eq!(beside.len(), 1, "nothing else is left: {beside:?}");
    assert!(check(&to).unwrap().findings.is_empty(), "a backup can be checked where it is");
    let refused = restore(&to, &to, true, &RealWorld).unwrap_err();
    assert!(matches!(refused, BackupError::Itself(_)), "{refused}");

    let refused = restore(&to, &bench.data(), true, &RealWorld).unwrap_err();
    assert!(matches!(refused, BackupError::Open(OpenError::InUse { .. })), "{refused}");
    let epoch = bench.store.head().0;
    bench.store.close().await;
    let Bench { folder, store } = bench;
    drop(store);
    let refused = restore(&to, folder.path(), false, &RealWorld).unwrap_err();
    assert!(matches!(refused, BackupError::NotEmpty(_)), "{refused}");
    let done = restore(&to, folder.path(), true, &RealWorld).unwrap();
    let store = Store::open(folder.path(), &RealWorld).unwrap();
    let bench = Bench { folder, store };
    assert_eq!(bench.kept().await, ["one"]);
    assert_ne!(bench.store.head().0, epoch, "clients must notice");
    assert!(check(&bench.data()).unwrap().findings.is_empty());
    let renewed = bench.store.head().0;
    let bench = bench.restart().await;
    assert_eq!(bench.store.head().0, renewed, "once is enough");

    // What was replaced is whole too.
    let old = Store::open(&done.replaced.unwrap(), &RealWorld).unwrap();
    let old = Bench { folder: tempfile::tempdir().unwrap(), store: old };
    assert_eq!(old.kept().await, ["later", "one"]);
    old.store.close().await;
}

#[tokio::test]
async fn a_new_folder_takes_a_backup_without_a_word() {
    let bench = Bench::open();
    let scratch = tempfile::tempdir().unwrap();
    bench.keep("one").await.unwrap();
    let (to, new) = (put_aside(&scratch, "b"), put_aside(&scratch, "data"));
    backup(&bench.data(), &to, &RealWorld).unwrap();
    assert_eq!(restore(&to, &new, false, &RealWorld).unwrap().replaced, None);
    let store = Store::open(&new, &RealWorld).unwrap();
    assert_ne!(store.head().0, bench.store.head().0);
    assert_eq!(store.head().1, bench.store.head().1);
    store.close().await;
}

#[tokio::test]
async fn a_target_that_is_there_is_not_touched_and_a_killed_backup_is_cleared_away() {
    let bench = Bench::open();
    let scratch = tempfile::tempdir().unwrap();
    let to = put_aside(&scratch, "b");
    fs::create_dir(&to).unwrap();
    fs::write(to.join("mine"), "mine").unwrap();
    let refused = backup(&bench.data(), &to, &RealWorld).unwrap_err();
    assert!(matches!(refused, BackupError::TargetExists(_)), "{refused}");
    assert_eq!(fs::read(to.join("mine")).unwrap(), b"mine");

    // As a killed one leaves it: no manifest, half a database, under a name of its own.
    let (to, partial) = (put_aside(&scratch, "c"), put_aside(&scratch, "c.partial"));
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("yingke.db"), "half").unwrap();
    let refused = restore(&partial, &put_aside(&scratch, "d"), false, &RealWorld).unwrap_err();
    assert!(matches!(refused, BackupError::NoManifest(_)), "{refused}");
    backup(&bench.data(), &to, &RealWorld).unwrap();
    assert!(!partial.exists());
}

#[tokio::test]
async fn a_changed_backup_is_refused_and_nothing_was_touched() {
    let bench = Bench::open();
    let scratch = tempfile::tempdir().unwrap();
    bench.keep("one").await.unwrap();
    let to = put_aside(&scratch, "b");
    backup(&bench.data(), &to, &RealWorld).unwrap();
    let mut bytes = fs::read(to.join("yingke.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(to.join("yingke.db"), bytes).unwrap();
    let bench = bench.restart().await;
    bench.store.close().await;
    let Bench { folder, store } = bench;
    drop(store);
    let refused = restore(&to, folder.path(), true, &RealWorld).unwrap_err();
    assert!(matches!(refused, BackupError::Sum(_)), "{refused}");
    let store = Store::open(folder.path(), &RealWorld).unwrap();
    let bench = Bench { folder, store };
    assert_eq!(bench.kept().await, ["one"]);
}

#[tokio::test]
async fn a_database_that_was_moved_away_is_not_begun_anew() {
    let bench = Bench::open();
    bench.keep("one").await.unwrap();
    bench.store.close().await;
    let Bench { folder, store } = bench;
    drop(store);
    fs::rename(folder.path().join("yingke.db"), folder.path().join("away.db")).unwrap();
    let refused = Store::open(folder.path(), &RealWorld).err().unwrap();
    assert!(matches!(refused, OpenError::Damaged(_)), "{refused}");
    assert!(!is_begun(folder.path()), "nothing was begun in its place");
}

/// A message whose row has another sum than it was given, beside a sound one.
fn damage_a_message(bench: &Bench) {
    let database = rusqlite::Connection::open(bench.data().join("yingke.db")).unwrap();
    database
        .execute_batch(
            "INSERT INTO messages (conversation_id, seq, actor_id, client_id, author, content,
                                   is_notice, at, visitor_count, sum)
             VALUES ('c1', 7, 'vera', 'm1', 'visitor', 'secret words', 0, 1, 1, 4711),
                    ('c1', 8, 'vera', 'm2', 'visitor', 'secret words', 0, 1, 1, 0)",
        )
        .unwrap();
}

/// It refused every backup, for ever, of exactly that data of which a copy is needed most.
#[tokio::test]
async fn damaged_data_is_backed_up_and_restored_and_each_says_so() {
    let bench = Bench::open();
    let scratch = tempfile::tempdir().unwrap();
    bench.keep("one").await.unwrap();
    damage_a_message(&bench);
    let (to, new) = (put_aside(&scratch, "b"), put_aside(&scratch, "data"));
    let manifest = backup(&bench.data(), &to, &RealWorld).unwrap();
    assert_eq!(manifest.messages, 2);
    let found = check(&bench.data()).unwrap().findings;
    let named: Vec<_> = manifest.damaged.iter().map(|it| (&it.what, it.count)).collect();
    let expected: Vec<_> = found.iter().map(|it| (&it.what, it.count)).collect();
    assert_eq!(named, expected);
    let message = manifest.damaged.iter().find(|it| it.what.starts_with("a message is not"));
    assert_eq!(message.unwrap().places, ["c1 7"]);

    let done = restore(&to, &new, false, &RealWorld).unwrap();
    assert_eq!(done.manifest, manifest);
    let store = Store::open(&new, &RealWorld).unwrap();
    let restored = Bench { folder: tempfile::tempdir().unwrap(), store };
    assert_eq!(restored.kept().await, ["one"]);
    restored.store.close().await;
}

/// Damage that the manifest does not name is none that the data had.
#[tokio::test]
async fn a_backup_with_other_damage_than_it_names_is_refused() {
    let bench = Bench::open();
    let scratch = tempfile::tempdir().unwrap();
    bench.keep("one").await.unwrap();
    damage_a_message(&bench);
    let (to, new) = (put_aside(&scratch, "b"), put_aside(&scratch, "data"));
    backup(&bench.data(), &to, &RealWorld).unwrap();
    let path = to.join("manifest.json");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["damaged"] = serde_json::json!([]);
    fs::write(&path, manifest.to_string()).unwrap();
    let refused = restore(&to, &new, false, &RealWorld).unwrap_err();
    assert!(matches!(refused, BackupError::Unsound(_)), "{refused}");
    assert!(!new.join("yingke.db").exists());
}

/// What stands behind the damage is lost when the log is folded in: a backup that does it says so.
#[tokio::test]
async fn a_broken_write_ahead_log_is_named() {
    let bench = Bench::open();
    let scratch = tempfile::tempdir().unwrap();
    let data = put_aside(&scratch, "data");
    fs::create_dir(&data).unwrap();
    // The schema is in the database by then.
    let bench = bench.restart().await;
    for text in ["one", "two", "three", "four"] {
        bench.keep(text).await.unwrap();
    }
    for name in ["yingke.db", "yingke.db-wal", "boot.json"] {
        fs::copy(bench.data().join(name), data.join(name)).unwrap();
    }
    let wal = data.join("yingke.db-wal");
    let mut bytes = fs::read(&wal).unwrap();
    bytes[32 + 24 + 4_000] ^= 1;
    fs::write(&wal, bytes).unwrap();
    let manifest = backup(&data, &put_aside(&scratch, "b"), &RealWorld).unwrap();
    let named: Vec<_> = manifest.damaged.iter().map(|it| it.what.as_str()).collect();
    assert!(named.first().is_some_and(|it| it.starts_with("the write-ahead log")), "{named:?}");
}

/// A page that makes no sense: what the engine reads of it is an error, a copy has it as it is.
#[tokio::test]
async fn a_damaged_page_is_backed_up_as_it_is() {
    let bench = Bench::open();
    let scratch = tempfile::tempdir().unwrap();
    for number in 0..200 {
        bench.keep(&format!("{number} {}", "x".repeat(200))).await.unwrap();
    }
    bench.store.close().await;
    let database = bench.data().join("yingke.db");
    let root: i64 = {
        let connection = rusqlite::Connection::open(&database).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'messages'";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let mut bytes = fs::read(&database).unwrap();
    bytes[usize::try_from(root - 1).unwrap() * 4_096] = 77;
    fs::write(&database, bytes).unwrap();
    let (to, new) = (put_aside(&scratch, "b"), put_aside(&scratch, "data"));
    let manifest = backup(&bench.data(), &to, &RealWorld).unwrap();
    assert!(manifest.damaged.iter().any(|it| it.what.contains("structure")), "{manifest:?}");
    let done = restore(&to, &new, false, &RealWorld).unwrap();
    assert_eq!(done.manifest.damaged, manifest.damaged);
}

/// The real world at one moment, so that the name of what is moved aside is known.
struct Standing;

impl World for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(7).unwrap()
    }

    fn new_id(&self) -> String {
        RealWorld.new_id()
    }

    fn new_secret(&self) -> String {
        RealWorld.new_secret()
    }
}

/// Once made to fail by moving the database away before its log: the next start found a log without a
/// database, and the engine deletes such a one.
#[tokio::test]
async fn a_restore_that_cannot_move_the_old_data_aside_leaves_it_whole() {
    let bench = Bench::open();
    let scratch = tempfile::tempdir().unwrap();
    bench.keep("one").await.unwrap();
    let to = put_aside(&scratch, "b");
    backup(&bench.data(), &to, &RealWorld).unwrap();
    bench.keep("two").await.unwrap();
    // As a killed relay leaves it: the newest is in the write-ahead log alone.
    let data = put_aside(&scratch, "data");
    fs::create_dir(&data).unwrap();
    for name in ["yingke.db", "yingke.db-wal", "boot.json"] {
        fs::copy(bench.data().join(name), data.join(name)).unwrap();
    }
    let obstacle = data.join("replaced-7").join("yingke.db-wal");
    fs::create_dir_all(&obstacle).unwrap();
    let refused = restore(&to, &data, true, &Standing).unwrap_err();
    assert!(matches!(refused, BackupError::Open(OpenError::File { .. })), "{refused}");
    let store = Store::open(&data, &RealWorld).unwrap();
    let left = Bench { folder: tempfile::tempdir().unwrap(), store };
    assert_eq!(left.kept().await, ["one", "two"]);
    left.store.close().await;
    drop(left);

    fs::remove_dir(&obstacle).unwrap();
    for name in ["yingke.db", "yingke.db-wal", "boot.json"] {
        fs::copy(bench.data().join(name), data.join(name)).unwrap();
    }
    let done = restore(&to, &data, true, &Standing).unwrap();
    assert!(!data.join("yingke.db-wal").exists(), "it would be played into the new database");
    let old = Store::open(&done.replaced.unwrap(), &RealWorld).unwrap();
    let old = Bench { folder: tempfile::tempdir().unwrap(), store: old };
    assert_eq!(old.kept().await, ["one", "two"]);
    old.store.close().await;
}
