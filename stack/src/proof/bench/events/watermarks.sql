-- Where the watermarks of the consumers are recorded, and the trigger function that does so.
create schema bench;
create table bench.mark (noun text, stream text, ms bigint, primary key (noun, stream, ms));
create function bench.record() returns trigger language plpgsql security definer as $$
begin
    insert into bench.mark values (tg_table_schema, new.stream, new.ms) on conflict do nothing;
    return null;
end $$;
