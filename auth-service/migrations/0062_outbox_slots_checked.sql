set local lock_timeout = '2s';

alter table outbox validate constraint outbox_from_before;
