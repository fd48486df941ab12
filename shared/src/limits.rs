//! Limits that both ends of the wire know. The relay's own (queues, sockets, batches) stand in
//! `relay/src/limits.rs`. docs/PROTOCOL.md lists every one; each says why it has its size.

/// 2^53 - 1: the largest integer a JavaScript number carries exactly.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// An id's length; a UUID has 36.
pub const ID_CHARS_MAX: usize = 64;

/// One frame from a client, in bytes. A message of [`TEXT_CHARS_MAX`] characters outside the basic
/// plane, escaped by a wasteful JSON writer, still fits.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// A message's text, in Unicode scalar values. About three printed pages of Chinese.
pub const TEXT_CHARS_MAX: usize = 4_000;

/// A typing preview's text, in Unicode scalar values (E01). The end is what is being typed: longer
/// drafts send their last characters.
pub const PREVIEW_CHARS_MAX: usize = 500;

/// Digits of one run that a preview shows before the rest is masked (E01).
pub const PREVIEW_DIGITS_SHOWN: usize = 6;

/// Preview updates a visitor may send in a second (E01: visible within 300 ms).
pub const PREVIEWS_PER_SECOND: u32 = 5;

/// How long a preview or a typing sign is shown when nothing follows it, in milliseconds.
pub const PREVIEW_EXPIRES_MS: u64 = 10_000;

/// Messages in one page.
pub const PAGE_MESSAGES_MAX: u32 = 100;

/// Conversations in a staff snapshot; more come by pages.
pub const SNAPSHOT_CONVERSATIONS_MAX: usize = 500;

/// Messages in a visitor snapshot; earlier ones come by `load_history`.
pub const SNAPSHOT_MESSAGES_MAX: u32 = 50;

/// The relay moves a quiet reader's position at least this often, in milliseconds. A client that
/// hears nothing for twice as long treats the link as dead.
pub const HEARTBEAT_MS: u64 = 10_000;

/// A client has this long from the open socket to a complete `hello`, in milliseconds.
pub const HELLO_WITHIN_MS: u64 = 10_000;

/// Commands a client may have unanswered at once on one socket.
pub const COMMANDS_IN_FLIGHT_MAX: usize = 32;

/// Capacity of an agent: conversations at once (B06).
pub const CAPACITY_MIN: u32 = 1;
/// See [`CAPACITY_MIN`].
pub const CAPACITY_MAX: u32 = 200;
/// See [`CAPACITY_MIN`].
pub const CAPACITY_DEFAULT: u32 = 8;

/// A password has at least this many characters; long beats complex (NIST SP 800-63B).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// And at most this many: argon2 hashes any length, this bounds the work.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// Account names, nicknames, site names and domains.
pub const NAME_CHARS_MAX: usize = 64;

/// What somebody says beside an invitation, and the company's and agents' words for what the relay
/// says by itself: a short paragraph.
pub const REMARK_CHARS_MAX: usize = 500;

/// How a visitor who leaves a message can be reached: an e-mail address has at most 254 characters,
/// and nearly all have less than half.
pub const CONTACT_CHARS_MAX: usize = 128;

/// Domains of one site.
pub const DOMAINS_MAX: usize = 100;

/// A page address a widget reports, in bytes; longer ones are cut by the widget.
pub const URL_BYTES_MAX: usize = 2_048;

/// Sends acknowledged within this time are offered again, under the same ids, when the relay's
/// history was replaced by an older one, in milliseconds (24 h).
pub const REOFFER_WITHIN_MS: u64 = 24 * 60 * 60 * 1_000;

/// The outcome of a command other than a message is kept this long, in milliseconds (7 days).
pub const OUTCOME_KEPT_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

/// An unsent message older than this never goes by itself, in milliseconds (6 days: safely inside
/// [`OUTCOME_KEPT_MS`]): it is wedged and its author is asked.
pub const OUTBOX_WEDGED_AFTER_MS: u64 = 6 * 24 * 60 * 60 * 1_000;
