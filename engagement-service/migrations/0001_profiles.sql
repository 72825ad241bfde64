-- Activity profiles: what a person did, how engaged that makes them, and what is known of posts to count them right.

create table profile (
    id uuid primary key,
    -- Whose it is. The row is also the lock under which everything of this person in the tables below is changed.
    user_id uuid not null unique,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- What the person did and did not take back. Signed sums of events: a deletion that overtakes its creation brings one
    -- below zero for a moment. They are never written as read-then-add, and clamped only when they are shown.
    total_owned_posts bigint not null default 0,
    total_post_comments bigint not null default 0,
    total_post_reactions bigint not null default 0,
    total_post_views bigint not null default 0,
    -- 0 to 100, from the activity of the last 30 days.
    engagement_score double precision not null default 0,
    -- The level of that score.
    status text not null default 'ISOLATED' constraint profile_status check (
        status in ('HIGHLY_ACTIVE', 'MODERATELY_ACTIVE', 'NORMALLY_ACTIVE', 'LESS_ACTIVE', 'ISOLATED')
    ),
    -- The UTC day up to which the score looks. Null: no activity is left that could enter or leave the 30 days, so the
    -- score is 0 and stays so until the person does something.
    scored_on date
);

-- Whose 30 days have moved since the score was calculated.
create index profile_scored_on on profile (scored_on);

-- How many posts of a person are about a category. A post counts once per entry of its types, so twice for a duplicate.
create table summary (
    user_id uuid not null,
    -- A word that this service does not know is counted too, and shown as soon as it is known.
    category text not null,
    total bigint not null,
    primary key (user_id, category)
);

-- What a person did per UTC day, for as long as the day is among the last 30.
create table activity (
    user_id uuid not null,
    -- The day on which the post, comment or reaction was made, so that a deletion takes away from the day of the creation;
    -- of a view the day on which it was told.
    day date not null,
    kind text not null check (kind in ('POST', 'COMMENT', 'REACTION', 'VIEW')),
    -- A signed sum, as in the profile.
    total bigint not null,
    primary key (user_id, day, kind)
);

-- What is known of each post, because its events come in three streams that overtake each other.
create table post (
    id uuid primary key,
    -- The author.
    user_id uuid not null,
    -- The UTC day on which it was written.
    day date not null,
    -- Its categories as counted in the summary. Null: the post was deleted. That row stays, or a creation or update that
    -- comes late would bring the post back.
    types jsonb,
    -- The post's updated_at: an event that is not newer changes nothing.
    version timestamptz not null
);
