-- Moderation's decisions, as far as they were applied. They are in the comment's own row: a comment is committed before moderation can
-- read of it, so a decision about a comment that is not here is about one that is gone.
alter table comment
    -- The newest decision that was applied, by the version that moderation gives to all that it knows of the comment; 0: none was. An
    -- older one changes nothing, so that neither the order nor the repetition of events makes a difference.
    add column decision_version bigint not null default 0,
    -- Whether only the request to delete was applied that is published with a decision, and says less than it.
    add column decision_requested boolean not null default false,
    -- What it lets be seen. HELD and HIDDEN both hide: HELD until a person has looked. LIMITED means nothing for a comment, and is
    -- here for a decision that is lifted later.
    add column visibility text not null default 'VISIBLE'
        constraint comment_visibility check (visibility in ('VISIBLE', 'LIMITED', 'HELD', 'HIDDEN', 'REMOVED')),
    -- What readers are warned of, in moderation's words.
    add column labels text[] not null default '{}';
