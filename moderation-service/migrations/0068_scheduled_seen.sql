set local lock_timeout = '2s';

-- What moderators had seen of the subjects of decisions that wait already: what was there when they decided.
update scheduled_decision set seen = coalesce((
    select max(seq) from ledger
    where ledger.subject_type = scheduled_decision.subject_type and ledger.subject_id = scheduled_decision.subject_id
        and ledger.at <= scheduled_decision.created_at
), 0)
where status = 'WAITING' and seen = 0;
