-- People, whom they are connected to, the tokens and the mails by which they prove an address.

create table account (
    id uuid primary key,
    created_at timestamptz not null default now(),
    -- Never set by the person who signs up: nobody made the account but they.
    created_by uuid,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    -- As it was typed; case makes no difference between two addresses.
    email text not null,
    first_name text,
    last_name text,
    -- Argon2id as a PHC string, parameters and salt included.
    password_hash text not null,
    -- Whether the person has shown that they read the mails of their address.
    is_verified boolean not null default false,
    date_joined timestamptz not null default now(),
    rating double precision not null default 0,
    -- INACTIVE: the address was never verified. ACTIVE: it was. MUTED, BANNED: set by moderation.
    status text not null default 'INACTIVE'
        constraint account_status check (status in ('ACTIVE', 'INACTIVE', 'MUTED', 'BANNED')),
    -- In the person's order; duplicates are kept.
    interests text[] not null,
    -- How many people this person is connected to. Changed only together with a row of connection.
    total_connections bigint not null default 0 constraint account_total_connections check (total_connections >= 0),
    -- Access tokens of an earlier generation are void; it grows with every change of the password.
    generation integer not null default 0
);

-- Uniqueness is decided here, whatever the case.
create unique index account_email_key on account (lower(email));
-- The list of all, newest first.
create index account_date_joined on account (date_joined desc, id desc);

-- Who is connected to whom. Directed: the target's own connections are their own affair.
create table connection (
    user_id uuid not null references account (id) on delete cascade,
    target_id uuid not null references account (id) on delete cascade,
    connected_at timestamptz not null default now(),
    primary key (user_id, target_id),
    constraint connection_not_self check (user_id <> target_id)
);

-- Who loses a connection when somebody leaves.
create index connection_target on connection (target_id);

-- What of a person is copied into Redis for other services, and how far it was. No reference to account: the row
-- outlives the person, for a Redis that comes back with what it held earlier brings their copy back too.
create table user_detail (
    user_id uuid primary key,
    -- Grows with every change that shows in the copy. Begins with the time in microseconds, so that a database which was
    -- restored from a backup overtakes the versions that Redis already holds.
    version bigint not null default (extract(epoch from clock_timestamp()) * 1000000)::bigint,
    -- The version that Redis has.
    written bigint not null default 0
);

-- What has to be written.
create index user_detail_pending on user_detail (user_id) where written < version;

-- Proofs of an address, each good for one use. The secret goes by mail, only its SHA-256 stays here.
create table user_token (
    -- The name of the record; it opens nothing.
    id uuid primary key,
    created_at timestamptz not null default now(),
    created_by uuid,
    updated_at timestamptz not null default now(),
    updated_by uuid,
    user_id uuid not null references account (id) on delete cascade,
    -- ACTIVATION: verifies the address, without an end. PASSWORD_RESET: sets a password, within 300 seconds.
    purpose text not null check (purpose in ('ACTIVATION', 'PASSWORD_RESET')),
    sha256 bytea not null unique check (length(sha256) = 32)
);

-- The list of one's own tokens.
create index user_token_user on user_token (user_id, created_at desc, id desc);

-- Wishes for a new password, for addresses that may or may not have an account: whoever asks waits for this row only, so
-- the time of the answer tells nothing. A row is gone as soon as it was looked into.
create table reset_request (
    id uuid primary key,
    email text not null,
    requested_at timestamptz not null default now()
);

-- Mails that were not sent yet, written with the change that they follow from. A mail that was sent is deleted, because
-- its text holds a token.
create table mail (
    id uuid primary key,
    user_id uuid not null references account (id) on delete cascade,
    recipient text not null,
    subject text not null,
    body text not null,
    created_at timestamptz not null default now(),
    tries integer not null default 0,
    -- Not before then: later after each try, and far enough off that two replicas do not send it at once.
    due_at timestamptz not null default now()
);

create index mail_due on mail (due_at);
create index mail_user on mail (user_id);
