//! The relay's own limits; those both ends of the wire know stand in `yingke_shared::limits`.
//! Everything has one, named here, with the reason for its size.

// ---- store ----

/// Closures waiting for the writer. At 5,000 a second it drains in under a second; more waiting
/// would only be later "busy".
pub const WRITE_QUEUE_MAX: usize = 4_096;

/// Closures in one batch: beyond about 100 the sync is already paid for, and a batch that dies runs
/// each closure again alone, so this also bounds that.
pub const BATCH_CLOSURES_MAX: usize = 256;

/// A closure that holds the writer longer than this is named in the log.
pub const SLOW_CLOSURE_MS: u128 = 50;

/// Closures waiting for a reader thread.
pub const READ_QUEUE_MAX: usize = 4_096;

/// Reader threads. Reads are short and mostly in memory; more than this only adds caches.
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
/// starts again from its beginning: it stays below about 64 MiB under any load.
pub const WAL_PAGES_MAX: i64 = 16_000;

/// The write-ahead log's file is cut to this when it starts again.
pub const WAL_KEPT_BYTES: i64 = 64 * 1_024 * 1_024;

/// The checkpointer looks at the write-ahead log at most this often, in milliseconds.
pub const CHECKPOINT_PAUSE_MS: u64 = 20;

// ---- event log ----

/// Entries of the log's end kept in memory; a reader further behind reads the database.
pub const TAIL_ENTRIES_MAX: usize = 4_096;

/// And at most this many bytes of them.
pub const TAIL_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Entries a log reader gets at once.
pub const LOG_READ_ENTRIES_MAX: usize = 256;

/// Positions a resuming session may be behind before it takes a snapshot instead.
pub const RESUME_POSITIONS_MAX: usize = 5_000;

/// Bytes of events a resuming session is sent before it takes a snapshot instead.
pub const RESUME_BYTES_MAX: usize = 1_024 * 1_024;

// ---- start, listening, stopping ----

/// The configuration file, in bytes. Ours has a few hundred.
pub const CONFIG_FILE_BYTES_MAX: u64 = 64 * 1_024;

/// Trusted proxy networks: each is compared for each request.
pub const TRUSTED_PROXIES_MAX: usize = 64;

/// Addresses read of an `X-Forwarded-For`: one for each proxy in a row, and some that lie.
pub const FORWARDED_HOPS_MAX: usize = 16;

/// Connections open at once, sockets included. Beyond it new ones are closed at once, so that those
/// that are there keep their file descriptors and memory.
pub const CONNECTIONS_MAX: usize = 65_536;

/// A request's head must be complete within this, in milliseconds: a trickling one holds nothing.
pub const REQUEST_HEAD_WITHIN_MS: u64 = 10_000;

/// From the request to stop to the end of the process, in milliseconds, whatever clients do.
pub const STOP_WITHIN_MS: u64 = 10_000;

/// Of it, for sockets to say goodbye and for requests to be answered; the rest is for the store.
pub const STOP_CLIENTS_WITHIN_MS: u64 = 6_000;
