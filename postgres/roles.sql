-- What a Postgres that all five services share holds before they first start: for each a role and a schema, and no role sees
-- another's. The image of Postgres runs this once, in the database social, when it makes it (/docker-entrypoint-initdb.d).
\set ON_ERROR_STOP 1
\getenv password SERVICES_PASSWORD

-- What the auth service searches names with: no service may create anything outside of its schema.
create extension if not exists pg_trgm schema pg_catalog;
revoke all on database social from public;
revoke all on schema public from public;

create role auth login password :'password';
create role post login password :'password';
create role interaction login password :'password';
create role moderation login password :'password';
create role engagement login password :'password';
grant connect on database social to auth, post, interaction, moderation, engagement;

create schema authorization auth;
create schema authorization post;
create schema authorization interaction;
create schema authorization moderation;
create schema authorization engagement;
