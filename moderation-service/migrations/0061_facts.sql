set local lock_timeout = '2s';

-- What decisions were made by, for the statement of reasons to their authors.
alter table decision
    -- What a machine has decided by, as it was then: the hash of what was read, the model and its scores, the comparisons of the rule that
    -- held. Null: a person has decided, or it is from before there was this.
    add column means jsonb,
    -- Whether a machine had found the subject when it was decided about, and whether users had reported it. Null: it is from before
    -- there was this.
    add column found_by_machine boolean,
    add column reported boolean;
