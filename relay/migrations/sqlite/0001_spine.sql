-- The first tables: the log, staff, sites, visitors, conversations, messages.
-- Common dialect: ids TEXT, integers BIGINT, booleans 0/1, times epoch milliseconds, JSON as TEXT.

-- One row: the identity of the log, its end, and how often the relay started.
CREATE TABLE log_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    position BIGINT NOT NULL,
    boot BIGINT NOT NULL
);

-- Appended by position only, so the position is SQLite's row number itself. An event about a message
-- names it by conversation and seq; the text stands in `messages` alone.
CREATE TABLE events (
    position INTEGER NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    conversation_id TEXT,
    seq BIGINT,
    body TEXT NOT NULL DEFAULT ''
);
-- A record's rev (its newest event) and a visitor's resume.
CREATE INDEX events_by_conversation ON events (conversation_id, position)
    WHERE conversation_id IS NOT NULL;

CREATE TABLE agents (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    account_key TEXT NOT NULL UNIQUE, -- the account without regard to case
    nickname TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    capacity BIGINT NOT NULL,
    availability TEXT NOT NULL,
    disabled BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE staff_sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,
    agent_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX staff_sessions_by_agent ON staff_sessions (agent_id);

CREATE TABLE sites (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    enabled BIGINT NOT NULL DEFAULT 1,
    domains TEXT NOT NULL DEFAULT '[]',
    welcome TEXT NOT NULL DEFAULT '',
    preview BIGINT NOT NULL DEFAULT 1,
    return_tickets BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE visitors (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE visitor_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    visitor_id TEXT NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;
-- A visitor's oldest tokens go when there are too many.
CREATE INDEX visitor_tokens_by_visitor ON visitor_tokens (visitor_id, created_at);

-- At most one return ticket a visitor (A33).
CREATE TABLE return_tickets (
    visitor_id TEXT NOT NULL PRIMARY KEY,
    ticket_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE conversations (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    visitor_id TEXT NOT NULL,
    state TEXT NOT NULL, -- waiting, serving, ended
    waiting_reason TEXT NOT NULL DEFAULT '',
    agent_id TEXT,
    page_url TEXT NOT NULL DEFAULT '',
    page_title TEXT NOT NULL DEFAULT '',
    locale TEXT NOT NULL DEFAULT '',
    started_at BIGINT NOT NULL,
    started_position BIGINT NOT NULL, -- of its first event: orders conversations, whatever clocks say
    assigned_at BIGINT,
    first_response_at BIGINT,
    ended_at BIGINT,
    ended_by TEXT
) WITHOUT ROWID;
-- One visitor has at most one open conversation (P17).
CREATE UNIQUE INDEX conversations_open_by_visitor ON conversations (visitor_id)
    WHERE state <> 'ended';
CREATE UNIQUE INDEX conversations_by_visitor ON conversations (visitor_id, started_position);
-- What an agent serves, and who waits, in line.
CREATE INDEX conversations_open_by_agent ON conversations (agent_id, id) WHERE state = 'serving';
CREATE INDEX conversations_waiting ON conversations (started_position) WHERE state = 'waiting';

-- A message is its own idempotency record: (actor_id, client_id). It also carries the running state
-- of its conversation, so that nothing else is updated per message.
CREATE TABLE messages (
    conversation_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    actor_id TEXT NOT NULL, -- visitor id, agent id, or 'system'
    client_id TEXT NOT NULL,
    author TEXT NOT NULL, -- visitor, agent, system
    content TEXT NOT NULL, -- text, or JSON of a notice
    is_notice BIGINT NOT NULL DEFAULT 0,
    at BIGINT NOT NULL,
    visitor_count BIGINT NOT NULL,
    unanswered_since BIGINT,
    PRIMARY KEY (conversation_id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX messages_by_client_id ON messages (actor_id, client_id);

CREATE TABLE marks (
    conversation_id TEXT NOT NULL,
    reader_id TEXT NOT NULL, -- visitor id or agent id
    delivered BIGINT NOT NULL DEFAULT 0,
    read BIGINT NOT NULL DEFAULT 0,
    read_visitor_count BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, reader_id)
) WITHOUT ROWID;

-- Who served a conversation at any time: they may read it, and are not asked twice.
CREATE TABLE conversation_agents (
    conversation_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, agent_id)
) WITHOUT ROWID;
CREATE INDEX conversation_agents_by_agent ON conversation_agents (agent_id, conversation_id);

-- Outcomes of commands other than messages, kept 7 days.
CREATE TABLE command_outcomes (
    actor_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    command TEXT NOT NULL, -- name and body, compared on reuse
    at BIGINT NOT NULL,
    PRIMARY KEY (actor_id, client_id)
) WITHOUT ROWID;
CREATE INDEX command_outcomes_by_time ON command_outcomes (at);

-- What the log shows of other tables: declared here once, read by the log only.
CREATE VIEW v_log AS
SELECT e.position, e.at, e.kind, e.conversation_id, e.seq, e.body,
       c.visitor_id, c.agent_id,
       m.client_id, m.author, m.actor_id, m.content, m.is_notice, m.at AS message_at,
       m.visitor_count, m.unanswered_since,
       a.nickname AS author_nickname
FROM events e
LEFT JOIN conversations c ON c.id = e.conversation_id
LEFT JOIN messages m ON m.conversation_id = e.conversation_id AND m.seq = e.seq
LEFT JOIN agents a ON a.id = m.actor_id;
