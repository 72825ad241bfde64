-- Which words weigh in a verdict is found after the decision: an explanation costs some twenty readings of the text, and nothing
-- that it explains is hidden later for it.
set local lock_timeout = '2s';

-- Analyses that wait for their explanation: a row each until the spans are in the analysis, or cannot be found any more.
create table waiting_explanation (
    -- It goes with its analysis, as with an author's data.
    analysis uuid primary key references analysis on delete cascade,
    -- The model that has read the text: no other one can say what weighs in its scores.
    model_version text not null,
    -- The severity of the analysis: what is worst is looked at first, and so it is explained first.
    severity double precision not null,
    created_at timestamptz not null default now(),
    -- From when on a process may take it; later than now while one is at it.
    due_at timestamptz not null default now(),
    -- How often a process has begun with it: one that a process dies of is given up.
    tries smallint not null default 0
);

-- What is next: the most severe one, and of several the newest.
create index waiting_explanation_next on waiting_explanation (model_version, severity desc, created_at desc);
