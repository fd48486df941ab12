//! What the cache forgets, and what that costs.

use super::*;
use crate::replica::tests::{message, record};

fn opened(folder: &Path) -> Cache {
    Cache::open(&Shelf::Disk, folder).unwrap().0
}

fn past(name: &str, rev: u64) -> ConversationRecord {
    ConversationRecord { rev: Position::new(rev).unwrap(), ..record(name) }
}

fn count(cache: &Cache, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    cache.db.query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_conversation_that_goes_takes_what_is_its_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(folder.path());
    let most = PAST_CONVERSATIONS_MAX as u64;
    for n in 1..=most + 3 {
        let record = past(&format!("c{n}"), n);
        let id = record.id.clone();
        let messages = (1..=2).map(|seq| (id.clone(), message(seq, seq, None))).collect();
        let marks = vec![(id, KeptMarks::default())];
        let conversations = vec![(record, false)];
        let write = CacheWrite { conversations, messages, marks, ..CacheWrite::default() };
        cache.write(&write).unwrap();
    }
    let most = i64::try_from(most).unwrap();
    let counts = ["conversations", "messages", "marks"].map(|table| count(&cache, table));
    assert_eq!(counts, [most, 2 * most, most]);
    let oldest = ids(&cache.db, "SELECT id FROM conversations ORDER BY rev LIMIT 1", []);
    assert_eq!(oldest.unwrap(), ["c4"]);
}

#[test]
fn a_page_of_a_forgotten_conversation_goes_with_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut cache = opened(folder.path());
    let stray = ConversationId::new("stray").unwrap();
    let kept = record("kept");
    let ids = [kept.id.clone(), stray];
    let messages = ids.into_iter().map(|id| (id, message(1, 1, None))).collect();
    let conversations = vec![(kept, true)];
    cache.write(&CacheWrite { conversations, messages, ..CacheWrite::default() }).unwrap();
    drop(cache);
    let cache = opened(folder.path());
    let left = super::ids(&cache.db, "SELECT conversation_id FROM messages", []).unwrap();
    assert_eq!(left, ["kept"]);
}

#[test]
fn what_runs_with_every_event_reads_no_table_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let cache = opened(folder.path());
    let sql = format!("EXPLAIN QUERY PLAN {PAST_TOO_MANY}");
    let mut query = cache.db.prepare(&sql).unwrap();
    let plan = query.query_map([200], |row| row.get::<_, String>("detail")).unwrap();
    let plan: Vec<String> = plan.collect::<Result<_, _>>().unwrap();
    assert_eq!(plan, ["SCAN conversations USING COVERING INDEX past_by_age"]);
}
