-- People are found by how they write themselves: what is compared is their name in a folded form, which the service makes
-- (names/folding.rs), because SQL knows neither full case folding nor which marks of which script are diacritics.

-- A person's names as they are compared with what somebody looks for.
create table search_name (
    user_id uuid primary key references account (id) on delete cascade,
    -- Which version of the folding made the row; 0: none yet, or the names have changed since. A worker writes such rows.
    folding smallint not null default 0,
    -- Username and names, for names that nearly are what was typed.
    text text not null default ''
);

-- What the worker looks for.
create index search_name_folding on search_name (folding);
-- Names that nearly are what was typed.
create index search_name_text on search_name using gin (text gin_trgm_ops);

-- The beginnings by which a name is found: one for each of its words, going on with the others and without blanks, so that
-- either order of names is found. It hangs on search_name and not on account, so that whoever writes keys needs no lock of
-- the account, which a deletion takes first.
create table search_key (
    user_id uuid not null references search_name (user_id) on delete cascade,
    -- In the collation "C" all texts with one beginning lie beside each other.
    key text not null collate "C",
    primary key (user_id, key)
);

-- The search for a beginning.
create index search_key_key on search_key (key, user_id);

-- Whoever writes a name, be it an older release: the row is out of date until the service has folded it.
create function account_named() returns trigger language plpgsql set search_path from current as $$
begin
    insert into search_name (user_id) values (new.id) on conflict (user_id) do update set folding = 0;
    return null;
end $$;

create trigger account_named after insert or update of username, first_name, last_name on account
    for each row execute function account_named();

insert into search_name (user_id) select id from account;

-- What was compared before: it knew lower case only.
drop index account_full_name;
drop index account_last_name;
drop index account_search_text;
alter table account drop column search_text;

-- Names are stored as NFC from now on.
update account set first_name = normalize(first_name, nfc), last_name = normalize(last_name, nfc)
    where first_name is not nfc normalized or last_name is not nfc normalized;
