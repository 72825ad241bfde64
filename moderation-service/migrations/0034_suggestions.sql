-- Scores that clients of Perspective's API suggest for a comment (`comments:suggestscore`). They are read by
-- `export-suggestions`, for a training, and deleted after half a year. The sender is a program, known by the name of its key: no
-- account has to do with it, so an erasure finds nothing here, and a text that names a person goes with its age.
create table suggestion (
    id uuid primary key,
    -- when it was last sent; its age is counted from here
    created_at timestamptz not null default now(),
    -- the name of the key that sent it (PERSPECTIVE_KEYS), never the key
    key_name text not null,
    -- SHA-256 of the text: an index holds no text of 20 KB
    digest bytea not null check (length(digest) = 32),
    text text not null check (octet_length(text) <= 20480),
    -- by attribute, as it was sent: summaryScore, spanScores
    attribute_scores json not null,
    -- those that the request named, if it did
    languages text[] not null,
    -- a session and a community in the sender's own words
    session_id text,
    community_id text,
    -- which model disagreed with the sender; null: none was loaded
    model_version text,
    -- what a sender suggests again replaces what it had suggested: a repeated request adds nothing
    constraint suggestion_key_name_digest_key unique (key_name, digest)
);

-- for the export, oldest first, and for the job that deletes the old ones
create index suggestion_created_at_idx on suggestion (created_at, id);
