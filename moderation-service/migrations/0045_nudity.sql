-- Nudity in pictures: what an image model says about each, and which pictures wait for one.

alter table picture
    -- How likely it is that the picture shows nudity. Null: no model has said so, or the last one could not read it.
    add column nudity double precision check (nudity between 0 and 1),
    -- The model that was shown this version last. Null: none was.
    add column nudity_model text,
    -- From when on a model may be shown it; later than now while one is, or when the post service could not be asked. Null: it
    -- does not wait. Where there is no model all wait, those that were here before among them, so that the first one sees them.
    add column score_at timestamptz default now(),
    -- How often a process has begun with it: one that a process dies of is given up.
    add column score_tries smallint not null default 0;

-- What waits, newest first: new pictures are seen by most.
create index picture_score on picture (saved_at desc) where score_at is not null;
-- What another model has scored, when a new one is there.
create index picture_nudity_model on picture (nudity_model) where nudity_model is not null;

-- What follows where a model is. A person looks at what may be nudity; what most likely is waits for them unseen. The thresholds are
-- those of Open-NSFW, whose authors take 0.8 for likely.
insert into policy (id, name, version, mode, rules) values ('019aa0c6-0000-7000-8000-000000000003', 'Nudity', 1, 'ENFORCE', '[
    {"name": "nudity", "when": {"signal": "nudity", "at_least": 0.95}, "outcome": "HOLD", "reason": "SEXUAL_NUDITY", "severity": 0.6},
    {"name": "look-at-nudity", "when": {"signal": "nudity", "at_least": 0.8}, "outcome": "REVIEW", "reason": "SEXUAL_NUDITY",
     "severity": 0.4}
]')
on conflict (name) do nothing;
insert into policy_version (policy, version, mode, rules, note)
select id, version, mode, rules, 'It came with the service' from policy
where id = '019aa0c6-0000-7000-8000-000000000003';
