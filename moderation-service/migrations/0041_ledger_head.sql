-- The chain's head is moved once per transaction.
--
-- Each entry moved the row of the head, and a transaction leaves one dead version of that row for each time it does: the next
-- entry has to walk over all of them to find the living one. So n entries of one transaction took time in proportion to n².
-- Now the row is only locked by the first entry, and moved when the transaction commits; within it an entry follows the last one
-- in the ledger behind the head. What lies behind the head is of this very transaction, because it holds the lock. The head is
-- still what an entry is chained to, so that a deleted last entry is found as before.
create or replace function link_entry() returns trigger language plpgsql as $$
declare
    last_seq bigint;
    last_hash bytea;
begin
    select seq + 1, hash into strict new.seq, new.previous from ledger_head for update;
    select seq + 1, hash into last_seq, last_hash from ledger where seq >= new.seq order by seq desc limit 1;
    if found then
        new.seq := last_seq;
        new.previous := last_hash;
    end if;
    new.details_hash := sha256(convert_to(new.details, 'UTF8'));
    new.words_hash := sha256(convert_to(new.words, 'UTF8'));
    new.hash := entry_hash(new);
    return new;
end
$$;

create function move_head() returns trigger language plpgsql as $$
begin
    update ledger_head set seq = last.seq, hash = last.hash
    from (select seq, hash from ledger order by seq desc limit 1) as last
    -- The first of a transaction's entries moves it to the last one, and the others find it there.
    where ledger_head.seq < new.seq;
    return null;
end
$$;
create constraint trigger move_head after insert on ledger deferrable initially deferred
    for each row execute function move_head();
