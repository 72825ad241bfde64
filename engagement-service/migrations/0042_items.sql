-- What posts are about: the item of the post service's catalogue, as it shows it.
alter table post_card add column item jsonb;
