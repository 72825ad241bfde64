-- Reports about persons who have left stayed open when their contents were erased before their deletion arrived: no decision can
-- answer them. Such reports are closed by the erasure now; these are from before.
update report set status = 'GONE', closed_at = now()
where status = 'OPEN' and author in (select person from erasure)
    and not exists (select from subject where subject.type = subject_type and subject.id = subject_id);
