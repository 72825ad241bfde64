-- A person with `followers` of them, who are connected to no one else.
set search_path = auth;

insert into account (id, email, password_hash, interests)
select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n || '@graph.example', '', '{}'
from generate_series(0, :followers) as n;

insert into connection (user_id, target_id, connected_at)
select id, '01900000-0000-7000-8000-000000000000'::uuid, now() - random() * interval '1 year'
from account where email like '%@graph.example' and id <> '01900000-0000-7000-8000-000000000000';

vacuum analyze account;
vacuum analyze connection;
