set local lock_timeout = '2s';

-- What is minted stays minted while moderation hides its content, so the status does not say who may see it. Of a post that is looked up
-- in the post; of a comment, which is the interaction service's, it is noted here.
alter table mint
    -- Whether its content is hidden.
    add column content_hidden boolean not null default false,
    -- The version of the content that says so, as its events have it: hiding and restoring are on two streams, and the newest counts.
    -- Null: it was neither hidden nor restored.
    add column content_version timestamptz;
