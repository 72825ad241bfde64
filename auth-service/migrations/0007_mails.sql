-- Mails hold what they tell instead of their text. The text is made in the moment in which they are sent, and with it the
-- token that it carries: so no token lies here, however long a mail waits.

alter table mail
    -- What it tells: {"kind": …} and the facts of that kind. Of a mail that was sent only the kind is left.
    add column letter jsonb,
    -- What it follows from, among mails of its kind: the same cause never makes two mails.
    add column cause text,
    -- When it was sent; then it has no recipient any more, and stays for a month for the sake of its cause.
    add column sent_at timestamptz,
    -- When it was given up; it stays for a month, so that somebody can see it and have it tried again.
    add column failed_at timestamptz,
    -- What went wrong at the last try.
    add column error text;

-- Mails that wait are written anew, with another token.
update mail set cause = id::text, letter = jsonb_build_object(
    'kind', case subject when 'Set a new password' then 'PASSWORD_RESET' else 'VERIFICATION' end);

alter table mail
    drop column subject,
    drop column body,
    alter column letter set not null,
    alter column cause set not null,
    alter column recipient drop not null,
    -- A mail that was sent or given up is not due.
    alter column due_at drop not null,
    add constraint mail_state check (num_nonnulls(due_at, sent_at, failed_at) = 1),
    -- VERIFICATION, PASSWORD_RESET: bring a token. WELCOME: the address was verified for the first time.
    -- PASSWORD_CHANGED, NEW_SIGN_IN: say what happened to the account, in case its owner did not do it.
    -- SIGN_UP_ATTEMPT: somebody tried to make a second account for the address.
    add constraint mail_kind check (letter ->> 'kind' in
        ('VERIFICATION', 'PASSWORD_RESET', 'WELCOME', 'PASSWORD_CHANGED', 'NEW_SIGN_IN', 'SIGN_UP_ATTEMPT'));

create unique index mail_cause_key on mail ((letter ->> 'kind'), cause);
-- What is kept for a while: newest first, and by its end.
create index mail_failed on mail (failed_at desc, id desc) where failed_at is not null;
create index mail_sent on mail (sent_at) where sent_at is not null;
