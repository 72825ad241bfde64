-- Records of comments learn of the token that the contract of the post service has for them.

alter table comment_nft
    -- The contract as CAIP-10 writes an account: eip155:{chain}:{address}.
    add column contract text,
    -- The id of the token in it, in hexadecimal.
    add column token_id text,
    -- The transaction that has minted it.
    add column transaction_hash text;
