-- Sessions: what a sign-in begins, on one device, until it is ended or runs out.

create table session (
    -- What access tokens call it (sid).
    id uuid primary key,
    user_id uuid not null references account (id) on delete cascade,
    created_at timestamptz not null default now(),
    -- The last time that a refresh token was exchanged; access tokens in between are not noted.
    last_used_at timestamptz not null default now(),
    -- The User-Agent of the sign-in, cut off; for the person to recognise the device by.
    device text,
    -- Where it was last used from: 192.0.2.0/24 or 2001:db8:1::/48, never the whole address.
    address_prefix text,
    -- It goes on until then at most, however often it is used.
    expires_at timestamptz not null,
    ended_at timestamptz,
    -- Why it was ended before that.
    end_reason text constraint session_end_reason check (end_reason in (
        -- Its person signed out: here, everywhere, or of another device.
        'SIGNED_OUT', 'SIGNED_OUT_EVERYWHERE', 'REVOKED',
        -- All sessions end with the password that they began with.
        'PASSWORD_CHANGED', 'PASSWORD_RESET',
        -- A refresh token came back that had been exchanged before: somebody else has it.
        'REPLAYED',
        -- By an administrator.
        'BANNED'
    )),
    constraint session_ended check ((ended_at is null) = (end_reason is null))
);

-- The list of one's own sessions, and all of them to be ended.
create index session_list on session (user_id, created_at desc, id desc);
-- What the sweep removes.
create index session_over on session (least(ended_at, expires_at));

-- Refresh tokens, each good for one exchange. A row that was consumed stays as long as its session: by it a token that
-- comes back is known as a replay.
create table refresh_token (
    -- The token is 256 random bits; only this is stored.
    sha256 bytea primary key check (length(sha256) = 32),
    session_id uuid not null references session (id) on delete cascade,
    issued_at timestamptz not null default now(),
    consumed_at timestamptz
);

create index refresh_token_session on refresh_token (session_id);

-- Whether tokens of the original, which belong to no session, are good for this person where the service accepts them:
-- until all sessions are ended for the first time.
alter table account add column accepts_legacy boolean not null default true;
update account set accepts_legacy = (generation = 0);
-- Tokens were void by their generation; now they are by their session.
alter table account drop column generation;
