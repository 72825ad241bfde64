-- Since when every service of the platform has confirmed the erasure; what waits is found without looking at those of
-- years ago.
alter table erasure add column complete_at timestamptz;

create index erasure_incomplete on erasure (asked_at) where complete_at is null;
