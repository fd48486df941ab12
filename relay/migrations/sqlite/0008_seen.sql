-- When the relay was last there with anybody connected: agents who were gone with it are gone since
-- then, and not since the next start.
CREATE TABLE presence_seen (
    id BIGINT NOT NULL PRIMARY KEY, -- 1
    at BIGINT NOT NULL
) WITHOUT ROWID;

-- It became a leave-message by waiting for too long, and the visitor filled in no form.
ALTER TABLE leave_messages ADD COLUMN is_filed BIGINT NOT NULL DEFAULT 0;
