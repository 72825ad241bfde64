-- A second text model in shadow: what it says about texts that the first one has read, without consequences.

create table shadow_reading (
    -- What the first model has said about the same text; it is erased with that.
    analysis uuid not null references analysis on delete cascade,
    -- Which model is in shadow.
    model_version text not null,
    at timestamptz not null default now(),
    -- A probability per head, and from where on each labels and hides, as in the analysis.
    scores jsonb not null,
    thresholds jsonb not null,
    -- Of how many heads both models say alike whether the text has the label.
    heads_agreed smallint not null check (heads_agreed between 0 and 5),
    -- What the policies would have led to with these scores.
    verdict text not null check (verdict in ('ALLOW', 'LABEL', 'REVIEW', 'LIMIT', 'HOLD', 'HIDE')),
    primary key (analysis, model_version)
);
-- The statistics of a time.
create index shadow_reading_at on shadow_reading (at);

-- Up to which analysis the model in shadow has read, by time and id. Its row is the lock under which one replica reads.
create table shadow_progress (
    one boolean primary key default true check (one),
    at timestamptz not null default now(),
    id uuid not null default '00000000-0000-0000-0000-000000000000'
);
insert into shadow_progress default values;

-- What a decision follows from: how often each model was wrong.
create index decision_analysis on decision (analysis) where analysis is not null;
