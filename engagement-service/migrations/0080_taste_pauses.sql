-- Until when a source of tastes wants to be left alone, as its answer to one of the replicas said: the limit is that of the application,
-- so all replicas keep to it.
create table taste_pause (
    -- The name of the provider, as in the settings of the auth service.
    provider text primary key,
    not_before timestamptz not null
);
