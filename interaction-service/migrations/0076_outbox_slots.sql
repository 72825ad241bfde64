set local lock_timeout = '2s';

-- The outbox becomes a ring of tables, one for a day; this one becomes the part that holds what is from before. Both releases
-- write it until then, and neither says which part.
alter table outbox add column slot smallint not null default 10;
-- So that it becomes a part without being read while it is locked.
alter table outbox add constraint outbox_from_before check (slot = 10) not valid;
