-- Finding people: by name, and by whom one's connections know.

-- Compares texts by their groups of three characters. In pg_catalog everybody finds it, whichever schema they look in; a
-- service may share its database with others. It is a trusted extension: a role that may create a schema may create it,
-- and where it may not, the superuser who made the schema has created it.
create extension if not exists pg_trgm schema pg_catalog;

-- What of a person is compared with what somebody looks for.
alter table account add column search_text text not null generated always as (
    lower(coalesce(username, '') || ' ' || coalesce(first_name, '') || ' ' || coalesce(last_name, ''))
) stored;

-- Names that nearly are what was typed.
create index account_search_text on account using gin (search_text gin_trgm_ops);
-- Names that begin with what was typed. In the collation "C" all texts with one beginning lie beside each other.
create index account_full_name on account
    ((lower(coalesce(first_name, '') || ' ' || coalesce(last_name, '')) collate "C"));
create index account_last_name on account ((lower(last_name) collate "C"));

-- Whom somebody does not want to be suggested.
create table dismissed_suggestion (
    user_id uuid not null references account (id) on delete cascade,
    target_id uuid not null references account (id) on delete cascade,
    dismissed_at timestamptz not null default now(),
    primary key (user_id, target_id)
);

-- What goes with somebody who leaves.
create index dismissed_suggestion_target on dismissed_suggestion (target_id);
