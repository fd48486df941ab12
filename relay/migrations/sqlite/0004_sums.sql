-- The sum of a message's row: the engine has none, so a flipped bit in a text would be read as if
-- someone had written it. 0 is a row from before there were sums; it is not compared.
ALTER TABLE messages ADD COLUMN sum BIGINT NOT NULL DEFAULT 0;

-- What the log shows of other tables, with the sum and the columns it is over.
DROP VIEW v_log;
CREATE VIEW v_log AS
SELECT e.position, e.at, e.kind, e.conversation_id, e.seq, e.body,
       c.visitor_id, c.agent_id,
       m.client_id, m.author, m.actor_id, m.content, m.is_notice, m.at AS message_at,
       m.visitor_count, m.unanswered_since, m.sum AS message_sum,
       a.nickname AS author_nickname
FROM events e
LEFT JOIN conversations c ON c.id = e.conversation_id
LEFT JOIN messages m ON m.conversation_id = e.conversation_id AND m.seq = e.seq
LEFT JOIN agents a ON a.id = m.actor_id;
