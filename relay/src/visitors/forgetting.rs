//! Visitors who never had a conversation: when they were last seen, and when they are forgotten.
//!
//! Most visitors only look. Their rows would be kept for ever; nothing else names them. A few are looked
//! at with each visitor who enters, in the same transaction, so nothing has to be started or stopped and
//! no write is long. Whoever had a conversation is kept: the conversation is.

use futures_util::FutureExt as _;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::VisitorId;
use yingke_shared::time::Timestamp;

use super::store;
use crate::app::App;
use crate::conversations;
use crate::limits::{UNHEARD_VISITORS_FORGOTTEN_AT_ONCE, UNHEARD_VISITORS_KEPT_DAYS};
use crate::store::{Abort, StoreError, WriteTx};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Whether it is worth a write that a visitor is seen now: once a day, also when the clock was set back.
pub(crate) fn should_note_seen(seen_at: Timestamp, now: Timestamp) -> bool {
    seen_at.millis().abs_diff(now.millis()) >= DAY_MS
}

/// Has it stored that the visitor was seen. Nobody waits for it: reading does not depend on being able
/// to write, and what is not stored now is with the next visit.
pub(crate) fn was_seen(app: &App, id: &VisitorId, now: Timestamp) {
    let id = id.clone();
    let noted = app
        .store
        .write("visitor seen", move |tx| Ok::<_, Abort<ErrorCode>>(store::set_seen(tx, &id, now)?));
    // Asked once, it is in the writer's queue.
    let _ = noted.now_or_never();
}

/// Forgets a few of those who never had a conversation and were not seen for long; gives whom. Nobody
/// who is here is forgotten.
pub(super) fn forget_unheard(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    is_here: impl Fn(&VisitorId) -> bool,
) -> Result<Vec<VisitorId>, StoreError> {
    let kept_ms = UNHEARD_VISITORS_KEPT_DAYS * DAY_MS;
    let before = Timestamp::from_millis(now.millis().saturating_sub(kept_ms)).unwrap_or_default();
    let mut forgotten = Vec::new();
    for (id, seen_at) in store::unheard(tx, before, UNHEARD_VISITORS_FORGOTTEN_AT_ONCE)? {
        if conversations::queries::has_had_any(tx, &id)? {
            store::set_heard(tx, &id)?;
        } else if seen_at == Timestamp::default() || is_here(&id) {
            store::set_seen(tx, &id, now)?;
        } else {
            store::forget(tx, &id)?;
            forgotten.push(id);
        }
    }
    Ok(forgotten)
}
