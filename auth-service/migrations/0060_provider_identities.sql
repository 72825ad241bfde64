-- Accounts elsewhere are known by their issuer and no more by the name that the settings have for it; tokens that newer ones have replaced
-- are revoked; a refresh that comes too late changes nothing; a sign-in elsewhere is as fresh as the provider says.
--
-- The release before knows none of this and goes on as it did: it reads and writes `provider` and `subject`, whose constraints stay as long
-- as it may run. The release after this one drops these two constraints.
set local lock_timeout = '2s';

-- Who a person is at a provider: the issuer and its subject, which no setting renames. A table of its own, since its keys are unique from
-- the first row on; an index that is added to a table with rows is not while it is being made. A link of the release before has no
-- row here until a job has made it one.
create table provider_identity (
    link_id uuid primary key references linked_account (id) on delete cascade,
    -- Of OpenID Connect the issuer, letter by letter; of another provider what stands for it (`providers.rs`).
    issuer text not null,
    subject text not null,
    -- The person here, as the link has them.
    user_id uuid not null,
    -- One person there is one person here, and the database decides it.
    constraint provider_identity_subject_key unique (issuer, subject),
    -- One account per provider: whose token a service gets is never a choice.
    constraint provider_identity_user_key unique (user_id, issuer)
);

-- Which refresh of the tokens is the one at hand: each claim counts it up, and so does a sign-in that replaces the tokens. The answer to
-- an earlier claim is of no use any more.
alter table linked_account add column token_version bigint not null default 0;

-- The issuer to which the browser was sent. Null: it began in the release before.
alter table login_attempt add column issuer text;
-- Whether the provider was asked to have its person sign in again, so that the session counts as a fresh one.
alter table login_attempt add column is_fresh boolean not null default false;

-- When its person has shown who they are, where that was not at the beginning of the session: at a provider, by a sign-in that may have
-- been long ago, and the epoch where the provider does not say. Null: when the session began.
alter table session add column authenticated_at timestamptz;

-- The issuer that is to revoke the tokens. Null: known by `provider` alone, from the release before.
alter table token_revocation add column issuer text;
-- The row for which the tokens were encrypted, where that is not this one.
alter table token_revocation add column sealed_for uuid;
-- Of the tokens of a link that has ended, its issuer and subject, hashed: who links the same account again must not lose what they were
-- granted then, at providers that revoke a person's whole grant by any of its tokens.
alter table token_revocation add column identity_sha256 bytea
    constraint token_revocation_identity_sha256 check (length(identity_sha256) = 32);

create function identity_sha256(issuer text, subject text) returns bytea language sql immutable as $$
    select sha256(convert_to(issuer || chr(10) || subject, 'UTF8'))
$$;

-- Before the deletion and not after it: the identity goes with the link.
create or replace function revoke_linked_account() returns trigger language plpgsql as $$
begin
    insert into token_revocation (id, provider, tokens, key_id, issuer, identity_sha256)
    select old.id, old.provider, old.tokens, old.key_id, identity.issuer, identity_sha256(identity.issuer, identity.subject)
    from (select old.id) as ended (id) left join provider_identity as identity on identity.link_id = ended.id;
    return old;
end
$$;

create or replace trigger linked_account_revoked before delete on linked_account
    for each row execute function revoke_linked_account();

-- Until when a provider wants to be left alone, as the answer to one of the replicas said: the limit is that of the platform there.
create table provider_pause (
    issuer text primary key,
    not_before timestamptz not null
);
