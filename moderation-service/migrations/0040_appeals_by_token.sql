-- Appeals without a sign-in, for accounts that are banned.

-- The key under which the right to appeal a decision is hashed, one for all replicas. It never leaves the database: what goes out
-- is SHA-256 over these 32 bytes and the 16 of a decision's id. Another key makes the links in mails that were sent useless.
create table appeal_key (
    one boolean primary key default true check (one),
    key bytea not null check (length(key) = 32)
);
insert into appeal_key (key)
values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
