set local lock_timeout = '2s';

-- What the author had chosen, and chooses meanwhile, of a post that moderation has LOCKED: it holds again afterwards.
alter table post add column unlocked_comments text
    constraint post_unlocked_comments check (unlocked_comments in ('EVERYONE', 'CONNECTIONS', 'NOBODY'));
-- The constraint is replaced by one that allows more: what the release before writes and reads holds under both.
-- squawk-ignore ban-drop-constraint
alter table post drop constraint post_comments,
    add constraint post_comments check (comments in ('EVERYONE', 'CONNECTIONS', 'NOBODY', 'LOCKED')) not valid;
