set local lock_timeout = '2s';

alter table subject validate constraint subject_standing_check;
alter table decision validate constraint decision_ended_by_check;
