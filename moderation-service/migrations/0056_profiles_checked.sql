set local lock_timeout = '2s';

alter table content validate constraint content_type_check;
alter table analysis validate constraint analysis_content_type_check;
