-- What a person wrote and gave, for who asks what is held about them, and for who leaves.
create index comment_created_by on comment (created_by, created_at desc, id desc);
create index comment_nft_created_by on comment_nft (created_by, created_at desc, id desc);
create index reaction_created_by on reaction (created_by, created_at desc, id desc);
