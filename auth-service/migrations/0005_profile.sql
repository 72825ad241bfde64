-- What people show of themselves.

alter table account
    -- The name by which others find them, as it was typed; null until it is chosen.
    add column username text,
    -- What the eye keeps of the username (profiles/services.rs): two names that are easily taken for each other have the same.
    add column username_skeleton text,
    add column bio text,
    add column location text,
    -- Nobody but the person sees it.
    add column birth_date date,
    -- Whether others see the age that follows from it.
    add column show_age boolean not null default false,
    add column avatar_url text,
    add constraint account_username_skeleton check ((username is null) = (username_skeleton is null));

-- Uniqueness is decided here. Names that differ in case only have one skeleton, too.
create unique index account_username_key on account (username_skeleton);
-- People by username. Usernames are ASCII: the collation "C" knows their case, and serves the search for beginnings.
create index account_username on account (lower(username collate "C"));
