-- The NFT records of a person's posts, for who asks what is held about them.
create index post_nft_created_by on post_nft (created_by, created_at desc, id desc);
