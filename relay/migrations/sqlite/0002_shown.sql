-- When what visitors see of an agent or a site was last another, as a position of the log: whoever
-- resumes from before it is told, at the cost of one row each, however long the log is.
ALTER TABLE agents ADD COLUMN named_position BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sites ADD COLUMN shown_position BIGINT NOT NULL DEFAULT 0;
-- When it was before this step is not known: whoever resumes from before it is told once.
UPDATE agents SET named_position = coalesce((SELECT position FROM log_head WHERE id = 1), 0);
UPDATE sites SET shown_position = coalesce((SELECT position FROM log_head WHERE id = 1), 0);
