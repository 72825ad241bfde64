-- What moderation has decided about posts is copied as well: a source of the read model beside those of backfill. The release before reads
-- every row of that table and knows no such source, so its row stands in a table above, whose rows are these and those of backfill.
set local lock_timeout = '2s';

create table backfill_source (like backfill including all);
alter table backfill inherit backfill_source;

insert into backfill_source (source) values ('moderated-posts');
