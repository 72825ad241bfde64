-- The human loop: subjects, what happened to them, and what follows from it.

-- Contents are kept with what a moderator has to see of them. Null where only their end was heard of, or they are private.
alter table content
    add column type text check (type in ('POST', 'COMMENT')),
    add column author uuid,
    -- The post of a comment.
    add column post_id uuid,
    -- What is analysed: title and content. Null: no other user can read it, as with a draft.
    add column text text,
    -- The newest version as it was published: what the cases of the contract carry. json, not jsonb: the order of the fields
    -- is the contract's.
    add column raw json,
    add column created_at timestamptz,
    -- Views, comments and reactions, as the newest event has them.
    add column reach bigint not null default 0;

-- What the export and the erasure look for.
create index content_author on content (author, id);

-- The state of what can be decided about: posts, comments and users. A row is the fold of its entries in the ledger, and a
-- test folds them again.
create table subject (
    type text not null check (type in ('POST', 'COMMENT', 'USER')),
    id uuid not null,
    -- Who wrote it; a user is their own author.
    author uuid not null,
    -- The number of its entries: what is published of it carries this, and the newest version is what holds.
    version bigint not null default 0,
    -- LIMITED: in no feed. HELD: hidden until a person has looked. HIDDEN: hidden until restored. REMOVED: deleted for good.
    visibility text not null default 'VISIBLE' check (visibility in ('VISIBLE', 'LIMITED', 'HELD', 'HIDDEN', 'REMOVED')),
    labels text[] not null default '{}',
    -- Of a user.
    standing text not null default 'ACTIVE' check (standing in ('ACTIVE', 'MUTED', 'BANNED')),
    standing_until timestamptz,
    -- Whether a person has to look at it.
    review text not null default 'NONE' check (review in ('NONE', 'OPEN', 'ESCALATED', 'CLOSED')),
    -- The highest severity of what was reported and found since it was opened, 0 to 1.
    severity double precision not null default 0,
    -- Open reports, and the weights of their reporters together.
    reports integer not null default 0,
    report_weight double precision not null default 0,
    opened_at timestamptz,
    -- Since when it is hidden without an end: what is hidden long enough is removed for good.
    hidden_at timestamptz,
    -- The decisions in force, as JSON: visibility, labels and standing are the strictest of them.
    active jsonb not null default '[]',
    primary key (type, id)
);

create index subject_author on subject (author, type, id);
-- What the timer removes next.
create index subject_hidden on subject (hidden_at) where visibility = 'HIDDEN' and hidden_at is not null;

-- Everything that happened to a subject: never changed, only added to. When an account is erased, the details of its subjects
-- and the words that it wrote are taken out, and the chain of hashes still holds, because it is over their hashes and not over them.
create table ledger (
    -- Dense, in the order of commits: given under the lock of the head.
    seq bigint primary key,
    id uuid not null unique,
    at timestamptz not null,
    -- What acted. A MACHINE has no actor; neither has a TIMER.
    actor_type text not null check (actor_type in ('MACHINE', 'MODERATOR', 'USER', 'TIMER', 'OPERATOR')),
    actor uuid,
    subject_type text not null,
    subject_id uuid not null,
    -- The version of the subject that it made.
    version bigint not null,
    kind text not null,
    -- As text, so that its hash can be calculated again. Null: erased.
    details text,
    details_hash bytea not null,
    -- What the actor wrote, as an object: notes. Apart from the details, so that a subject is still the fold of its entries
    -- when a moderator's account is erased. Null: nothing was written (then the hash is null as well), or it is erased.
    words text,
    words_hash bytea,
    -- The hash of the entry before it, and its own.
    previous bytea not null,
    hash bytea not null
);

create index ledger_subject on ledger (subject_type, subject_id, seq);
create index ledger_actor on ledger (actor, seq);
create index ledger_at on ledger (at desc, id desc);

-- The last entry. Its row is the lock under which entries are numbered; it is the last lock that a transaction takes.
create table ledger_head (
    one boolean primary key default true check (one),
    seq bigint not null,
    hash bytea not null
);
insert into ledger_head (seq, hash) values (0, '\x');

-- The hash of an entry; details and words go in as their own hashes.
create function entry_hash(entry ledger) returns bytea language sql stable as $$
    select sha256(entry.previous || convert_to(concat_ws('|', entry.seq, entry.id, extract(epoch from entry.at), entry.actor_type,
        coalesce(entry.actor::text, ''), entry.subject_type, entry.subject_id, entry.version, entry.kind,
        encode(entry.details_hash, 'hex'), coalesce(encode(entry.words_hash, 'hex'), '')), 'UTF8'))
$$;

create function link_entry() returns trigger language plpgsql as $$
begin
    select seq + 1, hash into strict new.seq, new.previous from ledger_head for update;
    new.details_hash := sha256(convert_to(new.details, 'UTF8'));
    new.words_hash := sha256(convert_to(new.words, 'UTF8'));
    new.hash := entry_hash(new);
    update ledger_head set seq = new.seq, hash = new.hash;
    return new;
end
$$;
create trigger link_entry before insert on ledger for each row execute function link_entry();

create function ledger_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        -- The erasure takes details and words, and changes nothing else.
        if new.details is null then
            old.details := null;
        end if;
        if new.words is null then
            old.words := null;
        end if;
        if new is not distinct from old then
            return new;
        end if;
    end if;
    raise exception 'the ledger is append-only';
end
$$;
create trigger ledger_append_only before update or delete on ledger for each row execute function ledger_is_append_only();
create trigger ledger_not_truncated before truncate on ledger for each statement execute function ledger_is_append_only();

-- Decisions, to look them up: a projection of the ledger.
create table decision (
    id uuid primary key,
    subject_type text not null,
    subject_id uuid not null,
    author uuid not null,
    at timestamptz not null,
    -- Null: a machine.
    moderator uuid,
    -- The strikes of the author, counted together, for which the ladder has led to it; null: it was not the ladder.
    strikes integer,
    -- The actions, as JSON.
    actions jsonb not null,
    -- A code of the taxonomy.
    reason text not null,
    -- The policy's id, version and rule, of a decision that follows from one.
    policy uuid,
    policy_version integer,
    rule text,
    -- The analysis that it follows from.
    analysis uuid,
    -- What moderators see, and what the author sees.
    internal_note text,
    public_note text,
    -- Until when what it does to a content is in force, and what it does to an account; null: without an end, or nothing.
    expires_at timestamptz,
    standing_until timestamptz,
    -- When the timer has to look at it next: the earlier of the two that is still ahead.
    due_at timestamptz,
    -- Since when it is no longer in force, and why. SUPERSEDED: a person has decided after a machine's hold.
    ended_at timestamptz,
    ended_by text check (ended_by in ('EXPIRED', 'REVERSED', 'OVERTURNED', 'SUPERSEDED'))
);

create index decision_author on decision (author, at desc, id desc);
create index decision_subject on decision (subject_type, subject_id, at desc);
create index decision_moderator on decision (moderator, at desc);
-- What the timer ends next.
create index decision_due on decision (due_at) where ended_at is null and due_at is not null;
-- The decisions of the ladder that are in force for an author.
create index decision_strikes on decision (author) where strikes is not null and ended_at is null;

-- Strikes of authors: each of one decision; those of overturned decisions count no longer.
create table strike (
    decision uuid primary key references decision on delete cascade,
    author uuid not null,
    weight integer not null check (weight > 0),
    at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);
create index strike_author on strike (author, at);

-- One appeal of a decision's author; a user other than the one who decided resolves it.
create table appeal (
    id uuid primary key,
    decision uuid not null unique references decision on delete cascade,
    author uuid not null,
    at timestamptz not null default now(),
    text text not null,
    status text not null default 'OPEN' check (status in ('OPEN', 'UPHELD', 'OVERTURNED')),
    moderator uuid,
    note text,
    resolved_at timestamptz
);
create index appeal_open on appeal (at, id) where status = 'OPEN';
create index appeal_author on appeal (author, at desc, id desc);

-- Who is looking at a subject, and until when: no subject is with two moderators. Not in the ledger: it decides nothing.
create table claim (
    subject_type text not null,
    subject_id uuid not null,
    moderator uuid not null,
    until timestamptz not null,
    primary key (subject_type, subject_id)
);
create index claim_moderator on claim (moderator, until);
