//! Events: numbered without a hole, each once, applied by everybody who listens, none parked, none open.

use crate::proof::chaos::checks::{Check, Kind, check};

pub fn checks() -> Vec<Check> {
    vec![
        check(Kind::Lost, "select * from behind"),
        check(
            Kind::Lost,
            "select format('%s: %s has %s events up to number %s', noun, stream, count(*), max(pos))
            from told group by noun, stream having count(pos) <> max(pos) or min(pos) <> 1",
        ),
        check(
            Kind::Wrong,
            "select format('%s: %s gave numbers up to %s, the last is %s', noun, stream, last_pos, max(pos))
            from numbers left join told using (noun, stream)
            group by noun, stream, last_pos having last_pos is distinct from max(pos)",
        ),
        check(
            Kind::Wrong,
            "select format('%s: event %s of %s is number %s behind %s', noun, event_id, stream, pos, prev)
            from told where prev is distinct from (pos - 1) || '-0'",
        ),
        check(
            Kind::Doubled,
            "select format('event %s was told %s times', event_id, count(*)) from told group by event_id having count(*) > 1",
        ),
        check(
            Kind::Wrong,
            "select format('%s is told by %s services', stream, count(distinct noun))
            from told group by stream having count(distinct noun) > 1",
        ),
        check(
            Kind::Wrong,
            "select format('%s parked %s of %s (event %s): %s', noun, entry_id, stream, event_id, left(error, 200))
            from parked",
        ),
    ]
}
