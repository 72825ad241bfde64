-- Policies, the analyses that they judge, and how far a new reading of everything is.

-- Sets of rules about what an analysis has found. Changed by administrators only, and each change is a version.
create table policy (
    id uuid primary key,
    name text not null constraint policy_name_key unique,
    version integer not null,
    -- ENFORCE: its rules lead to decisions. SHADOW: they are counted only. OFF: they are not read.
    mode text not null check (mode in ('ENFORCE', 'SHADOW', 'OFF')),
    -- The rules in their order, as they were checked when they were written.
    rules jsonb not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- Null: it came with the service.
    updated_by uuid
);

-- Every version that a policy has had: decisions name one.
create table policy_version (
    policy uuid not null references policy,
    version integer not null,
    mode text not null,
    rules jsonb not null,
    at timestamptz not null default now(),
    by uuid,
    -- Why it was changed.
    note text,
    primary key (policy, version)
);

-- How often rules matched. A row per batch of contents, so that no two consumers wait for one counter; a nightly job makes
-- one row per day of them.
create table rule_hit (
    policy uuid not null,
    rule text not null,
    mode text not null,
    day date not null,
    hits bigint not null
);
create index rule_hit_policy on rule_hit (policy, day);

-- What was found in a version of a content, one row per text and model: the same text is not read twice by one model.
create table analysis (
    id uuid primary key,
    content_type text not null check (content_type in ('POST', 'COMMENT')),
    content_id uuid not null,
    author uuid not null,
    -- SHA-256 of the text.
    content_hash bytea not null check (length(content_hash) = 32),
    -- Which model read it; `none` without a model.
    model_version text not null,
    at timestamptz not null default now(),
    -- A probability per head of the model; null without a model.
    scores jsonb,
    -- From where on each head labels and hides, as the model has it; null without a model.
    thresholds jsonb,
    -- What else was found, by the names that rules use.
    signals jsonb not null,
    -- The parts of the text that weigh most, from character to character.
    spans jsonb not null default '[]',
    -- The text as it was read, where that is not as it was written.
    normalised text,
    -- The rules that matched, in all policies that are not off.
    matched jsonb not null default '[]',
    -- What came of it.
    verdict text not null check (verdict in ('ALLOW', 'LABEL', 'REVIEW', 'LIMIT', 'HOLD', 'HIDE')),
    -- 0 to 1.
    severity double precision not null,
    constraint analysis_text_key unique (content_id, content_hash, model_version)
);
-- The analyses of a content, and the newest of all, on which changed policies are tried.
create index analysis_content on analysis (content_id, at desc);
create index analysis_at on analysis (at desc, id desc);
create index analysis_author on analysis (author, at desc, id desc);

-- The reading of all contents by a new model: at most one at a time.
create table reanalysis (
    one boolean primary key default true check (one),
    -- Contents up to this id are done.
    cursor uuid not null,
    done bigint not null default 0,
    total bigint not null,
    started_at timestamptz not null default now(),
    finished_at timestamptz
);

-- The policy that a new platform starts with. `label` and `hide` are the thresholds of the model that is loaded. A severe word
-- hides a text only where the model agrees, or where there is none.
insert into policy (id, name, version, mode, rules) values ('019aa0c6-0000-7000-8000-000000000001', 'Default', 1, 'ENFORCE', '[
    {"name": "hate", "when": {"signal": "hate", "at_least": "hide"}, "outcome": "HIDE", "reason": "HATE_IDENTITY"},
    {"name": "threat", "when": {"signal": "threat", "at_least": "hide"}, "outcome": "HIDE", "reason": "VIOLENCE_THREAT"},
    {"name": "spam", "when": {"signal": "spam", "at_least": "hide"}, "outcome": "HIDE", "reason": "SPAM_COMMERCIAL"},
    {"name": "racist-slur",
     "when": {"all": [{"signal": "lexicon_racism", "at_least": 0.3}, {"signal": "hate", "at_least": "label"}]},
     "outcome": "HIDE", "reason": "HATE_RACISM"},
    {"name": "slur", "when": {"all": [{"signal": "lexicon_offensive", "at_least": 0.3}, {"signal": "hate", "at_least": "label"}]},
     "outcome": "HIDE", "reason": "HATE_IDENTITY"},
    {"name": "urged-to-self-harm",
     "when": {"all": [{"signal": "lexicon_attack", "at_least": 0.3}, {"signal": "toxic", "at_least": "label"}]},
     "outcome": "HIDE", "reason": "SELF_HARM_ENCOURAGEMENT"},
    {"name": "sexual-demand",
     "when": {"all": [{"signal": "lexicon_sexual", "at_least": 0.3}, {"signal": "toxic", "at_least": "label"}]},
     "outcome": "HIDE", "reason": "SEXUAL_NUDITY"},
    {"name": "blocked-domain", "when": {"signal": "blocked_links", "at_least": 1},
     "outcome": "HIDE", "reason": "SPAM_LINK"},
    {"name": "lexicon-racism", "when": {"all": [{"signal": "model", "at_most": 0}, {"signal": "lexicon_racism", "at_least": 0.3}]},
     "outcome": "HIDE", "reason": "HATE_RACISM"},
    {"name": "lexicon-sexual", "when": {"all": [{"signal": "model", "at_most": 0}, {"signal": "lexicon_sexual", "at_least": 0.3}]},
     "outcome": "HIDE", "reason": "SEXUAL_NUDITY"},
    {"name": "lexicon-offensive",
     "when": {"all": [{"signal": "model", "at_most": 0}, {"signal": "lexicon_offensive", "at_least": 0.3}]},
     "outcome": "HIDE", "reason": "HARASSMENT_INSULT"},
    {"name": "lexicon-attack", "when": {"all": [{"signal": "model", "at_most": 0}, {"signal": "lexicon_attack", "at_least": 0.3}]},
     "outcome": "HIDE", "reason": "SELF_HARM_ENCOURAGEMENT"},
    {"name": "flood-of-copies",
     "when": {"all": [{"signal": "duplicates", "at_least": 5}, {"signal": "links", "at_least": 1}]},
     "outcome": "HOLD", "reason": "SPAM_COMMERCIAL"},
    {"name": "new-account-with-links",
     "when": {"all": [{"signal": "account_age_hours", "at_most": 24}, {"signal": "links", "at_least": 1},
                      {"signal": "velocity", "at_least": 5}]},
     "outcome": "HOLD", "reason": "SPAM_COMMERCIAL"},
    {"name": "look-at-hate", "when": {"signal": "hate", "at_least": "label"}, "outcome": "REVIEW", "reason": "HATE_IDENTITY"},
    {"name": "look-at-sexism", "when": {"signal": "sexism", "at_least": "label"}, "outcome": "REVIEW", "reason": "HATE_SEXISM"},
    {"name": "look-at-threat", "when": {"signal": "threat", "at_least": "label"}, "outcome": "REVIEW", "reason": "VIOLENCE_THREAT"},
    {"name": "look-at-spam", "when": {"signal": "spam", "at_least": "label"}, "outcome": "REVIEW", "reason": "SPAM_COMMERCIAL"},
    {"name": "look-at-insults", "when": {"signal": "toxic", "at_least": "label"}, "outcome": "REVIEW", "reason": "HARASSMENT_INSULT"},
    {"name": "look-at-words", "when": {"any": [{"signal": "lexicon_racism", "at_least": 1}, {"signal": "lexicon_sexual", "at_least": 1},
     {"signal": "lexicon_offensive", "at_least": 1}, {"signal": "lexicon_attack", "at_least": 1}]},
     "outcome": "REVIEW", "reason": "HARASSMENT_INSULT"},
    {"name": "warned-domain", "when": {"signal": "warned_links", "at_least": 1}, "outcome": "REVIEW", "reason": "SPAM_COMMERCIAL"},
    {"name": "unknown-language", "when": {"not": {"language": ["eng", "short"]}}, "outcome": "REVIEW", "reason": "OTHER_RULES",
     "severity": 0.05}
]');
insert into policy_version (policy, version, mode, rules, note)
select id, version, mode, rules, 'It came with the service' from policy;
