set local lock_timeout = '2s';

alter table scheduled_decision
    -- The last entry of the ledger about the subject when the moderator decided: what is behind it, the moderator has not seen. 0: nothing
    -- was seen, as of a row that the release before has written.
    add column seen bigint not null default 0,
    -- How often it could not be made, and when it is tried again. What is due stays due at its time, so that the lag is seen.
    add column attempts integer not null default 0,
    add column next_attempt_at timestamptz,
    -- Why it was cancelled by itself: the right of its moderator that was gone when it was due. Null: it was not.
    add column cancelled_because text;
alter table scheduled_decision add constraint scheduled_decision_cancelled_because_check
    check (cancelled_because in ('LEFT', 'NO_MODERATOR', 'OUT_OF_SCOPE')) not valid;

-- What accounts may do here, as the auth service has said last, for what is done when their tokens are not at hand. The rights of an
-- account that has not changed since the service consumes them are unknown.
create table account_right (
    person uuid primary key,
    -- Whether they decide as moderators: by their role, unless they are muted or banned.
    moderates boolean not null,
    -- Whether they are administrators, whom no scope binds.
    administrates boolean not null,
    -- The version of the account that says so.
    version timestamptz not null
);
