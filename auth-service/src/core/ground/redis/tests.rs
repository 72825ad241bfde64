//! What URLs of Redis say, which servers answered, and when a connection is made anew.
use std::io;

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
    let RedisAddress::Sentinels(Sentinels { nodes, service, primary }) = url.parse().unwrap() else {
        panic!("sentinels")
    };
    let guard = || Some("guard".to_owned());
    assert_eq!(places(&nodes), [("a".into(), 1, guard(), 0), ("b".into(), 2, guard(), 0)]);
    assert_eq!(
        (service.as_str(), primary.redis_settings().username(), primary.redis_settings().db()),
        ("main", Some("anna"), 3)
    );
    let RedisAddress::Sentinels(Sentinels { nodes, primary, .. }) = "redis+sentinel://a:1/main".parse().unwrap() else {
        panic!("sentinels")
    };
    assert_eq!((places(&nodes)[0].2.as_deref(), primary.redis_settings().username()), (None, None));
}

#[test]
fn a_url_with_tls_leads_to_no_connection_without() {
    let urls = ["rediss://r:6379/0", "rediss://a:1,b:2?cluster", "rediss+sentinel://a:1,b:2/main"];
    let is_secure = |node: &ConnectionInfo| matches!(node.addr(), ConnectionAddr::TcpTls { insecure: false, .. });
    for url in urls {
        let nodes = match url.parse::<RedisAddress>().unwrap() {
            RedisAddress::Server(server) => vec![server],
            RedisAddress::Sentinels(Sentinels { nodes, primary, .. }) => [nodes, vec![primary]].concat(),
            RedisAddress::Cluster(nodes) => nodes,
        };
        assert!(nodes.iter().all(is_secure), "{url}");
    }
}

#[test]
fn a_wrong_url_is_refused() {
    for wrong in [
        "r:7000",
        "http://r:7000",
        "redis+sentinel://a:1",
        "http+sentinel://a:1/main",
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
    let mut redis = address.open(Duration::from_millis(200));
    let failure = redis::cmd("PING").query_async::<String>(&mut redis).await.unwrap_err();
    assert!(failure.to_string().len() > 1 && redis.runs().await.is_err(), "{failure}");
}

/// Which implementation of TLS the process has is settled before it connects, and no panic says that there are two or none.
#[tokio::test]
async fn a_server_with_tls_that_is_away_fails_commands() {
    let mut redis = "rediss://127.0.0.1:1".parse::<RedisAddress>().unwrap().open(Duration::from_secs(5));
    let failure = redis::cmd("PING").query_async::<String>(&mut redis).await.unwrap_err();
    assert!(failure.is_io_error(), "{failure}");
}

fn shared(url: &str) -> Arc<SharedConnection> {
    let redis = url.parse::<RedisAddress>().unwrap().open(Duration::from_secs(1));
    let Redis::Shared(shared) = redis else { panic!("it is not shared") };
    shared
}

fn late() -> RedisResult<()> {
    Err(io::Error::from(io::ErrorKind::TimedOut).into())
}

#[tokio::test]
async fn a_connection_to_a_cluster_over_which_nothing_is_answered_is_made_anew() {
    let cluster = shared("redis://127.0.0.1:1?cluster");
    let failing_since = || cluster.lock().failing_since;
    let (used, _) = cluster.connection().await.unwrap();
    cluster.check(&used, late()).unwrap_err();
    let first = failing_since().unwrap();
    cluster.check(&used, late()).unwrap_err();
    assert_eq!(failing_since(), Some(first), "it is given its time");
    cluster.check(&used, Ok(())).unwrap();
    assert_eq!(failing_since(), None, "an answer of any node is one");

    cluster.lock().failing_since = Instant::now().checked_sub(SILENCE * 2);
    cluster.check(&used, late()).unwrap_err();
    assert_eq!(failing_since(), None, "it is another one, which has its time again");
    assert!(!Arc::ptr_eq(&cluster.connection().await.unwrap().0, &used));
}

/// Of many commands that fail with one connection, the last may do so when another one is in use.
#[test]
fn a_failure_ends_the_connection_that_it_is_of_and_no_other() {
    let server = shared("redis://127.0.0.1:1");
    let at_hand = || server.lock().connection.clone();
    let first = at_hand();
    let refusal = RedisError::from((ErrorKind::Server(ServerErrorKind::ResponseError), "no such key"));
    server.check(&first, Err::<(), _>(refusal)).unwrap_err();
    assert!(Arc::ptr_eq(&at_hand(), &first), "a refusal is an answer");
    server.check(&first, late()).unwrap_err();
    let second = at_hand();
    assert!(!Arc::ptr_eq(&second, &first));
    server.check(&first, late()).unwrap_err();
    assert!(Arc::ptr_eq(&at_hand(), &second));
}
