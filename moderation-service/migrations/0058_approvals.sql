set local lock_timeout = '2s';

-- A user may be one whose contents a moderator wants to see before others do.
-- The constraint is replaced by one that allows more: what the release before writes and reads holds under both.
-- squawk-ignore ban-drop-constraint
alter table subject drop constraint subject_standing_check,
    add constraint subject_standing_check
        check (standing in ('ACTIVE', 'APPROVAL_REQUIRED', 'MUTED', 'BANNED')) not valid;

-- What follows for such contents. A policy of its own, so that administrators may change it without the others.
insert into policy (id, name, version, mode, rules) values ('019aa0c6-0000-7000-8000-000000000004', 'Approval', 1, 'ENFORCE', '[
    {"name": "approval-required", "when": {"signal": "approval_required", "at_least": 1}, "outcome": "HOLD",
     "reason": "OTHER_APPROVAL", "severity": 0.3}
]')
on conflict (name) do nothing;
insert into policy_version (policy, version, mode, rules, note)
select id, version, mode, rules, 'It came with the service' from policy
where id = '019aa0c6-0000-7000-8000-000000000004';
