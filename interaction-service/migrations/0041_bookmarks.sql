-- Posts that a user keeps for later. Nobody else sees them, and no event reports them.
create table bookmark (
    id uuid primary key,
    created_at timestamptz not null default now(),
    user_id uuid not null,
    -- Bookmarks of a deleted post are deleted with its comments; those of one that is archived or hidden wait for its return.
    post_id uuid not null references post (id),
    -- Where the user has put it; null: in none.
    folder text constraint bookmark_folder check (char_length(folder) between 1 and 50),
    -- A post is kept once, in one folder.
    constraint bookmark_user_id_post_id_key unique (user_id, post_id)
);

-- A user's bookmarks, newest first.
create index bookmark_user_id on bookmark (user_id, created_at desc, id desc);
-- Whose bookmarks go with a post.
create index bookmark_post_id on bookmark (post_id);
