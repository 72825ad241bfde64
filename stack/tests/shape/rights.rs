//! The law of rights in Redis: `redis/users.acl` lets each service write what it publishes and counts, read what it consumes and
//! follows, and nothing else.

use std::fs;

use super::events::EventCatalogue;
use super::sources::{SERVICES, Source, root, sources};

/// What stands before the users.
const HEAD: &str = "\
# Who may do what in Redis: one user per service, and `default` for operators. Redis reads no comments and puts in no passwords,
# so `start.sh` and `cargo stack up` make its own file of this one. Written by the law in stack/tests/shape/rights.rs: when a
# stream or a limit is new, it writes this file's next version beside it. In words: docs/security.md.
";
/// For every connection: what names no key. Not how other clients are disconnected, nor how the server is configured.
const KEYLESS: &str = "+@connection -@dangerous +info +time +script|load +cluster|slots";
/// With keys that the service alone writes.
const OWN: &str = "+@stream +@hash +@string +eval +evalsha +del +exists +pexpire";
/// With streams of other services: read, and acknowledge in a group. Neither append nor remove.
const OTHERS: &str = "+xack +xautoclaim +xclaim +xgroup|create +xgroup|createconsumer +xgroup|setid +xinfo|consumers +xinfo|groups \
    +xinfo|stream +xpending +xrange +xread +xreadgroup +xrevrange";
/// The hash of a user, and what its writer notes.
const HASHES: &[(&str, &str)] = &[("auth-service", "~:apps.core.models.UserDetailInfo:* ~auth:user_detail:*")];
/// Who reads the hash of a user.
const HASH_READERS: &[(&str, &str)] = &[("post-service", "(+hget %R~:apps.core.models.UserDetailInfo:*)")];

/// What else a service has in Redis: feeds, leases of streams, and the channels by which the readers of both are named.
const LIVE: &[(&str, &str)] = &[(
    "engagement-service",
    "+publish +subscribe &feed:news &feed:posts &notifications:news (+@sortedset +eval +evalsha +del +pexpire +pttl ~feed:* ~streams:*)",
)];

fn of<'a>(table: &[(&str, &'a str)], service: &str) -> &'a str {
    table.iter().find(|(who, _)| *who == service).map_or("", |(_, what)| what)
}

/// The texts in quotation marks behind every `word`, up to `end`.
fn quoted(file: &Source, word: &str, end: char) -> Vec<String> {
    let places = file.occurrences(word).into_iter().filter(|at| file.tests_from().is_none_or(|tests| *at < tests));
    let behind = places.map(|at| file.text[at + word.len()..].split(end).next().unwrap_or_default());
    behind.flat_map(|text| text.split('"').skip(1).step_by(2).map(str::to_owned)).collect()
}

/// The streams of other services that a file follows by name.
fn followed(file: &Source) -> Vec<String> {
    quoted(file, "INVALIDATING_STREAMS: [&", '\n')
}

/// The names of the limits that a file defines.
fn limits(file: &Source) -> Vec<String> {
    let names = quoted(file, "Limit {", ',');
    names.into_iter().filter(|name| !name.contains(' ')).collect()
}

/// The line of a service, as its sources have it.
fn user(service: &str) -> String {
    let noun = service.trim_end_matches("-service");
    let catalogue = EventCatalogue::of(service);
    let files: Vec<_> = sources(service).into_iter().filter(|file| !file.path.contains("/src/core/")).collect();
    let mut own: Vec<String> = catalogue.listed.keys().map(|stream| format!("~{stream}")).collect();
    let mut counted: Vec<_> = files.iter().flat_map(limits).map(|name| format!("~rl:{name}:*")).collect();
    counted.sort();
    own.extend(counted);
    own.push(format!("~{noun}:wrote:*"));
    own.extend(of(HASHES, service).split_whitespace().map(str::to_owned));
    let followed = files.iter().flat_map(followed);
    let mut others: Vec<_> = catalogue.consumed.keys().cloned().chain(followed).collect();
    others.retain(|stream| !catalogue.listed.contains_key(stream));
    others.sort();
    others.dedup();
    let others: Vec<_> = others.iter().map(|stream| format!("~{stream}")).collect();
    let line = format!(
        "user {noun} on >{{{noun}}} {KEYLESS} ({OWN} {}) ({OTHERS} {}) {} {}",
        own.join(" "),
        others.join(" "),
        of(HASH_READERS, service),
        of(LIVE, service)
    );
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_service_may_do_in_redis_what_it_does_and_no_more() {
    let users = SERVICES.map(user).join("\n");
    let expected = format!("{HEAD}user default on >{{admin}} ~* &* +@all\n{users}\n");
    let path = root().join("redis/users.acl");
    if fs::read_to_string(&path).unwrap_or_default() != expected {
        let new = path.with_extension("acl.new");
        fs::write(&new, expected).unwrap();
        panic!(
            "the rights are not those that the services need; if they are meant, rename {} to users.acl",
            new.display()
        );
    }
    // That nothing is missing must not be because nothing was understood.
    for part in ["~rl:posts:*", "~post_created", "~user_unblocked", "~session_revoked", "~post_viewed"] {
        assert!(user("post-service").contains(part), "{part}");
    }
}

#[test]
fn limits_and_followed_streams_are_found() {
    let file = Source::new(
        "a-service/src/a.rs",
        "pub const A: Limit = Limit {\n    name: \"as\",\n    routes: &[\"GET /a\"],\n};\nconst INVALIDATING_STREAMS: [&str; 2] = [\"b\", \"c\"];",
    );
    assert_eq!(limits(&file), ["as"]);
    assert_eq!(followed(&file), ["b", "c"]);
}
