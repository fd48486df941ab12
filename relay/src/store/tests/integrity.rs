//! Each rule of the check finds what breaks it, and names the place; sound data breaks none.

use std::path::Path;

use super::*;
use crate::store::{backup, check, restore};

/// Two conversations as the rooms would have written them.
const SOUND: &str = "
INSERT INTO agents (id, account, account_key, nickname, role, password_hash, capacity, availability,
                    created_at)
    VALUES ('ana', 'ana', 'ana', 'Ana', 'agent', '', 8, 'online', 1);
INSERT INTO sites (id, name, created_at) VALUES ('tea', 'Tea', 1);
INSERT INTO visitors (id, site_id, created_at) VALUES ('vera', 'tea', 1), ('viktor', 'tea', 1);
INSERT INTO conversations (id, site_id, visitor_id, state, agent_id, started_at, started_position)
    VALUES ('c1', 'tea', 'vera', 'serving', 'ana', 1, 1),
           ('c2', 'tea', 'viktor', 'waiting', NULL, 1, 5);
INSERT INTO messages (conversation_id, seq, actor_id, client_id, author, content, is_notice, at,
                      visitor_count)
    VALUES ('c1', 1, 'system', 'n1', 'system', '{}', 1, 1, 0),
           ('c1', 2, 'vera', 'm1', 'visitor', 'secret words', 0, 1, 1),
           ('c1', 3, 'ana', 'm2', 'agent', 'secret words', 0, 1, 1),
           ('c2', 1, 'viktor', 'm3', 'visitor', 'secret words', 0, 1, 1);
INSERT INTO events (position, at, kind, conversation_id, seq)
    VALUES (1, 1, 'conversation_started', 'c1', NULL), (2, 1, 'message_appended', 'c1', 1),
           (3, 1, 'message_appended', 'c1', 2), (4, 1, 'message_appended', 'c1', 3),
           (5, 1, 'conversation_started', 'c2', NULL), (6, 1, 'message_appended', 'c2', 1);
INSERT INTO marks (conversation_id, reader_id, delivered, read) VALUES ('c1', 'ana', 3, 2);
UPDATE log_head SET position = 6;
";

async fn data_with(statements: &[&str]) -> TempDir {
    let bench = Bench::open();
    bench.store.close().await;
    let Bench { folder, store } = bench;
    drop(store);
    let database = rusqlite::Connection::open(folder.path().join("yingke.db")).unwrap();
    for statement in statements {
        database.execute_batch(statement).unwrap();
    }
    folder
}

fn findings(data: &Path) -> Vec<String> {
    let report = check(data).unwrap();
    report.findings.iter().map(|found| format!("{}: {:?}", found.what, found.places)).collect()
}

#[tokio::test]
async fn sound_data_breaks_no_rule() {
    let data = data_with(&[SOUND]).await;
    assert_eq!(findings(data.path()), Vec::<String>::new());
    let report = check(data.path()).unwrap();
    assert_eq!((report.messages, report.position.get()), (4, 6));
}

#[tokio::test]
async fn every_rule_finds_what_breaks_it() {
    let cases: &[(&str, &str)] = &[
        ("DELETE FROM log_head", "head is not one row"),
        ("UPDATE log_head SET position = 5", "not where its head says: [\"5\"]"),
        ("DELETE FROM events WHERE position = 3", "hole before these positions: [\"4\"]"),
        ("UPDATE events SET kind = 'massage_appended' WHERE position = 4", "not know"),
        ("UPDATE events SET body = '{' WHERE position = 1", "not readable: [\"1\"]"),
        ("UPDATE events SET conversation_id = 'c9' WHERE position = 5", "about a conversation"),
        ("DELETE FROM messages WHERE client_id = 'm2'", "about a message that is not there"),
        ("UPDATE messages SET position = 9 WHERE client_id = 'm2'", "another event's: [\"4\"]"),
        ("UPDATE events SET seq = 3 WHERE position = 3", "in their order"),
        (
            "UPDATE events SET kind = 'visitor_marked', seq = NULL WHERE position = 6",
            "does not tell of: [\"c2\"]",
        ),
        ("UPDATE messages SET seq = 9 WHERE client_id = 'm2'", "without holes: [\"c1\"]"),
        ("UPDATE messages SET visitor_count = 7 WHERE client_id = 'm1'", "count is not"),
        ("UPDATE messages SET author = 'vusitor' WHERE client_id = 'm1'", "[\"c1 2\""),
        ("UPDATE messages SET content = '{' WHERE client_id = 'n1'", "[\"c1 1\"]"),
        ("UPDATE messages SET conversation_id = 'c9' WHERE client_id = 'm3'", "[\"c9\"]"),
        ("UPDATE messages SET actor_id = 'vara' WHERE client_id = 'm1'", "not of the conversation"),
        ("UPDATE conversations SET agent_id = NULL WHERE id = 'c1'", "contradicts itself"),
        ("UPDATE conversations SET state = 'gone' WHERE id = 'c2'", "contradicts itself"),
        ("DELETE FROM visitors WHERE id = 'viktor'", "visitor, site or agent"),
        ("UPDATE conversations SET started_position = 4 WHERE id = 'c2'", "does not begin where"),
        ("UPDATE marks SET delivered = 9", "beyond its conversation's end"),
        ("UPDATE agents SET role = 'king'", "role or availability"),
        (
            "INSERT INTO staff_sessions VALUES ('t', 'nobody', 1, 1)",
            "account that is not there: [\"nobody\"]",
        ),
        ("UPDATE sites SET domains = '['", "domains are not readable: [\"tea\"]"),
        ("INSERT INTO visitor_tokens VALUES ('t', 'nobody', 1)", "visitor's secret"),
        ("UPDATE log_head SET boot = 0", "a copy was put in its place"),
        ("INSERT INTO schema_migrations VALUES (9999, 'later', 1)", "schema is number 9999"),
    ];
    for (damage, expected) in cases {
        let data = data_with(&[SOUND, damage]).await;
        let found = findings(data.path());
        assert!(found.iter().any(|line| line.contains(expected)), "{damage}: {found:?}");
        assert!(!format!("{found:?}").contains("secret words"), "{damage}: {found:?}");
    }
}

/// Data in which the page that says where the marks are makes no sense.
async fn data_without_marks() -> TempDir {
    let data = data_with(&[SOUND]).await;
    let path = data.path().join("yingke.db");
    let root = rusqlite::Connection::open(&path).unwrap().query_row(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'marks'",
        [],
        |row| row.get::<_, u32>(0),
    );
    let mut bytes = std::fs::read(&path).unwrap();
    // The head of a page that nothing reads at a start: what kind it is and how much it holds.
    let page = (root.unwrap() as usize - 1) * 4_096;
    bytes[page..page + 12].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    data
}

const MARKS: &str = "SELECT count(*) FROM marks";

/// A write that meets the page fails alone, and a read that goes on without it has the rest. (The
/// engine refuses to commit after such a page, whoever met it.)
#[tokio::test]
async fn a_damaged_page_is_found_and_costs_what_stands_in_it() {
    let folder = data_without_marks().await;
    assert!(findings(folder.path()).iter().any(|line| line.contains("structure")));
    let store = Store::open(folder.path(), &RealWorld).unwrap();
    let bench = Bench { folder, store };
    let (release, held) = bench.hold().await;
    let store = bench.store.clone();
    let met = tokio::spawn(async move {
        let meet = |tx: &mut WriteTx<'_>| -> Result<_, Abort<No>> {
            keep_in(tx, "met")?;
            Ok(tx.query_one(MARKS, &[], |row| row.int(0))?)
        };
        store.write("meet", meet).await
    });
    tokio::task::yield_now().await;
    let kept = bench.keep("kept");
    let (kept, ()) = tokio::join!(kept, async {
        drop(release);
        held.await.unwrap();
    });
    assert_eq!(kept.unwrap().get(), 7);
    assert!(matches!(met.await.unwrap(), Err(WriteError::Failed(_))));
    assert!(!bench.store.has_failed());
    let read = bench.store.read("around it", |tx| {
        let marks = tx.query_one(MARKS, &[], |row| row.int(0));
        assert!(marks.is_err_and(|error| error.is_lasting()));
        tx.query_one("SELECT count(*) FROM messages", &[], |row| row.int(0))
    });
    assert_eq!(read.await.unwrap(), Some(4));
    assert_eq!(bench.kept().await, ["kept"]);
}

/// Two tables that own one page write into each other's rows.
#[tokio::test]
async fn a_start_refuses_a_structure_in_which_writing_does_harm() {
    let shared = "PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'sites')
        WHERE name = 'visitors'";
    let data = data_with(&[SOUND, shared]).await;
    let refused = Store::open(data.path(), &RealWorld).err().unwrap();
    assert!(matches!(refused, OpenError::Damaged(_)), "{refused}");
}

/// What is there is served; clients ask for it anew, and offer what they have.
#[tokio::test]
async fn a_log_whose_end_is_not_whole_gets_a_new_epoch() {
    let epoch_of = async |data: &Path| {
        let store = Store::open(data, &RealWorld).unwrap();
        store.close().await;
        store.head().0
    };
    for damage in
        ["DELETE FROM events WHERE position = 5", "DELETE FROM messages WHERE client_id = 'm3'"]
    {
        let data = data_with(&[SOUND]).await;
        let epoch = epoch_of(data.path()).await;
        assert_eq!(epoch_of(data.path()).await, epoch);
        let database = rusqlite::Connection::open(data.path().join("yingke.db")).unwrap();
        database.execute_batch(damage).unwrap();
        drop(database);
        assert_ne!(epoch_of(data.path()).await, epoch, "{damage}");
    }
}

/// Data in which the count of unused bytes of the page with the agents is wrong: nothing is lost, but the
/// engine would not write there.
async fn data_with_a_wrong_count() -> TempDir {
    let data = data_with(&[SOUND]).await;
    let path = data.path().join("yingke.db");
    let root = rusqlite::Connection::open(&path).unwrap().query_row(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'agents'",
        [],
        |row| row.get::<_, u32>(0),
    );
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(root.unwrap() as usize - 1) * 4_096 + 7] ^= 1 << 4;
    std::fs::write(&path, bytes).unwrap();
    data
}

fn kept_of_damage(data: &Path) -> usize {
    let held = std::fs::read_dir(data).unwrap();
    let names = held.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("yingke.db.damaged-")).count()
}

/// Made to fail by a start that refused whatever is not a lost page.
#[tokio::test]
async fn a_structure_that_contradicts_itself_is_built_anew_and_the_damaged_one_is_kept() {
    let data = data_with_a_wrong_count().await;
    assert!(findings(data.path()).iter().any(|line| line.contains("structure")));
    let store = Store::open(data.path(), &RealWorld).unwrap();
    let bench = Bench { folder: data, store };
    let renamed = bench.store.write("rename", |tx| -> Result<_, Abort<No>> {
        Ok(tx.execute("UPDATE agents SET nickname = 'Anna' WHERE id = 'ana'", &[])?)
    });
    assert_eq!(renamed.await.unwrap(), 1);
    assert_eq!(bench.keep("kept").await.unwrap().get(), 7);
    let bench = bench.restart().await;
    assert_eq!(bench.kept().await, ["kept"]);
    let data = bench.folder.path();
    assert_eq!(kept_of_damage(data), 1, "once is enough");
    assert!(!findings(data).iter().any(|line| line.contains("structure")));
    assert!(!data.join("yingke.db.rebuilt").exists());
}

/// A backup has the damage as it is; what is restored from it is whole again.
#[tokio::test]
async fn a_backup_of_such_a_structure_is_built_anew_when_it_is_restored() {
    let data = data_with_a_wrong_count().await;
    let scratch = tempfile::tempdir().unwrap();
    let (to, new) = (scratch.path().join("backup"), scratch.path().join("new"));
    let made = backup(data.path(), &to, &RealWorld).unwrap();
    assert!(made.damaged.iter().any(|damage| damage.what.contains("structure")), "{made:?}");
    restore(&to, &new, false, &RealWorld).unwrap();
    assert_eq!(findings(&new), Vec::<String>::new());
    assert_eq!(check(&new).unwrap().messages, 4);
    Store::open(&new, &RealWorld).unwrap().close().await;
    assert_eq!(kept_of_damage(&new), 0);
}

#[tokio::test]
async fn another_programs_file_is_not_checked() {
    let folder = tempfile::tempdir().unwrap();
    assert!(check(folder.path()).is_err(), "there is none");
    std::fs::write(folder.path().join("yingke.db"), "").unwrap();
    assert!(matches!(check(folder.path()), Err(OpenError::Foreign(_))));
    std::fs::write(folder.path().join("yingke.db"), "not a database at all, but long").unwrap();
    assert!(matches!(check(folder.path()), Err(OpenError::Foreign(_))));
}
