-- A machine may remove spam, by a rule with a threshold of its own: the one thing that it deletes for good.
set local lock_timeout = '2s';

-- Each is replaced by one that allows more: what the release before writes and reads holds under both.
-- squawk-ignore ban-drop-constraint
alter table analysis drop constraint analysis_verdict_check,
    add constraint analysis_verdict_check
        check (verdict in ('ALLOW', 'LABEL', 'REVIEW', 'LIMIT', 'HOLD', 'HIDE', 'REMOVE')) not valid;
-- squawk-ignore ban-drop-constraint
alter table shadow_reading drop constraint shadow_reading_verdict_check,
    add constraint shadow_reading_verdict_check
        check (verdict in ('ALLOW', 'LABEL', 'REVIEW', 'LIMIT', 'HOLD', 'HIDE', 'REMOVE')) not valid;
