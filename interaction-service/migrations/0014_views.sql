-- Views that were counted a short while ago: a second view of the same user within that time counts nothing, so that reloading
-- a page neither fills the streams nor makes a post popular.
create table post_view (
    id uuid primary key,
    viewer uuid not null,
    -- No reference: a view may be of a post that is not stored here, and a row lives for the window only.
    post_id uuid not null,
    -- When a view last counted.
    viewed_at timestamptz not null default now(),
    -- The views that the post was shown with, so that a second view before the first is counted shows no fewer.
    shown bigint not null,
    -- The row that decides which of two views at once counts.
    constraint post_view_viewer_post_id_key unique (viewer, post_id)
);

-- What of it is over.
create index post_view_viewed_at on post_view (viewed_at);
