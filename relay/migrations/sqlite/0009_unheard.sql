-- Visitors who never had a conversation are forgotten some time after they were last seen. `heard` says
-- that one had; of those who were there before this step it is not known, nor when they were seen (0):
-- both is found out a few at a time, when their turn comes.
ALTER TABLE visitors ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE visitors ADD COLUMN heard BIGINT NOT NULL DEFAULT 0;
CREATE INDEX visitors_unheard ON visitors (seen_at) WHERE heard = 0;
