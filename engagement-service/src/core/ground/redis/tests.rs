//! What URLs of Redis say, and which servers answered.
use redis::ConnectionAddr;

use super::*;

fn places(nodes: &[ConnectionInfo]) -> Vec<(String, u16, Option<String>, i64)> {
    let place = |node: &ConnectionInfo| match node.addr() {
        ConnectionAddr::Tcp(host, port) => {
            let user = node.redis_settings();
            (host.clone(), *port, user.username().map(str::to_owned), user.db())
        }
        other => panic!("{other:?}"),
    };
    nodes.iter().map(place).collect()
}

#[test]
fn a_url_says_which_kind_of_redis_it_leads_to() {
    let RedisAddress::Server(server) = "redis://anna:secret@r:7000/3".parse().unwrap() else { panic!("a server") };
    assert_eq!(places(&[server]), [("r".into(), 7000, Some("anna".into()), 3)]);

    let RedisAddress::Cluster(nodes) = "redis://anna:secret@a:1,b:2,c?cluster".parse().unwrap() else {
        panic!("a cluster")
    };
    let anna = || Some("anna".to_owned());
    assert_eq!(places(&nodes), [("a".into(), 1, anna(), 0), ("b".into(), 2, anna(), 0), ("c".into(), 6379, anna(), 0)]);
    assert!(nodes.iter().all(|node| node.redis_settings().password() == Some("secret")));

    let url = "redis+sentinel://anna:secret@a:1,b:2/main/3?sentinel=guard:word";
    let RedisAddress::Sentinels { sentinels, service, primary } = url.parse().unwrap() else { panic!("sentinels") };
    let guard = || Some("guard".to_owned());
    assert_eq!(places(&sentinels), [("a".into(), 1, guard(), 0), ("b".into(), 2, guard(), 0)]);
    assert_eq!(
        (service.as_str(), primary.redis_settings().username(), primary.redis_settings().db()),
        ("main", Some("anna"), 3)
    );
    let RedisAddress::Sentinels { sentinels, primary, .. } = "redis+sentinel://a:1/main".parse().unwrap() else {
        panic!("sentinels")
    };
    assert_eq!((places(&sentinels)[0].2.as_deref(), primary.redis_settings().username()), (None, None));
}

#[test]
fn a_wrong_url_is_refused() {
    for wrong in [
        "r:7000",
        "http://r:7000",
        "redis+sentinel://a:1",
        "redis://a:1,b:2",
        "redis://a:1,b:2/4?cluster",
        "redis://a:x?cluster",
    ] {
        assert!(wrong.parse::<RedisAddress>().is_err(), "{wrong}");
    }
}

/// A primary that was replaced came from a copy that may lack the last writes of its shard.
#[test]
fn another_primary_of_any_shard_is_another_redis() {
    let info = |run_id: &str| Value::BulkString(format!("# Server\r\nrun_id:{run_id}\r\nport:1\r\n").into());
    let cluster = |shards: &[(&str, &str)]| {
        let shard = |(address, run_id): &(&str, &str)| (Value::SimpleString((*address).into()), info(run_id));
        run_ids(&servers(&Value::Map(shards.iter().map(shard).collect())).unwrap())
    };
    assert_eq!(run_ids(&servers(&info("abc")).unwrap()), "abc");
    let complete = cluster(&[("a:1", "r1"), ("b:1", "r2"), ("c:1", "r3")]);
    assert_eq!(complete, "r1+r2+r3");
    assert_eq!(cluster(&[("c:1", "r3"), ("a:1", "r1"), ("b:1", "r2")]), complete, "in whichever order they answer");
    assert_ne!(cluster(&[("a:1", "r1"), ("b:1", "r2"), ("d:1", "r4")]), complete, "a replica took over from c");
    assert_ne!(cluster(&[("a:1", "r1"), ("b:1", "r5"), ("c:1", "r3")]), complete, "b was started again");
}

/// Nothing is connected to until a command is sent; then the failure is reported in time.
#[tokio::test]
async fn sentinels_that_do_not_answer_fail_commands() {
    let address: RedisAddress = "redis+sentinel://127.0.0.1:1/main".parse().unwrap();
    let mut redis = address.open(Duration::from_millis(200)).unwrap();
    let failure = redis::cmd("PING").query_async::<String>(&mut redis).await.unwrap_err();
    assert!(failure.to_string().len() > 1 && redis.runs().await.is_err(), "{failure}");
}
