-- What users have written today. A rate alone lets one account fill a disk: thirty long posts a minute are two gigabytes a day.
create table quota (
    id uuid primary key,
    user_id uuid not null,
    -- The day, in UTC.
    day date not null,
    -- Texts created and changed; each change stores and publishes the whole text again.
    texts bigint not null,
    -- Their size together.
    bytes bigint not null,
    created_at timestamptz not null default now(),
    -- The row that a write of the day adds to, so that concurrent writes add up.
    constraint quota_user_id_day_key unique (user_id, day)
);

-- What of it is over.
create index quota_day on quota (day);
