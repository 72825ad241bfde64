-- Which services hold nothing any more of somebody who left.
create table erasure_confirmation (
    person uuid not null,
    -- The service's name, as post-service.
    service text not null,
    confirmed_at timestamptz not null default now(),
    primary key (person, service)
);
