-- What a mailed token proves: that its user reads the mails of one address, the one that it went to.

-- Tokens did not say where they went, so those of before this are void: one that was mailed to an address proves nothing
-- about another one that the account has got since. Whoever waits for a verification asks for another mail.
delete from user_token;

alter table user_token
    -- The address that it was mailed to, as in account.email. It proves this one and no other.
    add column email text not null,
    -- What else it is about: the claim that an ACTIVATION accepts, the change that an UNDO takes back.
    add column about uuid,
    drop constraint user_token_purpose_check,
    -- ACTIVATION: verifies an address, within 7 days. PASSWORD_RESET: sets a password, within 300 seconds. UNDO: takes back
    -- a change of address or password, within 72 hours.
    add constraint user_token_purpose_check check (purpose in ('ACTIVATION', 'PASSWORD_RESET', 'UNDO'));

alter table account
    -- The browser that signed up, as SHA-256 of its address and User-Agent, until the mail address is verified: whoever
    -- verifies from there need not show again that they know the password.
    add column signed_up_by bytea constraint account_signed_up_by check (length(signed_up_by) = 32);

-- A sign-up with the address of an account that nobody has verified. Whoever proves the address from the same browser
-- gets the account with this password and these names, and whoever signed up before is out.
create table sign_up_claim (
    id uuid primary key,
    user_id uuid not null references account (id) on delete cascade,
    claimed_at timestamptz not null default now(),
    email text not null,
    first_name text,
    last_name text,
    interests text[] not null,
    password_hash text not null,
    -- As account.signed_up_by.
    signed_up_by bytea not null check (length(signed_up_by) = 32)
);

create index sign_up_claim_user on sign_up_claim (user_id, claimed_at);

-- How an account with a verified address was before its address or password changed. The verified address got a mail with
-- a token that brings this state back; until it ends, no other account takes the address.
create table account_change (
    id uuid primary key,
    user_id uuid not null references account (id) on delete cascade,
    changed_at timestamptz not null default now(),
    -- What changed: ADDRESS_ASKED (a new one was given, and is not proved), ADDRESS, PASSWORD.
    kind text not null constraint account_change_kind check (kind in ('ADDRESS_ASKED', 'ADDRESS', 'PASSWORD')),
    -- The state before.
    email text not null,
    email_key text not null,
    password_hash text not null
);

create index account_change_user on account_change (user_id, changed_at desc, id desc);
create index account_change_email_key on account_change (email_key);
create index account_change_changed_at on account_change (changed_at);

alter table mail
    -- As user_token.about, for the token that it brings.
    add column about uuid,
    drop constraint mail_kind,
    -- VERIFICATION, PASSWORD_RESET: bring a token. WELCOME: the address was verified for the first time.
    -- ADDRESS_ASKED, ADDRESS_CHANGED, PASSWORD_CHANGED: say what changed, and bring a token that takes it back.
    -- CHANGE_UNDONE, NEW_SIGN_IN: say what happened to the account, in case its owner did not do it.
    -- SIGN_UP_ATTEMPT: a sign-up used the address of an account.
    add constraint mail_kind check (letter ->> 'kind' in
        ('VERIFICATION', 'PASSWORD_RESET', 'WELCOME', 'ADDRESS_ASKED', 'ADDRESS_CHANGED', 'PASSWORD_CHANGED',
        'CHANGE_UNDONE', 'NEW_SIGN_IN', 'SIGN_UP_ATTEMPT'));

-- The mail that was asked for: a PASSWORD_RESET, or another ACTIVATION.
alter table reset_request
    add column purpose text not null default 'PASSWORD_RESET' check (purpose in ('ACTIVATION', 'PASSWORD_RESET'));
