set local lock_timeout = '2s';

alter table post validate constraint post_comments;
