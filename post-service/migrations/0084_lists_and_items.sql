set local lock_timeout = '2s';

-- By which lists published posts are found that have no index of their own, newest first: a category, or `media`, they have pictures.
-- An index over the categories of a post has no order, and the order by time alone reads all newer posts of a category that is no longer
-- used. What is read of it is looked at in the posts again: a row may be one too many, and none is missing.
create table post_listing (
    list text collate "C" not null,
    -- When the post was created, which is the order of lists.
    created_at timestamptz not null,
    post_id uuid not null,
    primary key (list, created_at, post_id)
);

create function list_post() returns trigger language plpgsql set search_path from current as $$
begin
    if tg_op = 'DELETE' then
        delete from post_listing
        where list = any(old.types || 'media'::text) and created_at = old.created_at and post_id = old.id;
        return null;
    end if;
    if tg_op = 'UPDATE' then
        delete from post_listing where list = any(old.types) and created_at = old.created_at and post_id = old.id;
    end if;
    if new.status = 'POSTED' then
        insert into post_listing (list, created_at, post_id)
        select distinct category, new.created_at, new.id from unnest(new.types) as category
        on conflict do nothing;
    end if;
    return null;
end
$$;

create function list_post_with_media() returns trigger language plpgsql set search_path from current as $$
begin
    if tg_op = 'INSERT' then
        insert into post_listing (list, created_at, post_id)
        select 'media', created_at, id from post where id = new.post_id
        on conflict do nothing;
    else
        delete from post_listing using post
        where post.id = old.post_id and list = 'media' and post_listing.created_at = post.created_at
            and post_listing.post_id = old.post_id and not exists (select from post_media where post_id = old.post_id);
    end if;
    return null;
end
$$;

-- They are triggers and not statements of the service, so that posts of the release before are listed, too. The counters of a post,
-- which change all the time, set none of them off.
create trigger post_listed after insert on post for each row execute function list_post();
create trigger post_relisted after update of types, status on post for each row
    when (old.types is distinct from new.types or old.status is distinct from new.status) execute function list_post();
create trigger post_unlisted after delete on post for each row execute function list_post();
create trigger post_media_listed after insert or delete on post_media for each row execute function list_post_with_media();

-- What a post says about its item, as its own author wrote it or as it was said when the post came to it: url, title, artists, site,
-- picture_url. No other post can change it. Null: a post of the release before, which says what the row of the item says.
alter table post_item add column words jsonb;

-- The release before gives a post another item without its words, which are not those of the item before.
create function forget_item_words() returns trigger language plpgsql as $$
begin
    new.words := null;
    return new;
end
$$;

create trigger item_words_forgotten before update of item_id on post_item for each row
    when (new.item_id <> old.item_id and new.words is not distinct from old.words) execute function forget_item_words();

-- What the row of an item says, as posts have it.
create function item_words(described item) returns jsonb language sql immutable as $$
    select jsonb_build_object('url', described.url, 'title', described.title, 'artists', described.artists, 'site', described.site,
        'picture_url', described.picture_url)
$$;
