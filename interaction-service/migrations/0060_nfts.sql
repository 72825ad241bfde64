-- NFT records of comments: they lose what they doubled, and learn how far their minting is.

-- The metadata is built from the comment whenever it is pinned. Stored, it was a second copy of every text.
alter table comment_nft drop column data;

-- PINNED: the post service, which carries the minting out, has put the metadata where token_uri leads. MINTED is the contract's
-- word for a record whose token exists.
alter table comment_nft drop constraint comment_nft_status_check;
alter table comment_nft add constraint comment_nft_status check (status in ('READY_FOR_MINTING', 'PINNED', 'MINTED'));
