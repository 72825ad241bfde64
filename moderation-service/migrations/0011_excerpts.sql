-- Long lists of cases show the beginnings of long texts. They are calculated when a case is opened: reading 200 documents of 40 kB
-- as JSON takes most of a second.

-- A content with the beginning of its text. json, not jsonb: the order of the fields is the contract's.
create function shortened(content json, letters integer) returns json language sql immutable as $$
    select json_object_agg(name, case name when 'content' then to_json(left(held #>> '{}', letters)) else held end)
    from (select key, value from json_each(content) union all select 'truncated', to_json(true)) as field (name, held)
$$;

alter table moderation
    -- The length of the text, in characters.
    add column letters integer generated always as (char_length(raw_content ->> 'content')) stored,
    -- The content with the first 500 characters of its text; none when it has no more.
    add column excerpt json generated always as (
        case when char_length(raw_content ->> 'content') > 500 then shortened(raw_content, 500) end) stored;
