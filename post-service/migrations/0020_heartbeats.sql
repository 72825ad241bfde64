-- The heartbeat of a replica is now the last use of its connection for leases, which Postgres itself shows in
-- pg_stat_activity. The table was a second record of the same thing.
drop table replica;
