-- What the moderation service decides about accounts, beside what moderators and administrators decide here.

alter table account
    -- Whether moderation has muted or banned it. What people have set here, moderation does not lift.
    add column status_moderated boolean not null default false
        constraint account_status_moderated check (not status_moderated or status in ('MUTED', 'BANNED'));

-- The newest that moderation has said about an account; it leaves with the account.
create table standing (
    user_id uuid primary key references account (id) on delete cascade,
    -- By moderation's counting: an older one changes nothing, so that neither the order nor the repetition of events makes a difference.
    version bigint not null,
    -- When moderation decided. What a person has decided here later is not undone by it.
    at timestamptz not null,
    -- ACTIVE: moderation's mute or ban is over.
    status text not null constraint standing_status check (status in ('ACTIVE', 'MUTED', 'BANNED')),
    -- When it ends by itself; null is never.
    until timestamptz,
    -- Why, as a code of moderation's taxonomy.
    reason text,
    -- Moderation's decision, by which moderators find it there.
    moderation_id uuid,
    -- Whether it was a mute or a ban of staff, which moderation cannot decide: an administrator takes the role first.
    refused boolean not null
);

alter table decision
    -- The decision of the moderation service that this one follows from.
    add column moderation_id uuid;
