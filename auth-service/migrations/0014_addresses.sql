-- One mailbox has one account, however its address is written.

alter table account
    -- What two spellings of one address have in common (users/address.rs): NFKC, the domain as A-labels, letters without
    -- case. The column email holds the address to which mail goes, with its domain as A-labels. Null: an earlier version
    -- stored the address, and it was not brought into this form yet, or another account has the same one.
    add column email_key text,
    -- The address that the owner of a verified account wants instead. It counts once it is proved.
    add column pending_email text;

drop index account_email_key;

-- Most addresses are ASCII, which SQL can bring into the form. All others are left to the service, which does so when it
-- starts. Of two accounts that are the same then, the verified one, or else the older one, has the address.
with plain as (
    select id, is_verified, created_at,
        left(email, -length(substring(email from '[^@]*$'))) || lower(substring(email from '[^@]*$') collate "C") as written,
        lower(email collate "C") as key
    from account
    where octet_length(email) = char_length(email) and email ~ '^[^@ ]+@[^@ ]+$' and email !~* 'xn--'
), chosen as (
    select distinct on (key) id, written, key from plain order by key, is_verified desc, created_at, id
)
update account set email = chosen.written, email_key = chosen.key from chosen where chosen.id = account.id;

-- Uniqueness is decided here.
create unique index account_email_key on account (email_key);
-- What is left to the service.
create index account_without_email_key on account (id) where email_key is null;
