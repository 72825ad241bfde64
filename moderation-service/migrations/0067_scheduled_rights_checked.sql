set local lock_timeout = '2s';

alter table scheduled_decision validate constraint scheduled_decision_cancelled_because_check;
