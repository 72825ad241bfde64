//! All streams at once: the notifications are those of a recount.
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::Scene;
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::comment_reactions::events::{COMMENT_REACTION_CREATED, COMMENT_REACTION_DELETED};
use crate::comments::events::{COMMENT_CREATED, COMMENT_DELETED};
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

/// Numbers that look random, the same for a seed (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[sqlx::test(migrations = false)]
async fn notifications_are_exact_when_all_streams_are_consumed_at_once(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let mut people = Vec::new();
    for name in ["Ann", "Bert", "Carl", "Dora", "Emil", "Fred"] {
        people.push(scene.person(name).await);
    }
    for seed in 0..3 {
        let mut numbers = Numbers(seed);
        let mut events: Vec<(&str, Value)> = Vec::new();
        let mut said: Vec<Value> = Vec::new();
        let posts: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
        for (post, author) in posts.iter().zip(&people) {
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
                            events.extend([
                                (COMMENT_REACTION_CREATED, answer.clone()),
                                (COMMENT_REACTION_DELETED, answer),
                            ]);
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
        for (stream, event) in &events {
            scene.put(stream, event).await;
        }
        let streams = [
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
        join_all(streams.map(|stream| scene.consume_waiting(stream))).await;
        let wrong = sqlx::raw_sql(DIFFERENCES).fetch_all(&scene.app.db).await.unwrap();
        let wrong: Vec<String> = wrong.iter().map(|row| row.get(0)).collect();
        assert_eq!(wrong, [""; 0], "seed {seed}");
        // Each reader's numbers are those of their changes: none twice, none above the last.
        let doubled = "select change from notification where shown group by user_id, change having count(*) > 1
            union all select change from notification join notification_reader using (user_id) where change > last_change";
        assert_eq!(sqlx::raw_sql(doubled).fetch_all(&scene.app.db).await.unwrap().len(), 0);
    }
    assert_ne!(scene.notifications(&people[1]).await, [json!(null); 0]);
}
