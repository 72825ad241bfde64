//! What a process says of itself when it is asked whether it is ready.

use reqwest::{Client, StatusCode};
use serde::Deserialize;

use crate::platform::gateway;
use crate::system::GATEWAY;

/// The answer of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Ready,
    /// One of ours, and what it has not got.
    Lacks(Vec<&'static str>),
    /// Nothing that a service of ours would say, or nothing at all.
    Foreign,
}

/// What `/health/ready` answers beside its status.
#[derive(Deserialize)]
struct Answer {
    migrated: bool,
    postgres: bool,
    redis: bool,
}

/// Asks the process of that name that listens at this address.
pub async fn ask(http: &Client, name: &str, url: &str) -> Health {
    // It speaks of all services, and lacks nothing itself.
    if name == GATEWAY {
        return if gateway::lives(http, url).await { Health::Ready } else { Health::Foreign };
    }
    let answer = async {
        let answer = http.get(format!("{url}/health/ready")).send().await?;
        Ok::<_, reqwest::Error>((answer.status(), answer.text().await?))
    };
    answer.await.map_or(Health::Foreign, |(status, body)| understand(status, &body))
}

fn understand(status: StatusCode, body: &str) -> Health {
    let Ok(answer) = serde_json::from_str::<Answer>(body) else { return Health::Foreign };
    if status == StatusCode::OK {
        return Health::Ready;
    }
    let has = [(answer.postgres, "Postgres"), (answer.redis, "Redis"), (answer.migrated, "its tables")];
    Health::Lacks(has.into_iter().filter(|(has, _)| !has).map(|(_, name)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_says_what_it_lacks() {
        let ready = r#"{"ready":true,"migrated":true,"postgres":true,"redis":true}"#;
        assert_eq!(understand(StatusCode::OK, ready), Health::Ready);
        let away = r#"{"ready":false,"migrated":true,"postgres":true,"redis":false}"#;
        assert_eq!(understand(StatusCode::SERVICE_UNAVAILABLE, away), Health::Lacks(vec!["Redis"]));
        let new = r#"{"ready":false,"migrated":false,"postgres":false,"redis":true}"#;
        assert_eq!(understand(StatusCode::SERVICE_UNAVAILABLE, new), Health::Lacks(vec!["Postgres", "its tables"]));
    }

    #[test]
    fn nobody_else_is_taken_for_ours() {
        assert_eq!(understand(StatusCode::OK, "<html>"), Health::Foreign);
        assert_eq!(understand(StatusCode::OK, r#"{"ready":true}"#), Health::Foreign);
    }
}
