-- Events that are not numbered yet, and consumers that have not applied all that are.
select (select count(*) from auth.outbox where pos is null) + (select count(*) from post.outbox where pos is null)
    + (select count(*) from interaction.outbox where pos is null)
    + (select count(*) from moderation.outbox where pos is null)
    + (select count(*) from (
        select * from auth.relay_state union all select * from post.relay_state
        union all select * from interaction.relay_state union all select * from moderation.relay_state) as published
    join (
        select * from auth.inbox union all select * from post.inbox union all select * from interaction.inbox
        union all select * from moderation.inbox union all select * from engagement.inbox) as applied using (stream)
    where applied.ms < published.last_pos)
