//! What a message that waited says when it is sent, and when it is not sent any more.
use chrono::Utc;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::web_push::decrypted;
use super::{PushService, answer, browser, deliveries, push_at, register, run, send, with_web_push};
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::devices::Provider::WebPush;
use crate::people::events::USER_REGISTERED;

/// The titles that a push service got since it was asked last.
fn titles(service: &PushService) -> Vec<Value> {
    service.taken().iter().map(|taken| decrypted(taken)["title"].clone()).collect()
}

async fn change(platform: &Platform, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&platform.app.db).await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn a_message_that_waited_has_the_words_of_then(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = (with_web_push(database).await, PushService::start().await);
    let ((anna, her), (_, bert), (_, carl)) = (new_user(), new_user(), new_user());
    for (id, name) in [(bert, "Bert"), (carl, "Carl")] {
        let card = json!({ "id": id, "first_name": name, "updated_at": Utc::now(), "status": "ACTIVE" });
        platform.consume(USER_REGISTERED, &card).await;
    }
    register(&platform, &anna, browser(&service, "anna")).await;
    let notification = Uuid::now_v7();
    let rows = format!(
        "insert into notification (id, user_id, type, subject_id, causes, status, created_at, updated_at)
        values ('{notification}', '{her}', 'USER_CONNECTED', '{her}', 2, 'SENDING', now(), now());
        insert into notification_actor (notification_id, actor_id, stands, at, newest)
        values ('{notification}', '{carl}', true, now(), now()),
            ('{notification}', '{bert}', true, now() - interval '1 minute', now())"
    );
    change(&platform, rows).await;
    service.plan([answer(503)]);
    push_at(&platform, her, notification, "", None).await;
    send(&platform, WebPush).await;
    assert_eq!(titles(&service), ["Carl and Bert connected to you"]);
    // Carl is muted, blocked or gone before it is tried again.
    let withdrawn = format!(
        "update notification_actor set stands = false where actor_id = '{carl}';
        update notification set causes = 1 where id = '{notification}'"
    );
    change(&platform, withdrawn).await;
    run(&platform, "update push_delivery set due_at = now()").await;
    send(&platform, WebPush).await;
    assert_eq!(titles(&service), ["Bert connected to you"]);

    // And of the next one she wants no push when it is tried again.
    let counted = Counted::begin();
    service.plan([answer(503)]);
    push_at(&platform, her, notification, "", None).await;
    send(&platform, WebPush).await;
    assert_eq!(titles(&service).len(), 1);
    let changes = json!({ "types": { "USER_CONNECTED": { "push": false } } });
    let reply = platform.call("PATCH", "/me/notification-preferences", Some(&anna), Some(changes)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    run(&platform, "update push_delivery set due_at = now() where state = 'WAITING'").await;
    send(&platform, WebPush).await;
    assert_eq!(titles(&service), [Value::Null; 0]);
    let last = deliveries(&platform).await.pop().unwrap();
    assert_eq!((last.state.as_str(), last.error.as_deref(), last.has_words), ("FAILED", Some("outdated"), false));
    counted.assert(r#"push_deliveries_total{provider="WEB_PUSH",outcome="outdated"} 1"#);
}
