set local lock_timeout = '2s';

-- The heads of the text model have learned English: of a text in another language, or in one that is not known, their scores mean
-- nothing, and hide nothing. The rules that hide by them say so; what they leave is for a person, by the rules behind them. A policy
-- that an administrator has changed stays as it is: of a rule that names no language the service asks for a person by itself.
--
-- And who names many users at once is looked at, and hidden until then when the account is of today.
update policy set version = 2, updated_at = now(), rules = (
    select jsonb_agg(
        case when rule ->> 'name' in ('hate', 'threat', 'spam', 'racist-slur', 'slur', 'urged-to-self-harm', 'sexual-demand')
            then jsonb_set(rule, '{when}',
                jsonb_build_object('all', jsonb_build_array('{"language": ["eng", "short"]}'::jsonb, rule -> 'when')))
            else rule end
        order by place)
    from jsonb_array_elements(rules) with ordinality as listed (rule, place)
) || '[
    {"name": "new-account-names-many",
     "when": {"all": [{"signal": "account_age_hours", "at_most": 24}, {"signal": "mentions", "at_least": 10}]},
     "outcome": "HOLD", "reason": "SPAM_COMMERCIAL"},
    {"name": "names-many", "when": {"signal": "mentions", "at_least": 20}, "outcome": "REVIEW", "reason": "SPAM_COMMERCIAL"}
]'::jsonb
where id = '019aa0c6-0000-7000-8000-000000000001' and version = 1;

insert into policy_version (policy, version, mode, rules, note)
select id, version, mode, rules, 'It came with the service: scores hide in the languages of the model alone, and who names many is looked at' from policy
where id = '019aa0c6-0000-7000-8000-000000000001' and version = 2
on conflict do nothing;
