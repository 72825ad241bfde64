-- Notifications that quiet hours hold back: they wait here, and are handed to their channels at the end as they are then.
set local lock_timeout = '2s';

alter table notification
    -- Whether the digest had it when it was new, while another channel held it back: it is not added once more when that one takes it.
    add column gathered boolean not null default false;
