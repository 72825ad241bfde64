-- A key was checked against its document row by row, which was a third of the time that the keys of a post took to write. They are written
-- by one statement with their document, and go with it by one statement here.
alter table search_key drop constraint search_key_post_id_fkey;

create function delete_search_keys() returns trigger language plpgsql as $$
begin
    delete from search_key where post_id = old.post_id;
    return null;
end
$$;

create trigger search_keys_go after delete on post_search for each row execute function delete_search_keys();
