-- no-transaction
-- The transactions of an NFT, also those that have ended: an erasure takes the NFT out of them a page at a time, which would read the whole
-- ledger for each page.
-- The session has a time limit for locks; what a broken-off building leaves is built anew.
-- squawk-ignore require-lock-timeout
create index concurrently if not exists chain_transaction_record on chain_transaction (record_id) where record_id is not null;
