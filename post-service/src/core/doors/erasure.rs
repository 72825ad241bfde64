//! The erasure of a person's data: whatever names them, or is in their words, leaves this service's tables, its outbox and the
//! streams that it writes.
//!
//! An erasure is a row that a worker takes from step to step, each a short transaction: first the service's own rows, a
//! batch at a time; then the outbox, whose events about the person keep ids, times and numbers, so that a consumer that is behind
//! can still follow, and lose the words; then what else holds copies. It is confirmed then, by an event of the service, and
//! looked through once more a minute later, for a request that was under way at the time.
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::app::App;
use crate::core::events::outbox::publish;
use crate::core::events::{Effect, Event, Subscription, retention};
use crate::core::ground::worker::{Outcome, Worker};

/// Rows of the outbox that are scanned in one step.
const BATCH: i64 = 2_000;
/// When the second pass begins, in seconds: no request takes longer, and no ended token is accepted longer.
const SECOND_PASS_AFTER: f64 = 60.0;
/// How often the worker looks for work.
const POLL: Duration = Duration::from_secs(1);
/// By which fields an object says whose it is.
const OWNERS: [&str; 3] = ["id", "created_by", "user_id"];

/// What a service does when a person's data are to end.
#[derive(Clone, Copy)]
pub struct Erasure {
    /// The fields of its events that hold names, addresses or words.
    pub personal: &'static [&'static str],
    /// Erases some of a person's rows; true when there may be more.
    pub rows: for<'a> fn(&'a mut PgTransaction<'static>, Uuid) -> BoxFuture<'a, sqlx::Result<bool>>,
    /// The stream on which it confirms the erasure; none in the auth service, which consumes those of the others.
    pub confirmed_on: Option<&'static str>,
}

/// The stream of the auth service about persons who have left.
const USER_DELETED: &str = "user_deleted";

/// A person who has left.
#[derive(Deserialize)]
struct DepartedUser {
    id: Uuid,
}

impl Erasure {
    /// What a service that confirms erasures consumes: of those who leave, nothing stays.
    pub fn subscription(&self) -> Option<Subscription> {
        self.confirmed_on.map(|_| Subscription::new(USER_DELETED, user_deleted))
    }
}

fn user_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let person = |event: &Event| serde_json::from_str(&event.message).map(|left: DepartedUser| left.id);
        let people: Vec<Uuid> = events.iter().map(person).collect::<Result<_, _>>()?;
        Ok(begin(tx, &people).await?)
    })
}

/// Asks for the end of a person's data, with the change that it follows from.
pub async fn begin(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<()> {
    let query = sqlx::query!(
        "insert into erasure (person) select distinct * from unnest($1::uuid[]) on conflict (person) do nothing",
        people
    );
    query.execute(&mut **tx).await.map(drop)
}

/// An erasure under way.
struct PendingErasure {
    person: Uuid,
    scanned: i64,
    /// Whether it is the second pass.
    second_pass: bool,
}

/// The worker that carries out erasures.
pub struct Eraser {
    pub app: App,
    pub erasure: &'static Erasure,
}

impl Worker for Eraser {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.app.db.begin().await?;
        let Some(pending) = lock_next(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        let (person, personal) = (pending.person, self.erasure.personal);
        let more = (self.erasure.rows)(&mut tx, person).await? || scan(&mut tx, &pending, personal).await?;
        if !more {
            finish(&mut tx, &pending).await?;
            if let Some(stream) = self.erasure.confirmed_on.filter(|_| !pending.second_pass) {
                publish(&mut tx, stream, &json!({ "user_id": person })).await?;
            }
        }
        self.app.commit(tx).await?;
        if !more {
            retention::delete_erased_entries(&self.app).await?;
        }
        Ok(Outcome::Busy)
    }
}

/// The erasure that waits longest and that no other replica has at hand.
async fn lock_next(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<PendingErasure>> {
    let query = sqlx::query_as!(
        PendingErasure,
        r#"select person, scanned, confirmed_at is not null as "second_pass!" from erasure
        where done_at is null and (confirmed_at is null or confirmed_at < now() - make_interval(secs => $1))
        order by asked_at limit 1 for update skip locked"#,
        SECOND_PASS_AFTER
    );
    query.fetch_optional(&mut **tx).await
}

/// Takes a person's words out of some events of the outbox; false when all were scanned.
async fn scan(tx: &mut PgTransaction<'_>, erasure: &PendingErasure, personal: &[&str]) -> sqlx::Result<bool> {
    let query = sqlx::query_scalar!(
        "select max(seq) from (select seq from outbox where seq > $1 order by seq limit $2) as batch",
        erasure.scanned,
        BATCH
    );
    let end = query.fetch_one(&mut **tx).await?;
    let Some(end) = end else { return Ok(false) };
    let query = sqlx::query!(
        r#"select seq, slot, message::text as "message!" from outbox
        where seq > $1 and seq <= $2 and position($3 in message::text) > 0"#,
        erasure.scanned,
        end,
        erasure.person.to_string()
    );
    let events = query.fetch_all(&mut **tx).await?;
    let (mut slots, mut places, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    for event in events {
        let mut message: Value =
            serde_json::from_str(&event.message).map_err(|cause| sqlx::Error::Decode(cause.into()))?;
        if redact(&mut message, &erasure.person.to_string(), personal, false) {
            slots.push(event.slot);
            places.push(event.seq);
            messages.push(message.to_string());
        }
    }
    let query = sqlx::query!(
        "update outbox set message = bare.message::json, erased = true
        from unnest($1::smallint[], $2::bigint[], $3::text[]) as bare (slot, seq, message)
        where outbox.slot = bare.slot and outbox.seq = bare.seq",
        &slots,
        &places,
        &messages
    );
    query.execute(&mut **tx).await?;
    sqlx::query!("update erasure set scanned = $2 where person = $1", erasure.person, end).execute(&mut **tx).await?;
    Ok(true)
}

/// Empties the personal fields of every object that is the person's; whether there was something in them. A text becomes
/// the empty text and a list the empty list, so that a consumer that is behind can still read the event; anything else null.
fn redact(value: &mut Value, person: &str, personal: &[&str], inherited: bool) -> bool {
    let mut found = false;
    match value {
        Value::Object(fields) => {
            let theirs = inherited || OWNERS.iter().any(|name| fields.get(*name).is_some_and(|owner| owner == person));
            for (name, field) in fields {
                if theirs && personal.contains(&name.as_str()) {
                    let bare = match field {
                        Value::String(_) => Value::String(String::new()),
                        Value::Array(_) => Value::Array(Vec::new()),
                        _ => Value::Null,
                    };
                    found |= *field != bare;
                    *field = bare;
                } else {
                    found |= redact(field, person, personal, theirs);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| found |= redact(item, person, personal, inherited)),
        _ => {}
    }
    found
}

/// Erases the copies that the core itself has, and ends this pass.
async fn finish(tx: &mut PgTransaction<'_>, erasure: &PendingErasure) -> sqlx::Result<()> {
    let person = erasure.person.to_string();
    sqlx::query!("delete from dead_letter where position($1 in message) > 0", person).execute(&mut **tx).await?;
    sqlx::query!("delete from answer where subject = $1 or position($2 in body::text) > 0", erasure.person, person)
        .execute(&mut **tx)
        .await?;
    let query = sqlx::query!(
        "update erasure set scanned = 0, confirmed_at = coalesce(confirmed_at, now()),
            done_at = case when $2 then now() end
        where person = $1",
        erasure.person,
        erasure.second_pass
    );
    query.execute(&mut **tx).await.map(drop)
}

#[cfg(test)]
mod tests {
    use redis::AsyncCommands;
    use serde_json::json;
    use sqlx::Executor;
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

    use super::*;
    use crate::SERVICE;
    use crate::core::events::outbox::publish;
    use crate::core::testing::Platform;

    #[sqlx::test(migrations = false)]
    async fn an_erased_event_leaves_the_outbox_bare_and_the_stream(_: PgPoolOptions, database: PgConnectOptions) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let app = &platform.app;
        let [anna, bert] = [(); 2].map(|()| Uuid::now_v7());
        let stream = SERVICE.publishes[0];
        let mut tx = app.db.begin().await.unwrap();
        for person in [anna, bert] {
            publish(&mut tx, stream, &json!({ "created_by": person, "title": "Words" })).await.unwrap();
        }
        begin(&mut tx, &[anna]).await.unwrap();
        app.commit(tx).await.unwrap();
        platform.published(stream).await;
        let group: Result<(), _> = app.redis.clone().xgroup_create(stream, "slow_group", "0").await;
        group.unwrap();

        let mut tx = app.db.begin().await.unwrap();
        let erasure = lock_next(&mut tx).await.unwrap().unwrap();
        assert_eq!((erasure.person, erasure.second_pass), (anna, false));
        assert!(scan(&mut tx, &erasure, &["title"]).await.unwrap());
        let erasure = lock_next(&mut tx).await.unwrap().unwrap();
        assert!(!scan(&mut tx, &erasure, &["title"]).await.unwrap(), "all was looked through");
        finish(&mut tx, &erasure).await.unwrap();
        app.commit(tx).await.unwrap();
        retention::delete_erased_entries(app).await.unwrap();
        assert_eq!(platform.published(stream).await.len(), 2, "a group has not read it yet");

        // The last entry that every group has read once stayed until another one came.
        let options = redis::streams::StreamReadOptions::default().group("slow_group", "reader").count(1);
        let read: redis::streams::StreamReadReply =
            app.redis.clone().xread_options(&[stream], &[">"], &options).await.unwrap();
        assert_eq!(read.keys[0].ids[0].id, "1-0");
        let _: u64 = app.redis.clone().xack(stream, "slow_group", &["1-0"]).await.unwrap();
        retention::delete_erased_entries(app).await.unwrap();
        assert_eq!(platform.published(stream).await, [json!({ "created_by": bert, "title": "Words" })]);
        let bare = sqlx::query_scalar!(r#"select message::text as "message!" from outbox where erased"#);
        let bare: Value = serde_json::from_str(&bare.fetch_one(&app.db).await.unwrap()).unwrap();
        assert_eq!(bare, json!({ "created_by": anna, "title": "" }));

        let mut tx = app.db.begin().await.unwrap();
        assert!(lock_next(&mut tx).await.unwrap().is_none(), "a minute has not passed");
        tx.execute("update erasure set confirmed_at = confirmed_at - interval '2 minutes'").await.unwrap();
        let second = lock_next(&mut tx).await.unwrap().unwrap();
        assert_eq!((second.second_pass, second.scanned), (true, 0), "and then it begins at the beginning");
    }

    #[sqlx::test(migrations = false)]
    async fn events_are_erased_in_every_part_of_the_outbox(_: PgPoolOptions, database: PgConnectOptions) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let (app, anna) = (&platform.app, Uuid::now_v7());
        let mut tx = app.db.begin().await.unwrap();
        for _ in 0..22 {
            publish(&mut tx, SERVICE.publishes[0], &json!({ "created_by": anna, "title": "Words" })).await.unwrap();
        }
        tx.execute("update outbox set slot = seq % 11").await.unwrap();
        begin(&mut tx, &[anna]).await.unwrap();
        let erasure = lock_next(&mut tx).await.unwrap().unwrap();
        assert!(scan(&mut tx, &erasure, &["title"]).await.unwrap());
        let bare = sqlx::query_scalar!(
            r#"select count(*) as "bare!" from outbox where erased and message->>'title' = '' group by slot order by slot"#
        );
        assert_eq!(bare.fetch_all(&mut *tx).await.unwrap(), [2; 11]);
    }

    #[test]
    fn an_object_of_the_person_loses_its_words_and_keeps_its_shape() {
        let mut message = json!({
            "id": "p", "created_by": "anna", "title": "Mine", "types": ["NEWS"], "total_views": 3, "interests": ["NEWS"],
            "tags": [{ "label": "x", "title": "inherited" }], "title_of": null, "content": null,
        });
        let personal = ["title", "content", "interests"];
        assert!(redact(&mut message, "anna", &personal, false));
        assert_eq!(
            message,
            json!({
                "id": "p", "created_by": "anna", "title": "", "types": ["NEWS"], "total_views": 3, "interests": [],
                "tags": [{ "label": "x", "title": "" }], "title_of": null, "content": null,
            })
        );
        assert!(!redact(&mut message, "anna", &personal, false), "nothing is left to take");
    }

    #[test]
    fn an_object_of_another_person_is_left_though_it_names_the_person() {
        let mut viewed = json!({ "id": "p", "created_by": "bert", "title": "His", "viewed_by": "anna" });
        assert!(!redact(&mut viewed, "anna", &["title"], false));
        let mut case = json!({ "created_by": null, "raw_content": { "created_by": "anna", "content": "hers" }, "content": "ours" });
        assert!(redact(&mut case, "anna", &["content"], false));
        assert_eq!((&case["raw_content"]["content"], &case["content"]), (&json!(""), &json!("ours")));
    }
}
