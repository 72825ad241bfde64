-- Accounts of other platforms that people have linked to theirs, and by which they sign in.

create table linked_account (
    -- The name of the link. The tokens are encrypted for this id, so the cipher of one row is worth nothing in another one.
    id uuid primary key,
    user_id uuid not null references account (id) on delete cascade,
    -- The name of the provider in the settings. A provider that is not configured any more keeps its rows.
    provider text not null,
    -- What the provider calls the person. An address may change hands there, this does not.
    subject text not null constraint linked_account_subject_length check (length(subject) between 1 and 255),
    -- What the provider says of the person, for them to recognise the link by. It proves nothing here.
    name text,
    email text,
    linked_at timestamptz not null default now(),
    -- The last sign-in by it.
    last_used_at timestamptz,
    -- The scopes that were granted, separated by blanks.
    scopes text not null,
    -- The provider's tokens as JSON, encrypted; the version of the key that can read them.
    tokens bytea not null,
    key_id text not null,
    -- When the access token ends; null: the provider does not say.
    expires_at timestamptz,
    -- Until when one process refreshes the tokens, and no other one does: many providers accept a refresh token once.
    refreshing_until timestamptz,
    -- Since when the provider does not accept the tokens any more; the next sign-in by the link brings new ones.
    refused_at timestamptz,
    -- One person there is one person here, and the database decides it.
    constraint linked_account_subject_key unique (provider, subject),
    -- One account per provider: whose token a service gets is never a choice.
    constraint linked_account_provider_key unique (user_id, provider)
);

-- What is encrypted with a key that is to go.
create index linked_account_key_id on linked_account (key_id);

-- Sign-ins and links that have begun at a provider. A row is good once and for ten minutes.
create table login_attempt (
    -- The value that comes back from the provider is 256 random bits; only this is stored.
    state_sha256 bytea primary key check (length(state_sha256) = 32),
    provider text not null,
    -- SIGN_IN: the caller is unknown. LINK: the caller's account gets a link.
    purpose text not null constraint login_attempt_purpose check (purpose in ('SIGN_IN', 'LINK')),
    user_id uuid references account (id) on delete cascade,
    -- The session that asked for the link, which alone may finish it.
    session_id uuid references session (id) on delete cascade,
    -- The cookie of the browser that began, as SHA-256: what another browser brings back is refused.
    browser_sha256 bytea not null check (length(browser_sha256) = 32),
    -- What the id token has to contain, so that one of another sign-in is refused.
    nonce text not null,
    -- The verifier of PKCE (RFC 7636), encrypted for this row.
    verifier bytea not null,
    key_id text not null,
    begun_at timestamptz not null default now(),
    constraint login_attempt_caller check ((purpose = 'LINK') = (user_id is not null and session_id is not null))
);

create index login_attempt_begun_at on login_attempt (begun_at);
create index login_attempt_user on login_attempt (user_id);
create index login_attempt_session on login_attempt (session_id);

-- Tokens of links that have ended and that their provider has still to revoke. They belong to no account any more.
create table token_revocation (
    -- The id of the link, for which the tokens are encrypted.
    id uuid primary key,
    provider text not null,
    tokens bytea not null,
    key_id text not null,
    created_at timestamptz not null default now(),
    tries integer not null default 0,
    -- Not before then: later after each try, and far enough off that two replicas do not try at once.
    due_at timestamptz not null default now()
);

create index token_revocation_due on token_revocation (due_at);

-- However a link ends, by its person or with the account, its tokens are to be revoked: a trigger, because the deletion of
-- an account deletes its links by the foreign key.
create function revoke_linked_account() returns trigger language plpgsql as $$
begin
    insert into token_revocation (id, provider, tokens, key_id) values (old.id, old.provider, old.tokens, old.key_id);
    return old;
end
$$;

create trigger linked_account_revoked after delete on linked_account
    for each row execute function revoke_linked_account();
