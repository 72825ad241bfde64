set local lock_timeout = '2s';

-- The version that brought the text of a content: a later one with the same text, as of a post whose picture is ready or that was locked,
-- is not judged again, and what a person has decided about the text holds for it. Null: the version itself, of before there was this.
alter table content add column text_version timestamptz;
