-- Whose strikes counted when a ladder decided about an account, in one place: such a moderator took part in the decision, and neither claims
-- nor resolves an appeal against it.
set local lock_timeout = '2s';

-- Whether a strike by a decision of this moderator counted against an author at a time. Of several strikes about one content each is meant, and
-- not the gravest alone; and one that was taken back since counted as well.
create function has_counted_strike(decided_by uuid, struck uuid, then_at timestamptz) returns boolean language sql stable as $$
    select exists (
        select from strike join decision as counted on counted.id = strike.decision
        where strike.author = struck and counted.moderator = decided_by
            and strike.at <= then_at and strike.expires_at > then_at
            and (strike.revoked_at is null or strike.revoked_at > then_at)
    )
$$;
