-- Tokens of NFTs on a chain: what is asked of the contract, the transactions that were signed for it, and what it has reported.

-- The steps of a record whose token the service pays for. TX_SIGNED: a transaction is signed and stored. SUBMITTED: a node has it.
-- MINED: it is in a block. CONFIRMED: so many blocks are on top of that one that it stays there. MINTED: the contract's event of
-- it was read, which is the only step of a record whose token another account pays for.
alter table mint drop constraint mint_status;
alter table mint add constraint mint_status check (status in ('UPLOADING', 'RETRY', 'PINNED', 'TX_SIGNED', 'SUBMITTED', 'MINED',
    'CONFIRMED', 'MINTED', 'FAILED', 'CANCELLED'));
-- A token leads to its metadata, so there is none without it.
alter table mint drop constraint mint_pinned_has_uri;
alter table mint add constraint mint_pinned_has_uri check (status in ('UPLOADING', 'RETRY', 'FAILED', 'CANCELLED')
    or (cid is not null and token_uri is not null));
alter table post_nft drop constraint post_nft_status;
alter table post_nft add constraint post_nft_status check (status in ('READY_FOR_MINTING', 'UPLOADING', 'RETRY', 'PINNED',
    'TX_SIGNED', 'SUBMITTED', 'MINED', 'CONFIRMED', 'MINTED', 'FAILED'));

alter table mint
    -- The contract in which the token is to be, as CAIP-10 writes an account: eip155:{chain}:{address}. A token belongs to it for
    -- ever, also when the settings name another one.
    add column contract text,
    -- The id of the token: keccak256 of kind and subject, in hexadecimal. The same subject has the same id after it was hidden and
    -- restored, so that the contract refuses a second token of it.
    add column token_id text,
    -- The account that is to have the token, or was the first to have it. With its checksum (EIP-55).
    add column recipient text,
    -- Until when a voucher holds that was given for it; none was, where the service pays.
    add column voucher_deadline timestamptz,
    -- The transaction that mints it, or is meant to.
    add column transaction_hash text,
    -- When the contract's event of it was read. It stays when the content is withdrawn: a token is not taken back.
    add column minted_at timestamptz;

-- What the contract's events are matched with.
create unique index mint_token on mint (contract, token_id) where token_id is not null;
-- What waits for a transaction.
create index mint_unsigned on mint (next_try_at)
    where status in ('PINNED', 'RETRY') and token_uri is not null and recipient is not null and voucher_deadline is null;

-- What has a token and is not shown so yet: its content was withdrawn meanwhile, and is back.
create index mint_unsettled on mint (id) where minted_at is not null and token_uri is not null and status <> 'MINTED';

-- The accounts that sign transactions. Its row is locked while a nonce is given out, so that no two transactions get the same and
-- none is left out.
create table signer (
    -- eip155:{chain}:{address}
    account text primary key,
    next_nonce bigint not null
);

-- The ledger of nonces: one row for each that was given out. A chain carries out an account's transactions in the order of their
-- nonces, so one that is missing stops all that come after it.
create table chain_transaction (
    account text not null references signer,
    nonce bigint not null,
    -- The NFT record whose token it mints; none: it only fills its place, since what it was for was withdrawn.
    record_id uuid,
    created_at timestamptz not null default now(),
    -- SIGNED: to be sent. SUBMITTED: a node has taken it. MINED: it is in a block. CONFIRMED: that block stays. LOST: a transaction
    -- that was signed elsewhere with the same key has taken the nonce.
    status text not null default 'SIGNED'
        constraint chain_transaction_status check (status in ('SIGNED', 'SUBMITTED', 'MINED', 'CONFIRMED', 'LOST')),
    -- The block that has it. Another one at the same height means a reorganisation.
    block_number bigint,
    block_hash text,
    -- Which of those that were signed for the nonce is in it, and whether it has taken effect; the contract may have refused.
    mined_hash text,
    succeeded boolean,
    -- Failed tries to send it in a row.
    failures integer not null default 0,
    -- When a worker looks at it next; a claim moves it ahead, so that it ends by itself when the worker dies.
    next_try_at timestamptz not null default now(),
    primary key (account, nonce),
    constraint chain_transaction_mined_has_block check (status <> 'MINED'
        or (block_number is not null and block_hash is not null and mined_hash is not null and succeeded is not null))
);

-- A record has one transaction under way. Workers that sign for it at the same moment meet here.
create unique index chain_transaction_record_id_key on chain_transaction (record_id)
    where status in ('SIGNED', 'SUBMITTED', 'MINED');
create index chain_transaction_due on chain_transaction (next_try_at) where status in ('SIGNED', 'SUBMITTED', 'MINED');

-- What was signed for a nonce, newest last: the transaction, and those that replace it with a higher fee. Stored before it is sent,
-- so that a process that dies sends the same bytes again. Any of them may be the one that is mined, and at most one is. They go
-- when one is confirmed.
create table signed_transaction (
    hash text primary key,
    account text not null,
    nonce bigint not null,
    raw bytea not null,
    -- In wei for a unit of gas.
    max_fee bigint not null,
    max_priority_fee bigint not null,
    -- The most gas that it may use.
    gas bigint not null,
    -- Whether it mints, or only fills its nonce.
    mints boolean not null,
    created_at timestamptz not null default now(),
    foreign key (account, nonce) references chain_transaction on delete cascade
);

create index signed_transaction_nonce on signed_transaction (account, nonce, created_at);

-- How far the events of a contract were read.
create table contract_reader (
    -- eip155:{chain}:{address}
    contract text primary key,
    -- The first block that was not read.
    next_block bigint not null
);
