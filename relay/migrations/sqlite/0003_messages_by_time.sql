-- Ids of messages begin with the time: with them first, the newest stand together at the index's end,
-- and a batch of messages touches a page or two of it instead of one for each sender.
DROP INDEX messages_by_client_id;
CREATE UNIQUE INDEX messages_by_client_id ON messages (client_id, actor_id);
