set local lock_timeout = '2s';

-- A post on which nobody may comment: as long as a decision in force says so.
alter table subject add column locked boolean not null default false;
