//! Every bound of the client core, each with the reason for its size. Those the wire knows stand in
//! `yingke_shared::limits`.

/// From dialling to the open socket, in milliseconds: longer than a slow TLS handshake, shorter than
/// patience.
pub const OPEN_WITHIN_MS: u64 = 10_000;

/// Dialling one of a name's addresses, in milliseconds: a dead first one leaves time for the others.
pub const DIAL_WITHIN_MS: u64 = 2_500;

/// A link on which nothing came for this long, not even one of the relay's pings (every 4 s), is dead,
/// in milliseconds: an agent must know within 10 s that nobody hears them.
pub const SILENCE_MS_MAX: u64 = yingke_shared::limits::HEARTBEAT_MS;

/// The first wait after a broken link, in milliseconds; doubles up to [`BACKOFF_MS_MAX`].
pub const BACKOFF_MS_MIN: u64 = 250;
/// The longest wait of the first [`BACKOFF_SOON_TRIES`], in milliseconds: after a short outage a
/// message is there within a second.
pub const BACKOFF_SOON_MS_MAX: u64 = 750;
/// Tries before the waits grow: about half a minute. A lift, a tunnel and a restart are over by then.
pub const BACKOFF_SOON_TRIES: u32 = 50;
/// The longest wait between two tries: a relay that comes back is found within it.
pub const BACKOFF_MS_MAX: u64 = 15_000;

/// What was refused because a conversation was not ours goes again by itself if it is ours within this
/// time, in milliseconds: written while cut off, and nobody else has said much since.
pub const GOES_AGAIN_WITHIN_MS: u64 = 60_000;

/// A link that stood this long was a good one: the next break starts again at the shortest wait.
pub const STABLE_AFTER_MS: u64 = 10_000;

/// Tries that fail in a row before the workbench says "offline" rather than "reconnecting": about
/// five seconds, longer than a relay takes to restart.
pub const TRIES_BEFORE_OFFLINE: u32 = 9;

/// A person's action may shorten a running wait, at most this often, in milliseconds.
pub const NUDGE_EVERY_MS: u64 = 2_000;

/// A command unanswered this long on a live link means the link is broken, in milliseconds.
pub const ANSWER_WITHIN_MS: u64 = 20_000;

/// A request over HTTP, from dialling to the last byte, in milliseconds. Password hashing on a busy
/// relay takes its time.
pub const HTTP_WITHIN_MS: u64 = 15_000;

/// An HTTP answer's size in bytes; the largest is all settings: six sections, of which each is saved in
/// at most 512 KiB.
pub const HTTP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A page of the inbox that the log had overtaken is asked for again after this, in milliseconds.
pub const SERVED_AGAIN_MS: u64 = 100;
/// One that could not be had, after this.
pub const SERVED_FAILED_MS: u64 = 5_000;

/// A frame from the relay, in bytes: a snapshot has at most 256 KiB, a resume at most 1 MiB; the
/// rest is room for later versions.
pub const RELAY_FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Messages on their way at once over all lanes; leaves room for marks and pages below the wire's
/// limit of 32 commands.
pub const SENDS_IN_FLIGHT_MAX: usize = 16;

/// Marks on their way at once.
pub const MARKS_IN_FLIGHT_MAX: usize = 4;

/// One mark per conversation in this time, in milliseconds.
pub const MARK_EVERY_MS: u64 = 1_000;

/// Background pages on their way at once.
pub const FILLS_IN_FLIGHT_MAX: usize = 2;

/// Pages loaded in the background to close one conversation's hole. 20 pages are 2,000 unread
/// messages; a person who wants more scrolls.
pub const FILL_PAGES_MAX: u32 = 20;

/// Messages in one page shown to the workbench.
pub const CHAT_PAGE_MESSAGES: u32 = 50;

/// Conversations that left the inbox and are still remembered with their messages.
pub const PAST_CONVERSATIONS_MAX: usize = 200;

/// Conversations watched at once on one link (F05): as many as the relay allows.
pub const WATCHED_MAX: usize = 20;

/// Events kept while the relay is asked to let a conversation be watched: the answer comes within a
/// round trip, and a visitor types slower than that.
pub const WATCH_EVENTS_MAX: usize = 256;

/// What was refused for a moment (the floor, a watched conversation, an end) is asked for again after
/// this at least, in milliseconds.
pub const ASKED_AGAIN_MS: u64 = 1_000;

/// Whether a visitor is there is known this long after a welcome, or after a conversation came, in
/// milliseconds: the relay says it right behind.
pub const PRESENCE_KNOWN_AFTER_MS: u64 = 2_000;

/// Ends on their way at once when all conversations of visitors who left are closed (C16).
pub const ENDS_IN_FLIGHT_MAX: usize = 8;

/// How often an end that the relay refused for a moment is tried.
pub const END_TRIES_MAX: u32 = 5;

/// Questions over HTTP on their way at once.
pub const CALLS_IN_FLIGHT_MAX: usize = 16;

/// Unsent messages over all conversations; a person who reaches it has a problem that more messages
/// do not solve.
pub const OUTBOX_MESSAGES_MAX: usize = 10_000;

/// A message on its way is shown as waiting for this long before it is shown as being sent, so that
/// a fast relay does not make the mark flicker, in milliseconds.
pub const SENDING_SHOWN_AFTER_MS: u64 = 1_000;

/// "I am typing" goes out once in this time per conversation, in milliseconds.
pub const TYPING_EVERY_MS: u64 = 3_000;

/// A draft's length in characters: far over a message's, so that nothing typed is ever cut.
pub const DRAFT_CHARS_MAX: usize = 40_000;

/// Lists whose looks are kept: many times those there are.
pub const LISTS_MAX: usize = 64;
/// Columns of one of them.
pub const LIST_COLUMNS_MAX: usize = 64;
/// The name of a list or of a column, in characters.
pub const LIST_NAME_CHARS_MAX: usize = 64;

/// Acknowledged messages that are too old to be offered again leave the outbox's file this often, in
/// milliseconds, and this many at once: more than one person writes in that time, and little to do.
pub const OUTBOX_CLEANED_EVERY_MS: u64 = 10 * 60_000;
/// See [`OUTBOX_CLEANED_EVERY_MS`].
pub const OUTBOX_CLEANED_ROWS_MAX: u32 = 1_000;

/// Drafts kept.
pub const DRAFTS_MAX: usize = 2_000;

/// Pushes a slow workbench may leave unread before it is given a fresh state instead.
pub const PUSHES_MAX: usize = 256;

/// Requests of the workbench waiting for the loop: more than a page makes at once, because a window
/// cannot wait for room.
pub const UI_QUEUE_MAX: usize = 1_024;

/// Frames and HTTP answers waiting for the loop; beyond it the socket is simply not read.
pub const NET_QUEUE_MAX: usize = 256;

/// Storage jobs under way before the loop stops reading the socket.
pub const STORE_BACKLOG_MAX: usize = 512;

/// Room in the storage queues: the backlog at which reading stops, and what one more event can add.
pub const STORE_QUEUE_MAX: usize = 8 * STORE_BACKLOG_MAX;

/// Frames waiting to be written to the socket.
pub const WRITE_QUEUE_MAX: usize = 128;

/// How long a key store may take, in milliseconds: on Linux it may hang for ever.
pub const SECRETS_WITHIN_MS: u64 = 5_000;

/// How long a database held by a client that is just ending is waited for, in milliseconds.
pub const DATABASE_BUSY_MS: u64 = 3_000;

/// Ending waits this long for what is being written, in milliseconds.
pub const SHUTDOWN_WITHIN_MS: u64 = 5_000;
