set local lock_timeout = '2s';

alter table subject validate constraint subject_standing_check;
