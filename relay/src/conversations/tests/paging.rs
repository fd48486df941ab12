//! Pages of messages with the notes among them: each is bounded, and together they are everything.
//! Made to fail: with notes bounded by number alone (a page of 737,243 bytes), and cut at the old end of a page.

use std::collections::BTreeMap;

use yingke_shared::commands::staff::{AddNote, LoadMessages};
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ConversationId, Seq};
use yingke_shared::limits::{PAGE_MESSAGES_MAX, TEXT_CHARS_MAX};
use yingke_shared::views::MessagePage;

use super::crew::Crew;
use crate::limits::{NOTES_OF_PAGE_MAX, SNAPSHOT_BYTES_MAX};
use crate::testing::any_id;

async fn pages(crew: &Crew, id: &ConversationId) -> Vec<MessagePage> {
    let (mut pages, mut before) = (Vec::<MessagePage>::new(), None);
    loop {
        let conversation_id = id.clone();
        let command = LoadMessages { conversation_id, before, limit: PAGE_MESSAGES_MAX };
        let outcome = act!(crew.relay, load_messages, crew.ana, command).unwrap();
        let Outcome::Messages { page } = outcome else { panic!("no page") };
        before = page.messages.first().map(|message| message.seq);
        let is_last = !page.has_earlier;
        pages.push(page);
        if is_last {
            return pages;
        }
    }
}

/// Lays `notes` notes of `text` after the newest message.
async fn whisper(crew: &Crew, id: &ConversationId, notes: u32, text: &str) {
    for _ in 0..notes {
        let command = AddNote { conversation_id: id.clone(), text: text.to_owned() };
        act!(crew.relay, add_note, crew.ana, command).unwrap();
    }
}

/// How many notes the pages have after each message.
fn notes(pages: &[MessagePage]) -> BTreeMap<Seq, usize> {
    let mut found = BTreeMap::new();
    for note in pages.iter().flat_map(|page| &page.notes) {
        *found.entry(note.after).or_default() += 1;
    }
    found
}

#[tokio::test]
async fn a_page_is_bounded_and_nothing_is_between_two() {
    let crew = Crew::gather().await;
    let id = crew.served_by(&crew.ana).await;
    let newest = async || pages(&crew, &id).await[0].messages.last().unwrap().seq;
    let mut laid = BTreeMap::new();
    let long = "字".repeat(TEXT_CHARS_MAX / 2);
    for (count, text) in [(120, long.as_str()), (90, "一"), (150, "二"), (3, long.as_str())] {
        crew.relay.say(&crew.vera, any_id().as_str(), "在吗").await.unwrap();
        whisper(&crew, &id, count, text).await;
        laid.insert(newest().await, count as usize);
    }
    let found = pages(&crew, &id).await;
    for page in &found {
        let bytes = serde_json::to_vec(page).unwrap().len();
        assert!(bytes < SNAPSHOT_BYTES_MAX + 32 * 1_024, "a page of {bytes} bytes");
        assert!(page.notes.len() <= NOTES_OF_PAGE_MAX as usize);
        let first = page.messages[0].seq;
        assert!(page.notes.iter().all(|note| note.after >= first || !page.has_earlier));
        assert!(page.notes.is_sorted_by_key(|note| note.after));
    }
    let seqs: Vec<_> =
        found.iter().rev().flat_map(|page| &page.messages).map(|it| it.seq.get()).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let mut told = notes(&found);
    // More after one message than a page may weigh: the newest of them.
    let (heaviest, _) = laid.pop_first().unwrap();
    assert!((30..120).contains(&told.remove(&heaviest).unwrap()));
    assert_eq!(told, laid);
}
