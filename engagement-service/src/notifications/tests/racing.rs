//! All streams at once: the notifications are those of a recount.
use futures::future::{join, join_all};
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{Scene, Someone};
use crate::backfill::schedulers::Backfill;
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::comment_reactions::events::{COMMENT_REACTION_CREATED, COMMENT_REACTION_DELETED};
use crate::comments::events::{COMMENT_CREATED, COMMENT_DELETED};
use crate::core::ground::worker::{Outcome, Worker};
use crate::follows::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};
use crate::reactions::events::{REACTION_CREATED, REACTION_DELETED};

/// What is in the read model and not among the notifications, and the other way round.
const DIFFERENCES: &str = "with expected as (
        select cause.type, id as subject_id, coalesce(reader_id, user_id) as user_id, count(distinct actor_id) as causes
        from post_card cross join lateral (
            select type, actor_id, null::uuid as reader_id from author_causes(id)
            union all
            select type, actor_id, reader_id from reader_causes(id)
        ) as cause
        where is_public(post_card) and may_notify(coalesce(reader_id, user_id), actor_id)
            and (reader_id is null or not hidden(reader_id, user_id)) group by 1, 2, 3
        union all
        select 'USER_CONNECTED', target_id, target_id, count(*) from follow
        where stands and may_notify(target_id, user_id) group by target_id, (at at time zone 'utc')::date
    ), found as (
        select type, subject_id, user_id, causes from notification where shown and type <> 'PROFILE_ACTIVITY'
    )
    select row_to_json(wrong)::text from (
        (table expected except all table found) union all (table found except all table expected)
    ) as wrong";

/// Numbers of changes that two notifications have, or that were never given out.
const DOUBLED: &str = "select change from notification where shown group by user_id, change having count(*) > 1
    union all select change from notification join notification_reader using (user_id) where change > last_change";

/// All streams in which that happens.
const STREAMS: [&str; 13] = [
    POST_CREATED,
    POST_UPDATED,
    POST_DELETED,
    REACTION_CREATED,
    REACTION_DELETED,
    COMMENT_CREATED,
    COMMENT_DELETED,
    COMMENT_REACTION_CREATED,
    COMMENT_REACTION_DELETED,
    USER_BLOCKED,
    USER_UNBLOCKED,
    USER_CONNECTED,
    USER_DISCONNECTED,
];

/// Numbers that look random, the same for a seed (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// What happens to six posts of six people, in the order in which it does. The last is the end of the first post.
fn history(scene: &Scene, people: &[Someone], numbers: &mut Numbers) -> Vec<(&'static str, Value)> {
    let mut events: Vec<(&str, Value)> = Vec::new();
    let mut said: Vec<Value> = Vec::new();
    let posts: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
    for (post, author) in posts.iter().zip(people) {
        events.push((POST_CREATED, scene.post(author, *post, "POSTED", 0)));
    }
    for second in 1..160 {
        let (one, other) = (&people[numbers.below(6)], &people[numbers.below(6)]);
        let place = numbers.below(6);
        let (post, author) = (posts[place], &people[place]);
        let made = scene.made(one, post, second);
        match numbers.below(16) {
            0..=3 => events.push((REACTION_CREATED, made)),
            4 => events.extend([(REACTION_CREATED, made.clone()), (REACTION_DELETED, made)]),
            5 => {
                said.push(made.clone());
                events.push((COMMENT_CREATED, made));
            }
            6 => events.extend([(COMMENT_CREATED, made.clone()), (COMMENT_DELETED, made)]),
            7 => {
                let stream = [USER_BLOCKED, USER_UNBLOCKED][numbers.below(2)];
                events.push((stream, scene.link(one, other, second)));
            }
            8 => {
                let stream = [USER_CONNECTED, USER_DISCONNECTED][numbers.below(2)];
                events.push((stream, scene.link(one, other, second)));
            }
            10..=14 if !said.is_empty() => {
                let mut first = said[numbers.below(said.len())].clone();
                let mut answer = made;
                (answer["post_id"], answer["reply_to"]) = (first["post_id"].clone(), first["id"].clone());
                answer["comment_id"] = first["id"].clone();
                match numbers.below(5) {
                    0 => events.push((COMMENT_CREATED, answer)),
                    1 => events.extend([(COMMENT_CREATED, answer.clone()), (COMMENT_DELETED, answer)]),
                    2 => events.push((COMMENT_REACTION_CREATED, answer)),
                    3 => {
                        events.extend([(COMMENT_REACTION_CREATED, answer.clone()), (COMMENT_REACTION_DELETED, answer)]);
                    }
                    _ => {
                        first["updated_at"] = answer["updated_at"].clone();
                        first["hidden_at"] = answer["updated_at"].clone();
                        events.push((COMMENT_DELETED, first));
                    }
                }
            }
            _ => {
                let status = ["POSTED", "ARCHIVED"][numbers.below(2)];
                events.push((POST_UPDATED, scene.post(author, post, status, second)));
            }
        }
    }
    events.push((POST_DELETED, scene.post(&people[0], posts[0], "POSTED", 200)));
    events
}

/// Puts events into their streams, and consumes all of these at once.
async fn consume(scene: &Scene, events: &[(&'static str, Value)]) {
    for (stream, event) in events {
        scene.put(stream, event).await;
    }
    join_all(STREAMS.map(|stream| scene.consume_waiting(stream))).await;
}

async fn six_people(scene: &Scene) -> Vec<Someone> {
    let mut people = Vec::new();
    for name in ["Ann", "Bert", "Carl", "Dora", "Emil", "Fred"] {
        people.push(scene.person(name).await);
    }
    people
}

async fn differences(scene: &Scene) -> Vec<String> {
    let wrong = sqlx::raw_sql(DIFFERENCES).fetch_all(&scene.app.db).await.unwrap();
    wrong.iter().map(|row| row.get(0)).collect()
}

#[sqlx::test(migrations = false)]
async fn notifications_are_exact_when_all_streams_are_consumed_at_once(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let people = six_people(&scene).await;
    for seed in 0..3 {
        consume(&scene, &history(&scene, &people, &mut Numbers(seed))).await;
        assert_eq!(differences(&scene).await, [""; 0], "seed {seed}");
        // Each reader's numbers are those of their changes: none twice, none above the last.
        assert_eq!(sqlx::raw_sql(DOUBLED).fetch_all(&scene.app.db).await.unwrap().len(), 0);
    }
    assert_ne!(scene.notifications(&people[1]).await, [json!(null); 0]);
}

/// What a rebuild writes without an event: ends of all kinds, of what the owners of the rows do not have any more.
const LOSSES: &str = "
    update reaction_card set deleted_at = now() where deleted_at is null and hashtext(id::text) % 3 = 0;
    update comment_reaction_card set deleted_at = now() where deleted_at is null and hashtext(id::text) % 3 = 0;
    update comment_card set deleted_at = now() where deleted_at is null and hashtext(id::text) % 4 = 0;
    insert into block (user_id, target_id, stands, at)
        select user_id, target_id, true, now() - interval '2 hours' from follow
        where hashtext(target_id::text || user_id::text) % 5 = 0
        on conflict (user_id, target_id) do nothing;
    update follow set stands = false where hashtext(user_id::text || target_id::text) % 3 = 0;
    update post_card set status = 'ARCHIVED' where hashtext(id::text) % 4 = 0;
    update backfill_source set started_at = now(), finished_at = now();
    update notification_review set finished_at = null";

#[sqlx::test(migrations = false)]
async fn notifications_are_exact_when_they_are_reviewed_while_streams_are_consumed(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let scene = Scene::start(database).await;
    let people = six_people(&scene).await;
    for seed in 10..13 {
        let events = history(&scene, &people, &mut Numbers(seed));
        let (before, meanwhile) = events.split_at(events.len() / 2);
        consume(&scene, before).await;
        sqlx::raw_sql(LOSSES).execute(&scene.app.db).await.unwrap();
        assert_ne!(differences(&scene).await, [""; 0], "seed {seed}");
        let review = async {
            let mut worker = Backfill::new(&scene.app);
            while worker.step().await.unwrap() == Outcome::Busy {}
        };
        join(consume(&scene, meanwhile), review).await;
        assert_eq!(differences(&scene).await, [""; 0], "seed {seed}");
        assert_eq!(sqlx::raw_sql(DOUBLED).fetch_all(&scene.app.db).await.unwrap().len(), 0);
    }
}
