//! Notifications behind a rebuild: what stands behind them is what was copied, and no notification begins with it.
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::{Owner, finish, rows, start};
use crate::backfill::commands::rebuild;
use crate::backfill::schedulers::Backfill;
use crate::comments::events::COMMENT_CREATED;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::new_user;
use crate::notifications::tests::{Scene, Someone};
use crate::people::events::USER_UPDATED;
use crate::posts::events::POST_CREATED;
use crate::reactions::events::REACTION_CREATED;
use crate::streams::tests::Client;

const DAY: i64 = 86_400;

/// A service whose neighbours have what a test says, some of which no event reports.
struct Loss {
    scene: Scene,
    owner: Arc<Owner>,
}

impl Loss {
    async fn start(database: PgConnectOptions) -> Self {
        let (platform, owner) = start(database).await;
        Self { scene: Scene::of(platform), owner }
    }

    /// A person with a first name, and that as a username.
    async fn person(&self, name: &str) -> Someone {
        let (token, id) = new_user();
        let mut person = self.scene.user(id, name);
        (person["username"], person["interests"]) = (json!(name), json!([]));
        self.scene.consume(USER_UPDATED, &person).await;
        self.owner.add("people", &person);
        Someone { id, token }
    }

    /// A published post.
    async fn publish(&self, author: &Someone) -> Value {
        let mut post = self.scene.post(author, Uuid::now_v7(), "POSTED", 0);
        (post["published_at"], post["total_views"]) = (post["updated_at"].clone(), json!(0));
        self.scene.consume(POST_CREATED, &post).await;
        post
    }

    async fn fill(&self) {
        finish(&mut Backfill::new(&self.scene.app)).await;
    }

    /// The number of the last change of a reader's notifications.
    async fn last_change(&self, reader: &Someone) -> i64 {
        let all = self.scene.notifications(reader).await;
        all.iter().map(|notification| notification["change"].as_i64().unwrap()).max().unwrap()
    }

    /// What a stream sends of the changes behind a number: how many notifications are withdrawn, and the texts of the others.
    async fn changes(&self, reader: &Someone, last: i64) -> (usize, Vec<String>) {
        let mut client = Client::open(&self.scene.router, &reader.token, Some(last)).await.unwrap();
        let (mut withdrawn, mut texts) = (0, Vec::new());
        loop {
            let sent = client.next().await.unwrap();
            match sent.data["text"].as_str() {
                _ if sent.event == "unread" => return (withdrawn, texts),
                Some(text) => texts.push(text.to_owned()),
                None => withdrawn += usize::from(sent.data["withdrawn"] == true),
            }
        }
    }
}

fn id(value: &Value) -> Uuid {
    value["id"].as_str().unwrap().parse().unwrap()
}

/// All that is stored of notifications.
async fn stored(loss: &Loss) -> Vec<String> {
    let mut all = Vec::new();
    for table in ["notification", "notification_actor", "notification_reader"] {
        all.extend(rows(&loss.scene, &format!("select {table} from {table} order by {table}::text")).await);
    }
    all
}

/// Reactions that were taken back, comments that were deleted, connections that ended, a post that is gone and a block that began, of
/// which no event came.
#[sqlx::test(migrations = false)]
async fn what_has_no_cause_any_more_is_withdrawn_by_a_rebuild(_: PgPoolOptions, database: PgConnectOptions) {
    let loss = Loss::start(database).await;
    let (scene, owner) = (&loss.scene, &loss.owner);
    let mut people = Vec::new();
    for name in ["Ann", "Bert", "Carl", "Dora", "Emil", "Fred"] {
        people.push(loss.person(name).await);
    }
    let [ann, bert, carl, dora, emil, fred] = &people[..] else { panic!("{people:?}") };
    let [post, gone] = [loss.publish(ann).await, loss.publish(ann).await];
    let kept = scene.react(bert, id(&post), 1).await;
    scene.react(carl, id(&post), 2).await;
    let blocked = scene.react(dora, id(&post), 3).await;
    scene.react(bert, id(&gone), 4).await;
    let mut said = scene.made(emil, id(&post), 5);
    said["facets"] = json!([{ "kind": "MENTION", "value": "Ann", "byte_start": 0, "byte_end": 4, "utf16_start": 0,
        "utf16_end": 4 }]);
    scene.consume(COMMENT_CREATED, &said).await;
    scene.connect(fred, ann, 7).await;
    let texts = scene.texts(ann).await;
    assert_eq!(texts.len(), 5, "{texts:?}");
    scene.view_all(ann).await;
    let last = loss.last_change(ann).await;

    owner.add("posts", &post);
    for reaction in [&kept, &blocked] {
        owner.add("reactions", reaction);
    }
    owner.add("blocks", &json!({ "user_id": dora.id, "target_id": ann.id, "at": scene.at(8) }));
    loss.fill().await;
    assert_eq!(scene.texts(ann).await, ["Bert reacted to your post"]);
    assert_eq!(scene.notifications(ann).await[0]["total_actors"], 1);
    assert_eq!(scene.unread(ann).await, json!(0), "that something is gone is no news");
    let changes = loss.changes(ann, last).await;
    assert_eq!(changes, (4, vec!["Bert reacted to your post".to_owned()]), "open streams get it");
    assert_ne!(rows(scene, "select corrected from notification_review").await, ["(0)"]);

    // What is right stays as it is.
    let before = stored(&loss).await;
    rebuild(&scene.app).await.unwrap();
    loss.fill().await;
    assert_eq!(stored(&loss).await, before);
    assert_eq!(rows(scene, "select corrected from notification_review").await, ["(0)"]);

    // As a rebuild of before left them, which compared nothing.
    let damage = "update notification_actor set stands = true;
        update notification set causes = (select count(*) from notification_actor where notification_id = id), withheld = false";
    scene.app.db.execute(damage).await.unwrap();
    assert_eq!(scene.texts(ann).await.len(), 5);
    rebuild(&scene.app).await.unwrap();
    loss.fill().await;
    assert_eq!(scene.texts(ann).await, ["Bert reacted to your post"]);
}

/// Reactions and connections of which no event came. What is old is counted quietly; and a notification that there was none of does not
/// begin, or everyone would be notified of the past at the first start.
#[sqlx::test(migrations = false)]
async fn who_is_missing_in_a_notification_is_counted_by_a_rebuild(_: PgPoolOptions, database: PgConnectOptions) {
    let loss = Loss::start(database).await;
    let (scene, owner) = (&loss.scene, &loss.owner);
    let mut people = Vec::new();
    for name in ["Ann", "Bert", "Carl", "Dora", "Emil"] {
        people.push(loss.person(name).await);
    }
    let [ann, bert, carl, dora, emil] = &people[..] else { panic!("{people:?}") };
    let [post, other, quiet] = [loss.publish(ann).await, loss.publish(ann).await, loss.publish(ann).await];
    let mut reactions = vec![scene.react(bert, id(&post), 2).await, scene.react(bert, id(&other), 1).await];
    scene.connect(bert, ann, 0).await;
    scene.view_all(ann).await;

    let recent = scene.made(carl, id(&post), 3);
    reactions.extend([
        recent.clone(),
        scene.made(dora, id(&post), -3 * DAY),
        scene.made(emil, id(&post), -91 * DAY),
        scene.made(emil, id(&other), -3 * DAY),
        scene.made(carl, id(&quiet), 4),
    ]);
    for post in [&post, &other, &quiet] {
        owner.add("posts", post);
    }
    for reaction in &reactions {
        owner.add("reactions", reaction);
    }
    for person in [bert, carl] {
        owner.add("connections", &scene.link(person, ann, 0));
    }
    loss.fill().await;
    let expected = [
        "Carl and 2 others reacted to your post",
        "Bert and Emil reacted to your post",
        "Bert and Carl connected to you",
    ];
    assert_eq!(scene.texts(ann).await, expected);
    let unread = scene.listed(ann, "?unread=true").await;
    let unread: Vec<&Value> = unread.iter().map(|notification| &notification["text"]).collect();
    assert_eq!(unread, [expected[0], expected[2]], "what happened days ago is no news");

    // Its event was on its way.
    scene.view_all(ann).await;
    scene.consume(REACTION_CREATED, &recent).await;
    assert_eq!((scene.unread(ann).await, scene.texts(ann).await), (json!(0), expected.map(str::to_owned).to_vec()));
}

/// A page of the review is one transaction, and keeps its place; what happens between two of them is an event, and is applied as one.
#[sqlx::test(migrations = false)]
async fn a_review_goes_on_where_the_process_before_was(_: PgPoolOptions, database: PgConnectOptions) {
    let loss = Loss::start(database).await;
    let scene = &loss.scene;
    let (ann, bert) = (loss.person("Ann").await, loss.person("Bert").await);
    let post = loss.publish(&ann).await;
    let many = format!(
        "insert into reaction_card (id, post_id, user_id, type, created_at, version)
        select gen_random_uuid(), '{}', gen_random_uuid(), 'LIKE', now() - n * interval '1 minute', now()
        from generate_series(1, 1200) as n",
        id(&post)
    );
    scene.app.db.execute(AssertSqlSafe(many)).await.unwrap();
    let reaction = scene.react(&bert, id(&post), 1).await;
    assert_eq!(scene.notifications(&ann).await[0]["total_actors"], 1_201);
    // Half of them are taken back, of which no event comes; all sources are copied.
    let lost =
        "update reaction_card set deleted_at = now() where created_at < now() - interval '600 minutes 30 seconds';
        update backfill_source set started_at = now(), finished_at = now()";
    scene.app.db.execute(lost).await.unwrap();
    let mut one = Backfill::new(&scene.app);
    assert_eq!(one.step().await.unwrap(), Outcome::Busy);
    let place = "select compared, finished_at is null as is_open from notification_review";
    assert_eq!(rows(scene, place).await, ["(500,t)"]);
    drop(one);
    scene.take_back(&reaction).await;
    let mut two = Backfill::new(&scene.app);
    while two.step().await.unwrap() != Outcome::Busy {
        // Postgres sees within a moment that the connection with the lock is gone.
        tokio::task::yield_now().await;
    }
    finish(&mut two).await;
    let done = "select compared, corrected, finished_at is null as is_open from notification_review";
    assert_eq!(rows(scene, done).await, ["(1201,600,f)"]);
    assert_eq!(scene.notifications(&ann).await[0]["total_actors"], 600);
    assert_eq!(finish(&mut two).await, 1, "and it does not begin by itself again");
}
