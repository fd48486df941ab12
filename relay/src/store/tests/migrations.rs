//! Migrations: a copy first, all or nothing, and never a guess about a database we do not know.

use super::super::migrations::{MIGRATIONS, Migration, apply_all};
use super::*;

const NEXT: Migration = Migration {
    number: 1_000,
    name: "1000_next",
    sql: "CREATE TABLE next (id TEXT NOT NULL PRIMARY KEY); DELETE FROM command_outcomes;",
};
const BROKEN: Migration = Migration {
    number: 1_001,
    name: "1001_broken",
    sql: "CREATE TABLE half (id TEXT); CREATE TABLE half (id TEXT);",
};

fn migrate(folder: &Path, extra: &[Migration]) -> Result<(), OpenError> {
    let folder = Folder::lock(folder)?;
    let mut connection = connection::open_writer(&folder.database())?;
    let known: Vec<Migration> = MIGRATIONS.iter().chain(extra).copied().collect();
    apply_all(&mut connection, &folder, Timestamp::default(), &known)
}

fn count(database: &Path, sql: &str) -> i64 {
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

async fn used_folder() -> TempDir {
    let bench = Bench::open();
    bench.keep("one").await.unwrap();
    bench.store.close().await;
    bench.folder
}

#[test]
fn numbers_and_names_go_up_without_a_gap() {
    for (index, migration) in MIGRATIONS.iter().enumerate() {
        assert_eq!(migration.number, index as i64 + 1);
        assert!(migration.name.starts_with(&format!("{:04}_", migration.number)));
    }
}

#[tokio::test]
async fn a_new_database_needs_no_copy() {
    let folder = used_folder().await;
    assert!(!folder.path().join("backups").exists());
}

#[tokio::test]
async fn an_existing_database_is_copied_before_it_changes() {
    let folder = used_folder().await;
    migrate(folder.path(), &[NEXT]).unwrap();
    let database = folder.path().join("yingke.db");
    let backup = folder.path().join("backups/before-1000.db");
    let rows = "SELECT count(*) FROM command_outcomes";
    assert_eq!(count(&database, rows), 0);
    assert_eq!(count(&backup, rows), 1);
    assert_eq!(count(&backup, "SELECT count(*) FROM sqlite_schema WHERE name = 'next'"), 0);
    // Put back, the copy is a database like any other.
    std::fs::copy(&backup, &database).unwrap();
    let store = Store::open(folder.path(), &RealWorld).unwrap();
    assert_eq!(store.head().1.get(), 1);
}

#[tokio::test]
async fn a_failing_migration_leaves_the_steps_before_it_and_nothing_of_itself() {
    let folder = used_folder().await;
    let failed = migrate(folder.path(), &[NEXT, BROKEN]).unwrap_err();
    assert!(matches!(failed, OpenError::Migration { number: 1_001, .. }), "{failed}");
    let database = folder.path().join("yingke.db");
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('next', 'half')";
    assert_eq!(count(&database, tables), 1);
    assert_eq!(count(&database, "SELECT max(number) FROM schema_migrations"), 1_000);
    // Tried again with a repaired step, it goes on from there.
    let repaired = Migration { sql: "CREATE TABLE half (id TEXT)", ..BROKEN };
    migrate(folder.path(), &[NEXT, repaired]).unwrap();
    assert_eq!(count(&database, tables), 2);
}

#[tokio::test]
async fn a_database_from_a_newer_version_is_refused_politely() {
    let folder = used_folder().await;
    migrate(folder.path(), &[NEXT]).unwrap();
    let refused = Store::open(folder.path(), &RealWorld).err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 1_000, .. }), "{refused}");
    assert!(refused.to_string().contains("newer version"), "{refused}");
}

#[tokio::test]
async fn another_programs_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = rusqlite::Connection::open(folder.path().join("yingke.db")).unwrap();
    other.execute_batch("CREATE TABLE theirs (id TEXT)").unwrap();
    drop(other);
    let refused = Store::open(folder.path(), &RealWorld).err().unwrap();
    assert!(matches!(refused, OpenError::Foreign(_)), "{refused}");

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("yingke.db"), "this is not a database at all").unwrap();
    let refused = Store::open(folder.path(), &RealWorld).err().unwrap();
    assert!(matches!(refused, OpenError::Foreign(_)), "{refused}");
}
