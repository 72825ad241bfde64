-- What is kept of requests; the same in every service.

-- Answers to requests that carried an Idempotency-Key and created something, written in the transaction that created it.
create table answer (
    -- Who asked; the nil UUID for requests that need no account.
    subject uuid not null,
    -- The key, chosen by the caller.
    key text not null,
    -- SHA-256 of method, path and body: the same key with another request is refused.
    fingerprint bytea not null check (length(fingerprint) = 32),
    status smallint not null,
    -- As it was sent: json, not jsonb, keeps the order of the fields.
    body json not null,
    answered_at timestamptz not null default now(),
    primary key (subject, key)
);

-- What is forgotten after a day.
create index answer_answered_at on answer (answered_at);

-- Who did what that somebody may have to answer for. Ids only: a person's name or address is never in it.
create table audit (
    id uuid primary key,
    at timestamptz not null default clock_timestamp(),
    -- The person; null is an operator with the service token, or, where the action is a sign-in, somebody unknown.
    who uuid,
    -- What was done, as a word: dead_letter_discarded, role_changed.
    action text not null,
    -- The id of what it was done to.
    target uuid,
    -- How it ended, or what it was changed to.
    result text not null,
    -- The network that the request came from, /24 or /48; null when it was no request.
    address_prefix text,
    -- The X-Request-ID of the answer.
    request_id text
);

create index audit_at on audit (at desc, id desc);
create index audit_target on audit (target, at desc);

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit is append-only';
end
$$;

create trigger audit_append_only before update or delete on audit
    for each statement execute function audit_is_append_only();
