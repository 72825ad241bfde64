set local lock_timeout = '2s';

-- A search for posts with pictures reads the documents of these alone, however common its words and however rare pictures are.
alter table post_search
    -- Whether its post has pictures, also such as readers do not see; what they see is looked at besides. It may be true of a post
    -- whose pictures were deleted since, and is false of none that has some, but of posts from before until a worker has been there.
    add column has_media boolean not null default false;

-- They are triggers and not statements of the service, so that documents of the release before have it, too.
create function note_media_in_document() returns trigger language plpgsql set search_path from current as $$
begin
    new.has_media := exists (select from post_media where post_id = new.post_id);
    return new;
end
$$;

-- Whoever gives a post pictures has locked it, and so has the worker that writes its document.
create function note_media_in_search() returns trigger language plpgsql set search_path from current as $$
begin
    update post_search set has_media = true where post_id = new.post_id and not has_media;
    return null;
end
$$;

create trigger document_notes_media before insert on post_search for each row execute function note_media_in_document();
create trigger post_media_searched after insert on post_media for each row execute function note_media_in_search();

-- How far the documents from before say it. Until that is done, a search for posts with pictures asks each post with its words.
alter table search_backfill
    -- The last post with pictures whose document says so, in the order of ids.
    add column media_after uuid not null default '00000000-0000-0000-0000-000000000000',
    -- When the last one did; null: it goes on.
    add column media_done_at timestamptz;

-- Where nothing is found yet, all that will be is written with it.
update search_backfill set media_done_at = now() where not exists (select from post_search);
