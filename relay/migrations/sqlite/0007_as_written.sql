-- Messages stand in the order in which they were written instead of by conversation: a batch of them
-- fills one page of the table after another, and touches of each conversation only a page of an index
-- whose entries are small. Four pages of the disk in ten less for each message stored.
DROP VIEW v_said;
DROP VIEW v_log;
CREATE TABLE messages_as_written (
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
    sum BIGINT NOT NULL DEFAULT 0, -- over the columns; 0 is not compared
    position BIGINT NOT NULL DEFAULT 0 -- of the event that tells of it
);
INSERT INTO messages_as_written (conversation_id, seq, actor_id, client_id, author, content,
    is_notice, at, visitor_count, unanswered_since, sum, position)
SELECT conversation_id, seq, actor_id, client_id, author, content,
    is_notice, at, visitor_count, unanswered_since, sum, position
FROM messages ORDER BY position;
DROP TABLE messages;
ALTER TABLE messages_as_written RENAME TO messages;
CREATE UNIQUE INDEX messages_by_conversation ON messages (conversation_id, seq);
CREATE UNIQUE INDEX messages_by_client_id ON messages (client_id, actor_id);

-- As they were.
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

CREATE VIEW v_said AS
SELECT c.visitor_id, c.started_position, m.seq, m.position
FROM conversations c
JOIN messages m ON m.conversation_id = c.id;
