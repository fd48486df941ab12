//! Both files: what is written is read back, what is newer is refused, what is broken is dropped
//! (the cache) or kept (the outbox).

use std::path::Path;

use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::ResumePoint;
use yingke_shared::ids::{AgentId, ClientId, ConversationId, Epoch, Position, Seq};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{ConversationRecord, Message, Note};

use super::Shelf;
use super::StoreError;
use super::cache::{Cache, CacheWrite, KeptMarks, Reset, Tail};
use super::outbox::{NewMessage, OutboxFile, Reoffer};
use crate::outbox::{Change, Standing, StoredMessage};
use crate::replica::tests::{message, record, snapshot};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn lane(name: &str) -> ConversationId {
    ConversationId::new(name).unwrap()
}

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

fn place(epoch: &str, position: u64) -> ResumePoint {
    ResumePoint { epoch: Epoch::new(epoch).unwrap(), position: Position::new(position).unwrap() }
}

fn numbers(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.seq.get()).collect()
}

fn write_messages(cache: &mut Cache, name: &str, seqs: impl IntoIterator<Item = u64>) {
    let messages = seqs.into_iter().map(|n| (lane(name), message(n, n, None))).collect();
    cache.write(&CacheWrite { messages, ..CacheWrite::default() }).unwrap();
}

#[test]
fn the_cache_reads_back_what_was_written_with_its_position() {
    let folder = tempfile::tempdir().unwrap();
    let (mut cache, contents) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    assert_eq!(contents.place, None);
    let kept = KeptMarks { read: Default::default(), delivered: seq(3) };
    cache
        .write(&CacheWrite {
            place: Some(place("e1", 7)),
            conversations: vec![(record("a"), true), (record("b"), false)],
            messages: vec![(lane("a"), message(1, 1, None))],
            marks: vec![(lane("a"), kept)],
            ..CacheWrite::default()
        })
        .unwrap();
    drop(cache);
    let (_, contents) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    assert_eq!(contents.place, Some(place("e1", 7)));
    let held: Vec<(ConversationRecord, bool)> =
        contents.conversations.iter().map(|kept| (kept.record.clone(), kept.held)).collect();
    assert_eq!(held, [(record("a"), true), (record("b"), false)]);
    assert_eq!(contents.conversations[0].tail, Some(Tail { low: seq(1), high: seq(1) }));
    assert_eq!(contents.marks[&lane("a")], kept);
}

#[test]
fn pages_end_at_holes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut cache, _) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    write_messages(&mut cache, "a", (1..=10).chain(15..=30));
    write_messages(&mut cache, "b", [1]);
    for (before, limit, expected) in [
        (None, 5, (26..=30).collect::<Vec<_>>()),
        (None, 50, (15..=30).collect()),
        (Some(20), 3, (17..=19).collect()),
        (Some(15), 50, vec![]),
        (Some(11), 50, (1..=10).collect()),
        (Some(12), 50, vec![]),
        (Some(1), 50, vec![]),
    ] {
        let page = cache.page(&lane("a"), before.map(seq), limit).unwrap();
        assert_eq!(numbers(&page.messages), expected, "before {before:?}");
    }
    assert_eq!(cache.tail(&lane("a")).unwrap(), Some(Tail { low: seq(15), high: seq(30) }));
    write_messages(&mut cache, "a", 11..=14);
    assert_eq!(cache.tail(&lane("a")).unwrap(), Some(Tail { low: seq(1), high: seq(30) }));
    assert_eq!(cache.tail(&lane("nowhere")).unwrap(), None);
}

fn note(n: u64, after: u64) -> Note {
    Note {
        id: ClientId::new(format!("note-{n}")).unwrap(),
        agent_id: AgentId::new("ben").unwrap(),
        text: format!("note {n}"),
        at: Timestamp::from_millis(n).unwrap(),
        after: seq(after),
    }
}

#[test]
fn notes_come_with_the_page_they_stand_in_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut cache, _) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    write_messages(&mut cache, "a", 1..=30);
    let all = [note(1, 0), note(2, 10), note(4, 10), note(3, 10), note(5, 30)];
    let notes = all.iter().chain(&all).map(|note| (lane("a"), note.clone())).collect();
    cache.write(&CacheWrite { notes, ..CacheWrite::default() }).unwrap();
    for (before, limit, expected) in [
        (None, 10, &["note-5"][..]),
        (None, 50, &["note-1", "note-2", "note-3", "note-4", "note-5"]),
        (Some(30), 20, &["note-2", "note-3", "note-4"]),
        (Some(30), 19, &[]),
        (Some(10), 20, &["note-1"]),
        (Some(1), 20, &[]),
    ] {
        let page = cache.page(&lane("a"), before.map(seq), limit).unwrap();
        let found: Vec<&str> = page.notes.iter().map(|note| note.id.as_str()).collect();
        assert_eq!(found, expected, "before {before:?}, {limit}");
    }
    let reset = Reset::Everything;
    cache.write(&CacheWrite { reset, ..CacheWrite::default() }).unwrap();
    write_messages(&mut cache, "a", 1..=30);
    assert!(cache.page(&lane("a"), None, 50).unwrap().notes.is_empty());
}

#[test]
fn an_account_of_before_departments_and_members_opens_with_what_it_showed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut cache, _) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    let own = snapshot(&[]).own;
    let conversations = vec![(record("a"), true)];
    let write = CacheWrite { own: Some(own.clone()), conversations, ..CacheWrite::default() };
    cache.write(&write).unwrap();
    drop(cache);
    let db = rusqlite::Connection::open(folder.path().join("cache.db")).unwrap();
    let before = "DROP TABLE notes; PRAGMA user_version = 2;
        UPDATE conversations SET record = json_remove(record,
            '$.vip', '$.members', '$.invitations', '$.department_id');
        UPDATE facts SET value = json_remove(value, '$.departments', '$.skills', '$.auto_replies')
            WHERE name = 'own';";
    db.execute_batch(before).unwrap();
    drop(db);
    let (_, contents) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    assert_eq!(contents.own, Some(own));
    assert_eq!(contents.conversations[0].record, record("a"));

    let (mut file, _) = OutboxFile::open(&Shelf::Disk, folder.path(), 0).unwrap();
    written(&mut file, "m1", "unsent", 1);
    drop(file);
    let db = rusqlite::Connection::open(folder.path().join("outbox.db")).unwrap();
    let before = "PRAGMA user_version = 1;
        UPDATE lanes SET record = json_remove(record, '$.vip', '$.members', '$.invitations');";
    db.execute_batch(before).unwrap();
    drop(db);
    let (_, contents) = OutboxFile::open(&Shelf::Disk, folder.path(), 0).unwrap();
    assert_eq!(contents.records, [record("a")]);
}

#[test]
fn a_snapshot_keeps_messages_and_another_history_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut cache, _) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    let conversations = vec![(record("a"), true), (record("b"), true)];
    cache.write(&CacheWrite { conversations, ..CacheWrite::default() }).unwrap();
    write_messages(&mut cache, "a", 1..=3);
    let conversations = vec![(record("b"), true)];
    let reset = Reset::Held;
    cache.write(&CacheWrite { reset, conversations, ..CacheWrite::default() }).unwrap();
    drop(cache);
    let (mut cache, contents) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    let held: Vec<bool> = contents.conversations.iter().map(|kept| kept.held).collect();
    assert_eq!(held, [false, true]);
    assert_eq!(cache.page(&lane("a"), None, 9).unwrap().messages.len(), 3);
    let reset = Reset::Everything;
    let write = CacheWrite { reset, place: Some(place("e2", 1)), ..CacheWrite::default() };
    cache.write(&write).unwrap();
    drop(cache);
    let (cache, contents) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    assert_eq!(contents.place, Some(place("e2", 1)));
    assert!(contents.conversations.is_empty());
    assert!(cache.page(&lane("a"), None, 9).unwrap().messages.is_empty());
}

#[test]
fn what_an_earlier_version_could_not_read_is_had_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut cache, _) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    let conversations = vec![(record("a"), true)];
    let place = Some(place("e1", 7));
    cache.write(&CacheWrite { place, conversations, ..CacheWrite::default() }).unwrap();
    write_messages(&mut cache, "a", 1..=3);
    drop(cache);
    let (cache, contents) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    assert!(contents.place.is_some());
    assert_eq!(cache.page(&lane("a"), None, 9).unwrap().messages.len(), 3);
    drop(cache);
    let db = rusqlite::Connection::open(folder.path().join("cache.db")).unwrap();
    db.execute("UPDATE facts SET value = '1' WHERE name = 'reads'", []).unwrap();
    drop(db);
    let (cache, contents) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
    assert!(contents.place.is_none(), "a snapshot is wanted");
    assert_eq!(contents.conversations.len(), 1, "and until then something is shown");
    assert!(cache.page(&lane("a"), None, 9).unwrap().messages.is_empty());
}

/// What is learnt here is a reason to raise `READS` in `cache.rs`, and then to list it.
#[test]
fn every_kind_this_version_reads_is_counted() {
    use yingke_shared::views::{Author, ConversationStatus, MessageContent, SystemNotice};
    fn reads(message: &Message, status: &ConversationStatus) {
        match &message.author {
            Author::Visitor | Author::Agent { .. } | Author::System => {}
        }
        match &message.content {
            MessageContent::Text { .. } | MessageContent::Unknown => {}
            MessageContent::Notice { notice } => match notice {
                SystemNotice::Welcome { .. }
                | SystemNotice::AgentJoined { .. }
                | SystemNotice::Transferred { .. }
                | SystemNotice::MemberJoined { .. }
                | SystemNotice::MemberLeft { .. }
                | SystemNotice::Requeued { .. }
                | SystemNotice::AutoReply { .. }
                | SystemNotice::Ended { .. } => {}
            },
        }
        match status {
            ConversationStatus::Waiting { .. }
            | ConversationStatus::Serving { .. }
            | ConversationStatus::Ended { .. } => {}
        }
    }
    reads(&message(1, 1, None), &record("a").status);
}

#[test]
fn a_broken_cache_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    for broken in [&b"SQLite format 3\0 but no more than that"[..], b"", b"nonsense"] {
        std::fs::write(folder.path().join("cache.db"), broken).unwrap();
        let (mut cache, contents) = Cache::open(&Shelf::Disk, folder.path()).unwrap();
        assert_eq!(contents.place, None);
        write_messages(&mut cache, "a", [1]);
        let cache = cache.rebuild().unwrap();
        assert!(cache.page(&lane("a"), None, 9).unwrap().messages.is_empty());
        cache.wipe().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays");
    }
}

#[test]
fn files_of_a_newer_version_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(Cache::open(&Shelf::Disk, folder.path()).unwrap());
    drop(OutboxFile::open(&Shelf::Disk, folder.path(), 0).unwrap());
    for name in ["cache.db", "outbox.db"] {
        let db = rusqlite::Connection::open(folder.path().join(name)).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
    }
    let errors = [
        Cache::open(&Shelf::Disk, folder.path()).err().unwrap(),
        OutboxFile::open(&Shelf::Disk, folder.path(), 0).err().unwrap(),
    ];
    for (error, newest) in errors.iter().zip([4, 2]) {
        assert!(
            matches!(error, StoreError::NewerGeneration { found: 99, known, .. } if *known == newest),
            "{error}"
        );
        assert!(error.to_string().contains("update this program"), "{error}");
    }
    assert!(folder.path().join("cache.db").exists());
}

fn written(file: &mut OutboxFile, name: &str, text: &str, at: u64) -> StoredMessage {
    file.add(&NewMessage {
        client_id: ClientId::new(name).unwrap(),
        conversation_id: lane("a"),
        text: text.to_owned(),
        at: Timestamp::from_millis(at).unwrap(),
        record: Box::new(record("a")),
    })
    .unwrap()
}

fn standing(name: &str, standing: Standing) -> Change {
    Change::Standing { client_id: ClientId::new(name).unwrap(), standing, age_from_ms: 5 }
}

fn reopened(folder: &Path, wall: u64) -> Vec<(String, Standing)> {
    let (_, contents) = OutboxFile::open(&Shelf::Disk, folder, wall).unwrap();
    let messages = contents.messages.into_iter();
    messages.map(|message| (message.client_id.to_string(), message.standing)).collect()
}

#[test]
fn the_outbox_keeps_order_standing_records_and_drafts() {
    let folder = tempfile::tempdir().unwrap();
    let (mut file, _) = OutboxFile::open(&Shelf::Disk, folder.path(), 0).unwrap();
    file.set_draft(&lane("a"), "half a").unwrap();
    file.set_draft(&lane("b"), "草稿").unwrap();
    for name in ["m1", "m2", "m3", "m4"] {
        written(&mut file, name, "text", 5);
    }
    file.change(&[
        standing("m1", Standing::Acked { at_ms: 6 }),
        standing("m2", Standing::Failed(ErrorCode::TooLarge)),
        standing("m3", Standing::Wedged),
    ])
    .unwrap();
    drop(file);
    let (mut file, contents) = OutboxFile::open(&Shelf::Disk, folder.path(), 10).unwrap();
    assert_eq!(contents.records, [record("a")]);
    assert_eq!(contents.drafts.into_iter().collect::<Vec<_>>(), [(lane("b"), "草稿".to_owned())]);
    let expected = [
        ("m2".to_owned(), Standing::Failed(ErrorCode::TooLarge)),
        ("m3".to_owned(), Standing::Wedged),
        ("m4".to_owned(), Standing::Unsent),
    ];
    let kept: Vec<_> = contents
        .messages
        .iter()
        .map(|message| (message.client_id.to_string(), message.standing))
        .collect();
    assert_eq!(kept, expected);
    let (from, to) = (ClientId::new("m2").unwrap(), ClientId::new("m9").unwrap());
    file.change(&[Change::Renamed { from, to }, standing("m9", Standing::Unsent)]).unwrap();
    file.discard(&ClientId::new("m3").unwrap()).unwrap();
    file.set_draft(&lane("b"), "").unwrap();
    drop(file);
    let expected = [("m9".to_owned(), Standing::Unsent), ("m4".to_owned(), Standing::Unsent)];
    assert_eq!(reopened(folder.path(), 10), expected);
}

#[test]
fn another_history_offers_again_what_was_acknowledged_within_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let (mut file, _) = OutboxFile::open(&Shelf::Disk, folder.path(), 0).unwrap();
    let (first, second) = (Epoch::new("e1").unwrap(), Epoch::new("e2").unwrap());
    assert_eq!(file.enter_epoch(&first, 0).unwrap(), Reoffer::default());
    written(&mut file, "old", "text", 0);
    written(&mut file, "new", "text", 0);
    written(&mut file, "unsent", "text", 0);
    file.change(&[
        standing("old", Standing::Acked { at_ms: DAY_MS }),
        standing("new", Standing::Acked { at_ms: DAY_MS + 1 }),
    ])
    .unwrap();
    let now = 2 * DAY_MS;
    assert_eq!(file.enter_epoch(&first, now).unwrap(), Reoffer::default(), "the same history");
    let again = file.enter_epoch(&second, now).unwrap();
    let messages = again.messages;
    let names: Vec<String> = messages.iter().map(|message| message.client_id.to_string()).collect();
    assert_eq!(names, ["new"]);
    assert_eq!(messages[0].age_from_ms, now, "it is not old from the start");
    let shown = again.records.iter().any(|record| record.id == messages[0].conversation_id);
    assert!(shown, "the relay may know nothing of its conversation");
    drop(file);
    let expected = [("new".to_owned(), Standing::Unsent), ("unsent".to_owned(), Standing::Unsent)];
    assert_eq!(reopened(folder.path(), now), expected);
}

#[test]
fn what_is_old_leaves_the_outbox_a_part_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (mut file, _) = OutboxFile::open(&Shelf::Disk, folder.path(), 1).unwrap();
    for n in 1..=5 {
        written(&mut file, &format!("m{n}"), "hello", n);
    }
    for n in [1, 2, 3, 5] {
        file.change(&[standing(&format!("m{n}"), Standing::Acked { at_ms: n })]).unwrap();
    }
    file.forget_old(DAY_MS, 1_000).unwrap();
    file.forget_old(DAY_MS + 3, 2).unwrap();
    drop(file);
    let left: Vec<String> = reopened(folder.path(), 1).into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, ["m4"], "what is acknowledged is the file's business alone");
    let (mut file, _) = OutboxFile::open(&Shelf::Disk, folder.path(), 1).unwrap();
    let first = Epoch::new("first").unwrap();
    file.enter_epoch(&first, 10).unwrap();
    let again = file.enter_epoch(&Epoch::new("second").unwrap(), 10).unwrap();
    let again: Vec<&str> = again.messages.iter().map(|one| one.client_id.as_str()).collect();
    assert_eq!(again, ["m3", "m5"], "the third was one too many, the fifth not old enough");
}

#[test]
fn the_outbox_is_one_programs_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = OutboxFile::open(&Shelf::Disk, folder.path(), 0).unwrap();
    assert!(matches!(OutboxFile::open(&Shelf::Disk, folder.path(), 0), Err(StoreError::InUse)));
    drop(file);
    assert!(OutboxFile::open(&Shelf::Disk, folder.path(), 0).is_ok());
}
