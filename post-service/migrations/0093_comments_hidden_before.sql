set local lock_timeout = '2s';

-- How far it was asked which comments were hidden before `mint.content_hidden` noted it, so that their NFTs are shown to their authors
-- alone as well. The interaction service knows it, so it is asked by a worker, a page at a time.
create table hidden_comment_check (
    -- One row.
    is_it boolean primary key default true check (is_it),
    -- The last NFT whose comment was asked about, in the order of ids.
    done_to uuid not null default '00000000-0000-0000-0000-000000000000',
    -- When the last one was; null: there are more.
    done_at timestamptz
);

-- Of NFTs that are made from now on, events say it.
insert into hidden_comment_check (done_at) select case when not exists (select from mint where kind = 'COMMENT') then now() end;
