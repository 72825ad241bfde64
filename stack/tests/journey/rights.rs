//! Rights in Redis: a service that was taken over appends nothing in the name of another, and no service lacks a right.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Result, ensure};
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisResult, Value};

use super::flow::two_people;
use crate::client::eventually;
use crate::platform::{Platform, home};
use crate::reservations::PortReservations;

/// What the post service, and a caller that has its password, is refused: to publish, to remove and to count for others, to read
/// names of keys, and to configure.
const REFUSED: [&[&str]; 9] = [
    &["XADD", "user_registered", "*", "message", "{}"],
    &["XADD", "user_deleted", "*", "message", "{}"],
    &["XTRIM", "user_deleted", "MAXLEN", "0"],
    &["XGROUP", "DESTROY", "user_deleted", "interaction_group"],
    &["DEL", "rl:sign_in:anna"],
    &["HSET", ":apps.core.models.UserDetailInfo:anna", "total_connections", "9"],
    &["KEYS", "*"],
    &["FLUSHALL"],
    &["CONFIG", "SET", "maxmemory", "1"],
];

async fn connect(url: &str) -> RedisResult<MultiplexedConnection> {
    Client::open(url)?.get_multiplexed_async_connection().await
}

async fn run(connection: &mut MultiplexedConnection, command: &[&str]) -> RedisResult<Value> {
    redis::cmd(command[0]).arg(&command[1..]).query_async(connection).await
}

/// Every command is refused for want of a right.
async fn assert_refused(connection: &mut MultiplexedConnection) {
    for command in REFUSED {
        let error = run(connection, command).await.unwrap_err();
        assert_eq!(error.code(), Some("NOPERM"), "{command:?}: {error}");
    }
}

/// What Redis has refused to anybody for want of a right.
pub async fn refusals(platform: &Platform) -> Result<Vec<Value>> {
    let mut operator = connect(&platform.connection("REDIS_URL")).await?;
    Ok(redis::cmd("ACL").arg("LOG").query_async(&mut operator).await?)
}

#[tokio::test]
async fn a_service_publishes_in_its_own_name_alone_and_its_work_goes_on() -> Result<()> {
    let mut platform = Platform::up(&[]);
    let mut post_service = connect(&platform.connection("POST_REDIS_URL")).await?;
    assert_refused(&mut post_service).await;
    ensure!(refusals(&platform).await?.len() >= 5, "refusals are noticed");
    let mut operator = connect(&platform.connection("REDIS_URL")).await?;
    redis::cmd("ACL").arg("LOG").arg("RESET").exec_async(&mut operator).await?;

    let (ada, bob) = two_people(&platform.api()).await?;
    let post = ada.write_post("On the engine", "It can do what we order.", &["BOOKS"], "POSTED").await?.id;
    bob.comment(&post, "A friendly remark").await?;
    bob.react(&post, "LOVE").await?;
    let ask = async || ada.post(&post).await;
    eventually("the post is counted", ask, |post| (post.total_comments, post.total_reactions) == (1, 1)).await?;
    assert_eq!(refusals(&platform).await?, []);
    platform.stop();
    Ok(())
}

/// The Redis of a container, outside of one; ended with the test.
struct Container(Child);

impl Drop for Container {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

#[tokio::test]
async fn a_container_starts_with_the_users_that_have_a_password() -> Result<()> {
    let (home, mut ports) = (home(), PortReservations::default());
    let port = ports.anywhere(|base| vec![base])?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("redis/start.sh");
    let mut command = Command::new("sh");
    command.arg(&script).args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"]).arg(home.path());
    command.env("TMPDIR", home.path()).stdout(Stdio::null());
    let without = command.env_remove("REDIS_PASSWORD").output()?;
    assert_eq!(String::from_utf8_lossy(&without.stderr), "REDIS_PASSWORD is not set\n");

    command.env("REDIS_PASSWORD", "of & operators/").env("POST_REDIS_PASSWORD", "of posts");
    let _redis = Container(command.spawn()?);
    let operator = format!("redis://default:of%20%26%20operators%2F@127.0.0.1:{port}/0");
    let ask = async || Ok(connect(&operator).await.is_ok());
    eventually("Redis answers its operator", ask, |answers| *answers).await?;
    let mut post_service = connect(&format!("redis://post:of%20posts@127.0.0.1:{port}/0")).await?;
    assert_refused(&mut post_service).await;
    run(&mut post_service, &["XADD", "post_created", "*", "message", "{}"]).await?;
    run(&mut post_service, &["XGROUP", "CREATE", "user_deleted", "post_group", "0", "MKSTREAM"]).await?;
    for nobody in [format!("redis://127.0.0.1:{port}/0"), format!("redis://auth:@127.0.0.1:{port}/0")] {
        let mut connection = connect(&nobody).await;
        let refused = match &mut connection {
            Ok(connection) => run(connection, &["PING"]).await.is_err(),
            Err(_) => true,
        };
        assert!(refused, "{nobody}");
    }
    Ok(())
}
