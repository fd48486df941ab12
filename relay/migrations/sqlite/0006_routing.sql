-- Routing in full: what a conversation asks for and how it waits, who takes part, invitations, notes,
-- leave-messages, why an agent got it, settings, presence over the day, and who did what.

-- What is asked of the rules when it begins (JSON), and what they answered. `department_id` is NULL
-- until they did.
ALTER TABLE conversations ADD COLUMN described TEXT NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN routed TEXT NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN department_id TEXT;
ALTER TABLE conversations ADD COLUMN skill_id TEXT;
ALTER TABLE conversations ADD COLUMN rule_id TEXT;
ALTER TABLE conversations ADD COLUMN own_agent_id TEXT;
ALTER TABLE conversations ADD COLUMN own_named BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN vip BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
-- Since when it is in line; NULL: since it began. At the front, and why, if it was served before.
ALTER TABLE conversations ADD COLUMN waiting_since BIGINT;
ALTER TABLE conversations ADD COLUMN front BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN requeue_reason TEXT NOT NULL DEFAULT '';
-- When the visitor was told the reason to wait.
ALTER TABLE conversations ADD COLUMN told_at BIGINT;
-- Moves for want of an answer since the last answer.
ALTER TABLE conversations ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
-- What managers were told and have not seen done; empty for nothing.
ALTER TABLE conversations ADD COLUMN alert TEXT NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN alerted_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN alerted_position BIGINT NOT NULL DEFAULT 0;
-- Who takes part beside the one who serves it: JSON, in the order they joined.
ALTER TABLE conversations ADD COLUMN members TEXT NOT NULL DEFAULT '[]';
-- Those of them the visitor was not told of: JSON too.
ALTER TABLE conversations ADD COLUMN unannounced TEXT NOT NULL DEFAULT '[]';
-- The few with members, so that a member finds them; and those managers were told of.
CREATE INDEX conversations_shared ON conversations (id) WHERE state = 'serving' AND members <> '[]';
CREATE INDEX conversations_alerted ON conversations (id) WHERE state <> 'ended' AND alert <> '';

-- What was there before these columns belongs to the department every company begins with.
UPDATE conversations SET department_id = 'default' WHERE state <> 'ended';

ALTER TABLE agents ADD COLUMN departments TEXT NOT NULL DEFAULT '["default"]';
ALTER TABLE agents ADD COLUMN skills TEXT NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN auto_replies TEXT NOT NULL DEFAULT '{}';
-- When a conversation last came or went; since when no client is connected, if none signed out.
ALTER TABLE agents ADD COLUMN idle_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE agents ADD COLUMN lost_at BIGINT;

-- One row a section of the settings: JSON, and how often it was changed.
CREATE TABLE settings (
    section TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;

-- Who had a conversation, and why (X04). `how` is JSON.
CREATE TABLE assignments (
    conversation_id TEXT NOT NULL,
    position BIGINT NOT NULL, -- of the event that told it
    at BIGINT NOT NULL,
    agent_id TEXT NOT NULL,
    department_id TEXT,
    how TEXT NOT NULL,
    PRIMARY KEY (conversation_id, position)
) WITHOUT ROWID;
-- How fast lines moved lately, and an agent's work of the day.
CREATE INDEX assignments_by_time ON assignments (at);

-- Kept when over, so that a late answer learns it.
CREATE TABLE invitations (
    id TEXT NOT NULL PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    from_agent_id TEXT NOT NULL,
    to_agent_id TEXT,
    to_department_id TEXT,
    kind TEXT NOT NULL, -- transfer, join
    note TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    offered_to TEXT,
    offered_until BIGINT,
    offered_position BIGINT NOT NULL DEFAULT 0,
    declined TEXT NOT NULL DEFAULT '[]',
    outcome TEXT NOT NULL DEFAULT '' -- empty while open
) WITHOUT ROWID;
CREATE INDEX invitations_open ON invitations (conversation_id, made_at, id) WHERE outcome = '';
CREATE INDEX invitations_to_agent ON invitations (offered_to) WHERE outcome = '';

-- Lines among staff. They stand after a message and have no number of their own.
CREATE TABLE notes (
    conversation_id TEXT NOT NULL,
    position BIGINT NOT NULL, -- of the event that told it
    after_seq BIGINT NOT NULL,
    id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    text TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX notes_by_id ON notes (id, agent_id);

-- Places still taken after an end.
CREATE TABLE wrap_ups (
    conversation_id TEXT NOT NULL PRIMARY KEY,
    agent_id TEXT NOT NULL,
    until BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX wrap_ups_by_agent ON wrap_ups (agent_id, until);

-- What visitors left when nobody was there (H03).
CREATE TABLE leave_messages (
    conversation_id TEXT NOT NULL PRIMARY KEY,
    visitor_id TEXT NOT NULL,
    name TEXT NOT NULL,
    contact TEXT NOT NULL,
    at BIGINT NOT NULL
) WITHOUT ROWID;

-- What an agent was from then on: online, busy, away, lost, out (L03).
CREATE TABLE presence_log (
    agent_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (agent_id, at)
) WITHOUT ROWID;

-- Who did what (X20).
CREATE TABLE audit (
    number INTEGER NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    agent_id TEXT NOT NULL,
    deed TEXT NOT NULL,
    subject TEXT NOT NULL
);

-- What the log shows of other tables, with who takes part.
DROP VIEW v_log;
CREATE VIEW v_log AS
SELECT e.position, e.at, e.kind, e.conversation_id, e.seq, e.body,
       c.visitor_id, c.agent_id, c.members,
       m.client_id, m.author, m.actor_id, m.content, m.is_notice, m.at AS message_at,
       m.visitor_count, m.unanswered_since, m.sum AS message_sum,
       a.nickname AS author_nickname
FROM events e
LEFT JOIN conversations c ON c.id = e.conversation_id
LEFT JOIN messages m ON m.conversation_id = e.conversation_id AND m.seq = e.seq
LEFT JOIN agents a ON a.id = m.actor_id;
