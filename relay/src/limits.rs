//! The relay's own limits; those both ends of the wire know stand in `yingke_shared::limits`.
//! Everything has one, named here, with the reason for its size.

use crate::auth::ThrottleRule;

// ---- store ----

/// Closures waiting for the writer. At 5,000 a second it drains in under a second; more waiting
/// would only be later "busy".
pub const WRITE_QUEUE_MAX: usize = 4_096;

/// Closures in one batch: beyond about 100 the sync is already paid for, and a batch that dies runs
/// each closure again alone, so this also bounds that.
pub const BATCH_CLOSURES_MAX: usize = 256;

/// While writes come in company, one batch begins at least so many microseconds after the one before, and
/// takes what came meanwhile. One that comes alone never waits.
pub const COMMIT_DISTANCE_US: u64 = 1_000;

/// So many are company enough: then the batch begins.
pub const COMPANY_ENOUGH: usize = 32;

/// Whether there is company enough is looked for this often, in microseconds.
pub const COMPANY_LOOK_US: u64 = 200;

/// A closure that holds the writer longer than this is named in the log.
pub const SLOW_CLOSURE_MS: u128 = 50;

/// Closures waiting for a reader thread.
pub const READ_QUEUE_MAX: usize = 4_096;

/// Closures of fan-out and assignment waiting for their own reader thread. Each of the two asks for
/// one thing at a time; a small simulation of many drivers still fits.
pub const SPINE_QUEUE_MAX: usize = 64;

/// Reader threads, beside the one of fan-out and assignment. Reads are short and mostly in memory; more than this only adds caches.
pub const READERS_MAX: usize = 3;

/// Prepared statements kept by each connection: more than the relay has distinct ones.
pub const STATEMENTS_CACHED: usize = 256;

/// Page cache of the writer, in KiB: the upper levels of every index of some million messages.
pub const WRITER_CACHE_KIB: i64 = 16 * 1_024;

/// Page cache of each reader, in KiB.
pub const READER_CACHE_KIB: i64 = 2 * 1_024;

/// How long a connection waits for another of this process, in milliseconds. Only a checkpoint's
/// last step ever blocks the writer, for the time of one sync.
pub const STORE_BUSY_WAIT_MS: u64 = 5_000;

/// The write-ahead log is folded into the database when this many pages (of 4 KiB) are new in it.
pub const CHECKPOINT_PAGES: i64 = 1_000;

/// Above this many pages the checkpointer makes the writer wait once, so that the write-ahead log
/// starts again from its beginning: it stays below about 64 MiB under any load. Only while a backup
/// or a check reads one old moment it grows by what is written meanwhile.
pub const WAL_PAGES_MAX: i64 = 16_000;

/// The writer waits at most this long for that, in milliseconds; then it is tried again later.
pub const WAL_RESTART_WITHIN_MS: u64 = 100;

/// The write-ahead log's file is cut to this when it starts again.
pub const WAL_KEPT_BYTES: i64 = 64 * 1_024 * 1_024;

/// The checkpointer looks at the write-ahead log at most this often, in milliseconds.
pub const CHECKPOINT_PAUSE_MS: u64 = 20;

/// After a checkpoint the log's position is noted beside the database at most this often, in
/// milliseconds.
pub const POSITION_NOTED_EVERY_MS: u64 = 1_000;

// ---- integrity ----

/// A start checks the structure of a database up to this size, in bytes: it takes some 20 ms, and a
/// company's first weeks fit. A larger one is checked on demand.
pub const START_CHECK_BYTES_MAX: i64 = 16 * 1_024 * 1_024;

/// Every start looks at this many positions of the log's end, with their messages: more than any
/// crash can have left unfinished, and a few milliseconds.
pub const START_CHECK_POSITIONS: i64 = 1_024;

/// Places a finding of a check names; who needs more has to restore anyway.
pub const FINDINGS_SHOWN: usize = 10;

/// Characters of such a place: an id and a number have fifty; a damaged row may hold anything.
pub const PLACE_CHARS_MAX: usize = 200;

// ---- backup ----

/// Tries to begin a copy while something else opens or recovers the database, 50 ms apart.
pub const BACKUP_TRIES_MAX: usize = 100;

/// A backup's manifest, in bytes. Ours has a few hundred.
pub const MANIFEST_BYTES_MAX: u64 = 64 * 1_024;

// ---- event log ----

/// Entries of the log's end kept in memory; a reader further behind reads the database.
pub const TAIL_ENTRIES_MAX: usize = 4_096;

/// And at most this many bytes of them.
pub const TAIL_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// A follower that waits for news hears of messages and marks up to this much later, in milliseconds:
/// many at a time, and nothing that is decided by them is decided faster by people.
pub const ROUTINE_WAITS_MS: u64 = 50;

/// Entries a log reader gets at once.
pub const LOG_READ_ENTRIES_MAX: usize = 256;

/// Positions a resuming session may be behind before it takes a snapshot instead.
pub const RESUME_POSITIONS_MAX: usize = 5_000;

/// Bytes of the log read for a resuming session before it takes a snapshot instead.
pub const RESUME_BYTES_MAX: usize = 1_024 * 1_024;

/// And bytes of events it is sent, of what it may see: it may take none of them. Beyond some hundred
/// messages a snapshot is no larger.
pub const MISSED_BYTES_MAX: usize = 128 * 1_024;

/// A batch of writes or a read that is under way for longer than this, in milliseconds, waits for a disk
/// that does not answer: `/healthz` says so. A disk that mends a sector by itself takes up to seven
/// seconds.
pub const STALLED_AFTER_MS: u64 = 10_000;

/// How often that is looked for, to say it in the log, in milliseconds.
pub const STALL_LOOKED_FOR_EVERY_MS: u64 = 1_000;

// ---- start, listening, stopping ----

/// The configuration file, in bytes. Ours has a few hundred.
pub const CONFIG_FILE_BYTES_MAX: u64 = 64 * 1_024;

/// Brackets open at once in it. Ours has one; its reader calls itself for each, on a stack of any
/// size.
pub const CONFIG_NESTING_MAX: usize = 16;

/// Trusted proxy networks: each is compared for each request.
pub const TRUSTED_PROXIES_MAX: usize = 64;

/// Addresses read of an `X-Forwarded-For`: one for each proxy in a row, and some that lie.
pub const FORWARDED_HOPS_MAX: usize = 16;

/// Connections open at once, sockets included. Beyond it new ones are closed at once, so that those
/// that are there keep their file descriptors and memory.
pub const CONNECTIONS_MAX: usize = 65_536;

/// Connections one peer may have beside a quarter more than its sockets may be (a setting): pages,
/// files, history. Trusted proxies are not counted, nor may one peer have more than three quarters of
/// all there are.
pub const REQUESTS_PER_PEER_MAX: usize = 64;

/// File descriptors that are not for connections: the store's files, the listener, the runtime's.
pub const FILES_RESERVED: usize = 256;

/// A connection on which no byte comes or goes for this long is closed, in milliseconds. Sockets
/// ping every 4 s; an idle connection of a browser is opened again when it is needed.
pub const IDLE_WITHIN_MS: u64 = 30_000;

/// A request's body must be complete within this, in milliseconds: the largest, on a link of 30
/// kbit/s.
pub const REQUEST_BODY_WITHIN_MS: u64 = 20_000;

/// A request's head must be complete within this, in milliseconds: a trickling one holds nothing.
pub const REQUEST_HEAD_WITHIN_MS: u64 = 10_000;

/// From the request to stop to the end of the process, in milliseconds, whatever clients do.
pub const STOP_WITHIN_MS: u64 = 10_000;

/// Of it, for sockets to say goodbye and for requests to be answered; the rest is for the store.
pub const STOP_CLIENTS_WITHIN_MS: u64 = 6_000;

// ---- live ----

/// So many at once, so many a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// After a pause, this many at once.
    pub burst: u32,
    /// In the long run, this many a second; at least 1.
    pub per_second: u32,
}

impl Rate {
    /// Of hellos from one address that may have so many sockets: all of them come back at once, twice,
    /// and in the long run each opens another page every ten seconds. So a storm and a company behind
    /// one address pass, and an attacker gets no more than that company.
    #[must_use]
    pub fn of_hellos(sockets_per_address: u32) -> Self {
        let per_second = (sockets_per_address / 10).max(1);
        Self { burst: sockets_per_address.saturating_mul(2), per_second }
    }

    /// Of messages: after a pause twice as many pass at once.
    #[must_use]
    pub fn of_messages(per_second: u32) -> Self {
        Self { burst: per_second.saturating_mul(2), per_second }
    }
}

/// Read buffer of a socket, in bytes. A usual message fits; larger frames are read in pieces. With the
/// library's 128 KiB an idle visitor would cost 40 times as much.
pub const SOCKET_READ_BUFFER_BYTES: usize = 1_024;

/// A frame over the protocol's limit and up to this is read to its end, so that the goodbye that
/// says `too_large` arrives; a larger one is cut off.
pub const SOCKET_FRAME_BYTES_MAX: usize = 4 * yingke_shared::limits::FRAME_BYTES_MAX;

/// Frames are handed to the kernel together until there are so many bytes of them: an answer and the
/// delivery that follows it cost one call and one packet. The buffer is as large as what was in it.
pub const WRITTEN_TOGETHER_BYTES: usize = 2 * 1_024;

/// What a socket may have unwritten, in bytes: above the largest single frame the relay makes, a
/// snapshot for a member of staff of a company with thousands of accounts, sites and rules. No frame
/// is started before a large one is written, so a socket has no more of it than one frame.
pub const SOCKET_WRITE_BUFFER_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// Events one delivery frame holds, in bytes; more go into the next frame.
pub const DELIVERY_BYTES_MAX: usize = 64 * 1_024;

/// What a reader that takes nothing may cost, in bytes: the frame that was started
/// ([`SNAPSHOT_BYTES_MAX`]) and all that the following let wait behind it. Two single frames may be
/// larger by themselves: the snapshot of a large company, and its floor for a manager who looks at it.
pub const READER_BYTES_MAX: usize = 1_024 * 1_024;

/// Events that wait for one reader, in bytes; one that is further behind is dropped and resumes.
pub const OUTBOUND_BYTES_MAX: usize = 256 * 1_024;

/// What one of them takes beside its JSON, in bytes.
pub const OUTBOUND_AROUND_BYTES: usize = 96;

/// A reader with more than this waiting gets no passing signals: they would be stale when they
/// arrive. Of what visitors type it gets the newest of each conversation, so many bytes together.
pub const SIGNAL_BYTES_MAX: usize = 32 * 1_024;

/// Replies that wait for a socket; a client that has more and still asks is cut off.
pub const REPLIES_WAITING_MAX: usize = 2 * yingke_shared::limits::COMMANDS_IN_FLIGHT_MAX;

/// And the bytes of replies, and of what a session begins with, that wait together: the largest page of
/// history and what is left of a resume. A page for which there is no room is refused as too fast: the
/// client asks again when it has read.
pub const ANSWERS_WAITING_BYTES_MAX: usize = SNAPSHOT_BYTES_MAX + DELIVERY_BYTES_MAX;

/// A reply of no more bytes is bounded by number alone: what was carried out is answered.
pub const SMALL_REPLY_BYTES: usize = 1_024;

// Signals wait twice: in the mailbox, and taken from it with a delivery's worth of others.
const _: () = assert!(
    SNAPSHOT_BYTES_MAX
        + ANSWERS_WAITING_BYTES_MAX
        + REPLIES_WAITING_MAX * SMALL_REPLY_BYTES
        + OUTBOUND_BYTES_MAX
        + DELIVERY_BYTES_MAX
        + 2 * SIGNAL_BYTES_MAX
        <= READER_BYTES_MAX
);

/// A ping goes out this often, in milliseconds: one that is lost leaves a second to be answered
/// before [`DEAD_AFTER_MS`] is over.
pub const PING_EVERY_MS: u64 = 4_000;

/// A peer that sent nothing for this long, not even a pong, is dead, in milliseconds: with the time
/// to tell its agent, a visitor who vanished is shown offline within 10 s.
pub const DEAD_AFTER_MS: u64 = 9_000;

/// A timer that rings this much too late tells that the process itself stood still, in milliseconds:
/// longer than any load delays it, shorter than what makes a peer dead.
pub const OWN_STALL_MS: u64 = 3_000;

/// A socket that takes no bytes for this long is dead, in milliseconds.
pub const WRITE_STALL_MS: u64 = 10_000;

/// A reader whose position did not move for this long gets an empty delivery with the next ping, in
/// milliseconds: with the ping's 4 s that is inside the protocol's heartbeat of 10 s.
pub const QUIET_DELIVERY_MS: u64 = 5_500;

/// How long the last word may take to be written and the peer to close, in milliseconds.
pub const BYE_WITHIN_MS: u64 = 2_000;

/// When the relay stops, clients are told to come back after a time between these two, in
/// milliseconds, so that they do not all come at once.
pub const RECONNECT_AFTER_MS: (u32, u32) = (500, 3_500);

/// Sockets of one visitor: tabs of the site. One more ends the oldest.
pub const SOCKETS_PER_VISITOR_MAX: usize = 16;

/// Sockets of one account: its devices, and those that broke and are not yet noticed.
pub const SOCKETS_PER_AGENT_MAX: usize = 32;

/// Conversations one socket of a manager watches at once (F05).
pub const WATCHED_PER_SOCKET_MAX: usize = 20;

/// The socket that was ended for a newer one may come back after this, in milliseconds: sooner, one
/// too many would end each other in turn for ever.
pub const DISPLACED_RECONNECT_AFTER_MS: u32 = 60_000;

/// Messages of one person, on all sockets together, in a second, unless the configuration says otherwise: nobody types
/// faster, and a script is slowed before it hurts.
pub const MESSAGES_PER_SECOND: u32 = 10;

/// The most the configuration may say: more than one person can send.
pub const MESSAGES_PER_SECOND_MAX: u32 = 100_000;

/// Other commands of one person, on all sockets together: marks, pages, availability. Three devices at
/// work that all begin at once fit.
pub const COMMANDS_RATE: Rate = Rate { burst: 180, per_second: 60 };

/// Previews and typing signs of one person, on all sockets together (E01).
pub const PREVIEWS_RATE: Rate = Rate {
    burst: yingke_shared::limits::PREVIEWS_PER_SECOND,
    per_second: yingke_shared::limits::PREVIEWS_PER_SECOND,
};

/// Hellos of one person, on all sockets together: an account's sockets may all come back some times in a
/// row on an unsteady link; a script that takes snapshots in a loop is slowed.
pub const HELLOS_RATE: Rate = Rate { burst: 256, per_second: 8 };

/// Persons who went and are not yet as if new, whose rates are remembered. Beyond it those are forgotten
/// who are nearest to it: a flood of others gains nobody much.
pub const PERSONS_KEPT_MAX: usize = 65_536;

/// Refusals of one person that are remembered while the person is connected, so that a copy of the
/// command that is still on its way by an older socket is refused too (P1). Beyond it the oldest go.
pub const REFUSALS_KEPT_MAX: usize = 32;

/// Addresses whose hellos are remembered until they are as if none had come.
pub const ADDRESSES_KEPT_MAX: usize = 65_536;

/// Sockets of one address, unless the configuration says otherwise. An office of agents, and a few
/// hundred visitors behind one address translation, fit; a single attacker takes one place in sixty.
pub const SOCKETS_PER_ADDRESS: u32 = 1_000;

/// The most the configuration may say: as many as there are connections.
pub const SOCKETS_PER_ADDRESS_MAX: u32 = 65_536;

// ---- assignment ----

/// Decisions carried out at once; more wait in the core.
pub const DECISIONS_AT_ONCE_MAX: usize = 256;

/// After the store refused an agent or failed, this long passes before the next try, in
/// milliseconds: longer than a disk's hiccup, shorter than a visitor's patience.
pub const ASSIGN_AGAIN_AFTER_MS: u64 = 250;

/// How often the clock on the wall is compared with the time that went by, in milliseconds: opening
/// hours follow it when somebody sets it.
pub const WALL_CLOCK_EVERY_MS: u64 = 30_000;

/// Typing signs of agents that wait for assignment; more are dropped, the next ones come soon.
pub const TYPING_WAITING_MAX: usize = 256;

/// After the relay started or an agent's last socket went, visitors are not told for this long that
/// nobody is online, in milliseconds: clients that lost the relay are back after 3.5 s at most. Who is
/// assigned waits for nothing.
pub const AGENTS_RETURN_WITHIN_MS: u64 = 5_000;

/// Questions that wait for the driver. It answers between two turns; more than this are not asked by
/// people.
pub const QUESTIONS_WAITING_MAX: usize = 16;

/// After this there is no answer, in milliseconds: a driver that began anew reads everything first.
pub const QUESTION_WITHIN_MS: u64 = 2_000;

/// The floor, places and lengths of lines are told this often at most, in milliseconds.
pub const FLOOR_EVERY_MS: u64 = 1_000;

/// And with this many times the pause that making them took: watching never costs more than a tenth
/// of a core.
pub const FLOOR_PAUSE_TIMES: u32 = 10;

/// However long that was, it is told again after this, in milliseconds.
pub const FLOOR_EVERY_AT_WORST_MS: u64 = 10_000;

/// Conversations named in each list of the floor.
pub const FLOOR_ROWS_MAX: usize = 500;

/// Characters of what was said last, on the floor.
pub const FLOOR_TEXT_CHARS: usize = 80;

/// An agent's work of the day is counted this often at most, in milliseconds.
pub const DAY_COUNTED_EVERY_MS: u64 = 15_000;

/// The clocks of places are known this far ahead, in days, from when settings were read last: a relay
/// that runs longer than ten years without a restart is one hour off in summer.
pub const ZONE_AHEAD_DAYS: u64 = 3_660;

// ---- rooms ----

/// Open invitations of one conversation: as many colleagues as anybody asks at once.
pub const INVITATIONS_OPEN_MAX: usize = 10;

/// Who takes part in a conversation beside the one who serves it (F06): more is a meeting.
pub const MEMBERS_MAX: usize = 10;

/// Visitors in a list of recent contacts (C05).
pub const CONTACTS_MAX: usize = 50;

/// Characters of what was said last that such a list shows.
pub const CONTACT_TEXT_CHARS: usize = 80;

/// Conversations looked at for it: of visitors who come again and again the list is shorter.
pub const CONTACT_CONVERSATIONS_READ_MAX: u32 = 1_000;

/// Assignments of a conversation that are shown (X04), the newest.
pub const ASSIGNMENTS_SHOWN_MAX: u32 = 100;

/// Sessions of one account: a few machines and forgotten browsers. The oldest that no socket uses
/// give way.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 20;

/// Tokens of one visitor: a browser that loses its storage again and again leaves old ones behind.
pub const TOKENS_PER_VISITOR_MAX: u32 = 10;

/// A secret in a request, in bytes: ours have 43; anything much longer is not looked at.
pub const TOKEN_BYTES_MAX: usize = 128;

/// Wrong passwords for one account from one address: five, then one each 12 s.
pub const WRONG_PASSWORDS: ThrottleRule =
    ThrottleRule { burst: 5, refill_ms: 12_000, keys_max: 20_000 };

/// Sign-ins from one address: an office behind one address signs in together in the morning.
pub const SIGN_INS_PER_ADDRESS: ThrottleRule =
    ThrottleRule { burst: 60, refill_ms: 1_000, keys_max: 20_000 };

/// Wrong tokens over HTTP from one address: clients of an office whose sessions all ended at once pass.
/// Tokens known to be right are not held up.
pub const WRONG_TOKENS: ThrottleRule =
    ThrottleRule { burst: 120, refill_ms: 500, keys_max: 20_000 };

/// Tokens remembered as right.
pub const RIGHT_TOKENS_KNOWN_MAX: usize = 65_536;

/// And for how long after they were, in milliseconds.
pub const RIGHT_TOKEN_KNOWN_MS: u64 = 60 * 60 * 1_000;

/// New visitors, and returns by a ticket, from one address: an office or a school behind one address
/// enters together; more than this is a flood.
pub const ENTRANCES: ThrottleRule = ThrottleRule { burst: 120, refill_ms: 500, keys_max: 50_000 };

/// What an agent was at which time is kept for so many days: two years and a month, so that a month can
/// be compared with the same one two years before.
pub const PRESENCE_KEPT_DAYS: u64 = 761;

/// Older rows of an agent taken away with each new one: more than come in, so the table stops growing.
pub const PRESENCE_FORGOTTEN_AT_ONCE: u32 = 4;

/// A visitor who never had a conversation is kept for so many days after being seen last: whoever looks
/// at a website now and then is still the same visitor when the first question comes.
pub const UNHEARD_VISITORS_KEPT_DAYS: u64 = 90;

/// Such visitors looked at with each one who enters: more than come in, so the table stops growing.
pub const UNHEARD_VISITORS_FORGOTTEN_AT_ONCE: u32 = 4;

/// Return tickets of one visitor, each a row that is stored: a page asks for one when it has none.
pub const TICKETS: ThrottleRule = ThrottleRule { burst: 60, refill_ms: 2_000, keys_max: 50_000 };

/// Passwords hashed at once: each takes a core and 19 MiB for a moment.
pub const HASHES_AT_ONCE: usize = 2;

/// Waiting before them: a few seconds of work.
pub const HASHES_WAITING_MAX: usize = 64;

/// The body of an HTTP request. The largest is a site with all its domains and a long welcome.
pub const REQUEST_BODY_BYTES_MAX: usize = 64 * 1_024;

/// The body of a change of settings: two hundred rules that each ask a few things fit.
pub const SETTINGS_BODY_BYTES_MAX: usize = 512 * 1_024;

/// Departments, skills and rules, each: more than anybody finds their way in.
pub const SETTINGS_LIST_MAX: usize = 200;

/// Conversations of a past day that is played again: a large company's, in a few seconds.
pub const REPLAY_CONVERSATIONS_MAX: usize = 20_000;

/// Comings and goings of agents, and assignments, of such a day, each: several for everybody.
pub const REPLAY_FACTS_MAX: usize = 100_000;

/// Messages of such a day, of which only who wrote and when is read.
pub const REPLAY_MESSAGES_MAX: usize = 500_000;

/// How long a past day is played at most, in milliseconds: whoever asked still waits for it.
pub const REPLAY_MS_MAX: u64 = 8_000;

/// Lines of the audit given at once.
pub const AUDIT_ENTRIES_MAX: usize = 100;

/// Conversations that managers were told of and nobody saw to, in a snapshot: the newest. Where there are
/// more, the floor is the place to look.
pub const SNAPSHOT_ALERTS_MAX: u32 = 500;

/// Notes in a page of messages. Where more stand among its messages, the page has fewer messages; of
/// more than that after one message the newest are given.
pub const NOTES_OF_PAGE_MAX: u32 = 200;

/// What a snapshot's rows, or a page of messages with its notes, may weigh, roughly as JSON: a slow link
/// still has it in a second. The first row is given however long it is.
pub const SNAPSHOT_BYTES_MAX: usize = 256 * 1_024;
