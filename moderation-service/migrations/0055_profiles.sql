set local lock_timeout = '2s';

-- What users say of themselves is read, too: a text of the type USER, whose id is that of its author.
-- The constraint is replaced by one that allows more: what the release before writes and reads holds under both.
-- squawk-ignore ban-drop-constraint
alter table content drop constraint content_type_check,
    add constraint content_type_check check (type in ('POST', 'COMMENT', 'MEDIA', 'USER')) not valid;
-- squawk-ignore ban-drop-constraint
alter table analysis drop constraint analysis_content_type_check,
    add constraint analysis_content_type_check check (content_type in ('POST', 'COMMENT', 'MEDIA', 'USER')) not valid;
