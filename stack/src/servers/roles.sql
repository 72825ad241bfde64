-- The set-up of the database for the launcher: what is missing of roles, database and schemas is made, and the passwords are
-- set. The passwords are variables; to repeat it changes nothing else.

-- Notices about what exists already are not worth a line.
set client_min_messages = warning;
do $$
declare
    noun text;
    -- Marks our roles, so that the password of no other role is ever changed.
    mark constant text := 'a service of the social platform (cargo stack)';
begin
    foreach noun in array array['auth', 'post', 'interaction', 'moderation', 'engagement'] loop
        if not exists (select from pg_roles where rolname = noun) then
            execute format('create role %I login', noun);
            execute format('comment on role %I is %L', noun, mark);
        elsif (select shobj_description(oid, 'pg_authid') from pg_roles where rolname = noun) is distinct from mark then
            raise exception 'the server has a role "%" already that cargo stack did not make', noun;
        end if;
    end loop;
end $$;
alter role auth password :'auth_password';
alter role post password :'post_password';
alter role interaction password :'interaction_password';
alter role moderation password :'moderation_password';
alter role engagement password :'engagement_password';

select 'create database social' where not exists (select from pg_database where datname = 'social') \gexec
revoke all on database social from public;
grant connect on database social to auth, post, interaction, moderation, engagement;
\connect social
set client_min_messages = warning;
revoke all on schema public from public;
-- What the auth service searches names with. Its migration creates it as well, where its role may: here no service may create
-- anything outside of its schema.
create extension if not exists pg_trgm schema pg_catalog;
do $$
declare
    noun text;
begin
    foreach noun in array array['auth', 'post', 'interaction', 'moderation', 'engagement'] loop
        execute format('create schema if not exists %I', noun);
        -- An owner that is no superuser may only hand a schema to a role that it is a member of.
        execute format('grant %I to current_user', noun);
        execute format('alter schema %1$I owner to %1$I', noun);
        execute format('alter role %1$I in database social set search_path = %1$I', noun);
    end loop;
end $$;
