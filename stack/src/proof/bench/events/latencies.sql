-- From the commit of each measured comment ($1) to the first transaction of each consumer ($3) that reached its number.
with published as (
    select outbox.pos, pg_xact_commit_timestamp(comment.xmin) as at
    from unnest($1::text[]) as answered (id)
    join interaction.comment on comment.id = answered.id::uuid
    join interaction.outbox on outbox.stream = $2 and outbox.message ->> 'id' = answered.id
)
select consumer.noun, (extract(epoch from applied.at - published.at) * 1000000)::bigint
from published
cross join unnest($3::text[]) as consumer (noun)
cross join lateral (
    select pg_xact_commit_timestamp(mark.xmin) as at from bench.mark
    where mark.noun = consumer.noun and mark.stream = $2 and mark.ms >= published.pos order by mark.ms limit 1
) as applied
