//! The weekly digest: notifications of posts that people may like, and of people they may know.
use chrono::Utc;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{Outcome, Town, Worker};
use crate::blocks::events::USER_BLOCKED;
use crate::core::contract::timestamp::Timestamp;
use crate::notifications::causes::Pair;
use crate::notifications::signals;
use crate::people::events::USER_UPDATED;
use crate::post_recommendations::digest::schedulers::RecommendationDigester;
use crate::recommended_people::schedulers::PeopleRecommender;

impl Town {
    /// A whole round over all people, and the digests of a day; how many steps it took to plan them.
    async fn round(&self) -> u32 {
        let steps = self.plan().await;
        self.pass_day().await;
        self.digest_all().await;
        steps
    }

    /// A round over all people, that plans their turns; how many steps it took.
    async fn plan(&self) -> u32 {
        self.sql("update post_digest_round set ended_at = null, past = '00000000-0000-0000-0000-000000000000'").await;
        self.digest_all().await
    }

    /// All that there is to do now; how many steps it took.
    async fn digest_all(&self) -> u32 {
        let mut steps = 0;
        // Each step by a process of its own: the place is in the database.
        while !matches!(self.digest().await.unwrap(), Outcome::Idle(pause) if pause.as_secs() == 30) {
            steps += 1;
        }
        steps
    }

    /// Lets the hour of everyone come once. A day has 25 hours when the clock is put back.
    async fn pass_day(&self) {
        self.sql("update recommendation_turn set due_at = now() where due_at <= now() + interval '25 hours'").await;
    }

    /// A step of a round.
    async fn digest(&self) -> anyhow::Result<Outcome> {
        RecommendationDigester(self.recommender()).step().await
    }

    /// Computes the recommended people of all.
    async fn list_people(&self) {
        self.sql("update recommendation_run set cursor = '00000000-0000-0000-0000-000000000000'").await;
        let mut recommender = PeopleRecommender::new(&self.platform.app);
        while recommender.advance_run().await.unwrap() {}
    }

    /// Lets a week pass since the digests.
    async fn end_week(&self) {
        for table in ["post_digest", "recommended_people"] {
            self.sql(&format!("update {table} set notified_at = notified_at - interval '7 days'")).await;
        }
        self.sql("update recommendation_turn set due_at = due_at - interval '7 days'").await;
    }

    /// A version of a person with that status, and what follows for notifications of them; how many people were looked at.
    async fn change_status(&self, person: Uuid, name: &str, status: &str) -> usize {
        let version = json!({ "id": person, "username": name, "status": status });
        self.platform.consume(USER_UPDATED, &version).await;
        PeopleRecommender::new(&self.platform.app).review().await.unwrap()
    }

    /// Three posts by authors of their own, to which these people react.
    async fn publish_liked_posts(&self, people: &[Uuid]) {
        for number in 0..3 {
            let author = self.join(&format!("author{number}"), &[]).await;
            let post = self.post(author, "NEWS").await;
            for person in people {
                self.react(*person, post).await;
            }
        }
    }

    async fn prefer(&self, reader: Uuid, types: Value) {
        let (path, choice) = ("/me/notification-preferences", json!({ "types": types }));
        let reply = self.platform.call("PATCH", path, Some(&reader.to_string()), Some(choice)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// The types of the recommendations of which a person was notified, listed or not.
    async fn types(&self, reader: Uuid) -> String {
        let types = format!(
            "select type from notification where user_id = '{reader}' and type like '%RECOMMENDATION' order by type"
        );
        self.lines(&types).await.replace("_RECOMMENDATION", "").replace('\n', " ")
    }

    async fn notified(&self, reader: Uuid) -> Vec<Value> {
        let list = self.read(reader, "/me/notifications?type=POST_RECOMMENDATION").await;
        list.body.as_array().unwrap().iter().map(|item| item["text"].clone()).collect()
    }
}

/// Who has something good is notified once a week, and no other user.
#[sqlx::test(migrations = false)]
async fn people_are_notified_once_a_week_of_what_is_good(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let [carl, dora] = [town.join("carl", &["NEWS"]).await, town.join("dora", &[]).await];
    let emil = town.join("emil", &[]).await;
    // Anna, Dora and Emil are connected to Bert, who likes three posts; Carl has what is new alone.
    for reader in [anna, dora, emil] {
        town.connect(reader, bert).await;
    }
    for number in 0..3 {
        let author = town.join(&format!("author{number}"), &[]).await;
        let post = town.post(author, "NEWS").await;
        town.react(bert, post).await;
    }
    // Dora wants none of it, and Emil has it mailed and not listed.
    for (reader, channels) in [(dora, json!({ "in_app": false })), (emil, json!({ "in_app": false, "mail": "DIGEST" }))]
    {
        let choice = json!({ "types": { "POST_RECOMMENDATION": channels } });
        let path = "/me/notification-preferences";
        let reply = town.platform.call("PATCH", path, Some(&reader.to_string()), Some(choice)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    assert_eq!(town.round().await, 2, "eight people, and none");
    let text = json!("There are posts that you may like");
    assert_eq!(town.notified(anna).await, std::slice::from_ref(&text));
    let notified = format!(
        "select count(*) from notification where type = 'POST_RECOMMENDATION' and user_id in ('{anna}', '{emil}')"
    );
    assert_eq!(town.count(&notified).await, 2);
    assert_eq!(town.count("select count(*) from notification where type = 'POST_RECOMMENDATION'").await, 2);
    assert!(town.notified(emil).await.is_empty());
    assert!(town.notified(carl).await.is_empty());
    town.round().await;
    assert_eq!(town.notified(anna).await.len(), 1, "not twice a week");
    town.end_week().await;
    town.round().await;
    assert_eq!(town.notified(anna).await, [text.clone(), text], "the next week");
}

/// A person without a list, since it cannot be made, holds up no other one.
#[sqlx::test(migrations = false)]
async fn a_person_without_a_list_is_left_out(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert, carl] = [town.join("anna", &[]).await, town.join("bert", &[]).await, town.join("carl", &[]).await];
    for reader in [anna, carl] {
        town.connect(reader, bert).await;
    }
    for number in 0..3 {
        let author = town.join(&format!("author{number}"), &[]).await;
        let post = town.post(author, "NEWS").await;
        town.react(bert, post).await;
    }
    // An interest that is no text.
    town.sql(&format!("update person set interests = array[null]::text[] where id = '{anna}'")).await;
    assert!(town.recommender().pick(anna).await.is_err());
    town.round().await;
    assert_eq!((town.notified(anna).await.len(), town.notified(carl).await.len()), (0, 1));
}

/// What there is of both kinds goes together, and what there is of one alone uses up the week of both.
#[sqlx::test(migrations = false)]
async fn posts_and_people_are_one_digest_a_week(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let [carl, dora] = [town.join("carl", &[]).await, town.join("dora", &[]).await];
    let [emil, fred, gina] = [town.join("emil", &[]).await, town.join("fred", &[]).await, town.join("gina", &[]).await];
    // Bert likes three posts and knows Carl: Anna gets both, and Emil, who knows Carl himself, the posts. Gina likes none: Fred gets Carl.
    for (person, other) in [(anna, bert), (bert, carl), (emil, bert), (emil, carl), (fred, gina), (gina, carl)] {
        town.connect(person, other).await;
    }
    town.publish_liked_posts(&[bert]).await;
    town.list_people().await;
    town.round().await;
    assert_eq!(
        [town.types(anna).await, town.types(emil).await, town.types(fred).await],
        ["CONNECTION POST", "POST", "CONNECTION"]
    );
    let moments = format!(
        "select count(distinct (created_at, updated_at, due_at)) from notification where user_id = '{anna}' and type like '%RECOMMENDATION'"
    );
    assert_eq!(town.count(&moments).await, 1, "both are due at one moment");

    // What comes up of the other kind waits for the next week.
    town.connect(bert, dora).await;
    town.publish_liked_posts(&[gina]).await;
    town.list_people().await;
    town.round().await;
    assert_eq!([town.types(emil).await, town.types(fred).await], ["POST", "CONNECTION"]);
    town.end_week().await;
    town.round().await;
    assert_eq!([town.types(emil).await, town.types(fred).await], ["CONNECTION POST POST", "CONNECTION POST"]);
}

/// A kind that a person wants by no channel leaves the digest to the other one, and who wants neither keeps their week.
#[sqlx::test(migrations = false)]
async fn a_digest_keeps_to_the_preferences_of_each_kind(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let [carl, dora, emil] = [town.join("carl", &[]).await, town.join("dora", &[]).await, town.join("emil", &[]).await];
    for (person, other) in [(anna, bert), (dora, bert), (emil, bert), (bert, carl)] {
        town.connect(person, other).await;
    }
    town.publish_liked_posts(&[bert]).await;
    let unlisted = json!({ "in_app": false });
    town.prefer(anna, json!({ "CONNECTION_RECOMMENDATION": unlisted })).await;
    town.prefer(dora, json!({ "POST_RECOMMENDATION": unlisted })).await;
    town.prefer(emil, json!({ "CONNECTION_RECOMMENDATION": unlisted, "POST_RECOMMENDATION": unlisted })).await;
    town.list_people().await;
    town.round().await;
    assert_eq!(
        [town.types(anna).await, town.types(dora).await, town.types(emil).await],
        ["POST", "CONNECTION", ""],
        "nothing is written for no channel"
    );
    town.prefer(emil, json!({ "CONNECTION_RECOMMENDATION": { "mail": "DIGEST" } })).await;
    for _ in 0..2 {
        town.round().await;
        assert_eq!(town.types(emil).await, "CONNECTION", "it is mailed, once a week");
    }
    assert_eq!(town.read(emil, "/me/notifications").await.body, json!([]), "and not listed");
}

#[sqlx::test(migrations = false)]
async fn a_round_that_finds_nothing_for_a_person_leaves_them_their_week(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert, carl] = [town.join("anna", &[]).await, town.join("bert", &[]).await, town.join("carl", &[]).await];
    town.connect(anna, bert).await;
    town.list_people().await;
    town.round().await;
    assert_eq!(town.types(anna).await, "");
    town.connect(bert, carl).await;
    town.list_people().await;
    town.round().await;
    assert_eq!(town.types(anna).await, "CONNECTION");
}

/// Up to three people are named, those who are new, for as long as they may be recommended.
#[sqlx::test(migrations = false)]
async fn a_digest_names_people_who_are_new_and_unknown(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let [carl, dora] = [town.join("carl", &[]).await, town.join("dora", &[]).await];
    let texts = async || {
        let list = town.read(anna, "/me/notifications?type=CONNECTION_RECOMMENDATION").await;
        list.body.as_array().unwrap().iter().map(|item| item["text"].clone()).collect::<Vec<_>>()
    };
    town.connect(anna, bert).await;
    town.connect(bert, carl).await;
    town.list_people().await;
    town.round().await;
    assert_eq!(texts().await, ["You may know carl"]);
    town.connect(bert, dora).await;
    town.list_people().await;
    town.round().await;
    assert_eq!(texts().await, ["You may know carl"], "a second person within the week is no reason");
    town.end_week().await;
    town.round().await;
    assert_eq!(texts().await, ["You may know dora and carl"], "of the same day it is one");
    // What is not true any more is withdrawn.
    let path = format!("/me/recommendations/people/{carl}");
    assert_eq!(town.platform.call("DELETE", &path, Some(&anna.to_string()), None).await.status, 204);
    assert_eq!(texts().await, ["You may know dora"]);
    town.connect(anna, dora).await;
    assert_eq!(texts().await, [json!(null); 0]);
}

/// A list is read before its reader is locked. What a block found then was no notification yet.
#[sqlx::test(migrations = false)]
async fn people_who_were_blocked_muted_or_banned_meanwhile_are_in_no_digest(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let [carl, dora, emil] = [town.join("carl", &[]).await, town.join("dora", &[]).await, town.join("emil", &[]).await];
    town.change_status(emil, "emil", "BANNED").await;
    let block = json!({ "user_id": bert, "target_id": anna, "at": Utc::now() });
    town.platform.consume(USER_BLOCKED, &block).await;
    let path = format!("/me/mutes/{carl}");
    assert_eq!(town.platform.call("POST", &path, Some(&anna.to_string()), None).await.status.as_u16() / 100, 2);
    let found = [bert, carl, emil, dora].map(|actor_id| Pair { user_id: anna, actor_id });
    let mut tx = town.platform.app.db.begin().await.unwrap();
    signals::recommended(&mut tx, &found, &[], Timestamp(Utc::now())).await.unwrap();
    tx.commit().await.unwrap();
    let list = town.read(anna, "/me/notifications").await.body;
    assert_eq!((list.as_array().unwrap().len(), &list[0]["text"]), (1, &json!("You may know dora")));
}

/// While processes are replaced, those of the release before notify of people by themselves, and of posts by their own week.
#[sqlx::test(migrations = false)]
async fn a_week_is_shared_with_the_release_before(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert, carl] = [town.join("anna", &[]).await, town.join("bert", &[]).await, town.join("carl", &[]).await];
    town.connect(anna, bert).await;
    town.connect(bert, carl).await;
    town.publish_liked_posts(&[bert]).await;
    town.list_people().await;
    town.sql("update recommended_people set notified_at = now()").await;
    town.round().await;
    assert_eq!(town.types(anna).await, "", "the release before has notified her");
    town.end_week().await;
    town.round().await;
    assert_eq!(town.types(anna).await, "CONNECTION POST");
    let notified = format!(
        "select count(*) from recommended_people join post_digest using (user_id, notified_at) where user_id = '{anna}'"
    );
    assert_eq!(town.count(&notified).await, 1, "both releases find it");
}

/// People live in different zones, and chose different hours. Who has a turn already keeps it, and it is a week after the last digest.
#[sqlx::test(migrations = false)]
async fn a_digest_comes_at_the_hour_of_its_reader(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert, carl] = [town.join("anna", &[]).await, town.join("bert", &[]).await, town.join("carl", &[]).await];
    for reader in [anna, carl] {
        town.connect(reader, bert).await;
    }
    town.publish_liked_posts(&[bert]).await;
    for (reader, zone, hour) in [(anna, "Asia/Kathmandu", 18), (carl, "America/Los_Angeles", 3)] {
        let choice = json!({ "time_zone": zone, "digest_hour": hour });
        let path = "/me/notification-preferences";
        assert_eq!(town.platform.call("PATCH", path, Some(&reader.to_string()), Some(choice)).await.status, 200);
    }
    let turns = async |person: Uuid, zone: &str, hour: u32, from: &str, to: &str| {
        town.count(&format!(
            "select count(*) from recommendation_turn where user_id = '{person}'
                and (due_at at time zone '{zone}')::time = make_time({hour}, 0, 0)
                and due_at between now() + interval '{from}' and now() + interval '{to}'"
        ))
        .await
    };
    assert_eq!(town.plan().await, 2, "a page of people, and none");
    assert_eq!(
        (town.types(anna).await.as_str(), town.types(carl).await.as_str()),
        ("", ""),
        "their hours have not come"
    );
    for (person, zone, hour) in [(anna, "Asia/Kathmandu", 18), (carl, "America/Los_Angeles", 3), (bert, "UTC", 8)] {
        assert_eq!(turns(person, zone, hour, "-1 minute", "25 hours").await, 1, "{zone}");
    }
    town.sql(&format!("update recommendation_turn set due_at = now() where user_id = '{anna}'")).await;
    assert_eq!(town.digest_all().await, 1);
    assert_eq!((town.types(anna).await.as_str(), town.types(carl).await.as_str()), ("POST", ""));

    // Another round of the same week, as an operator may let begin.
    town.plan().await;
    assert_eq!(turns(anna, "Asia/Kathmandu", 18, "155 hours", "181 hours").await, 1, "a week after the last one");
    assert_eq!(turns(carl, "America/Los_Angeles", 3, "-1 minute", "25 hours").await, 1, "he waits on");
    let held = format!("select count(*) from recommendation_turn where user_id = '{anna}'");
    town.platform.erase(anna).await;
    assert_eq!(town.count(&held).await, 0);
}

/// The turns, the week and both notifications are there together or not at all, and so are the place of a round and what it planned.
#[sqlx::test(migrations = false)]
async fn a_step_that_breaks_off_is_done_again_and_notifies_once(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert, carl] = [town.join("anna", &[]).await, town.join("bert", &[]).await, town.join("carl", &[]).await];
    town.connect(anna, bert).await;
    town.connect(bert, carl).await;
    town.publish_liked_posts(&[bert]).await;
    town.list_people().await;
    town.sql("update post_digest_round set ended_at = null").await;
    // The last that a step writes.
    town.sql(
        "alter table post_digest_round add constraint broken check (past < '00000000-0000-0000-0000-000000000001')",
    )
    .await;
    assert!(town.digest().await.is_err());
    assert_eq!(town.count("select count(*) from recommendation_turn").await, 0);
    town.sql("alter table post_digest_round drop constraint broken").await;
    town.plan().await;
    town.pass_day().await;
    town.sql("alter table notification add constraint broken check (type <> 'POST_RECOMMENDATION')").await;
    assert!(town.digest().await.is_err());
    assert_eq!((town.types(anna).await.as_str(), town.count("select count(*) from post_digest").await), ("", 0));
    assert_eq!(town.count("select count(*) from recommendation_turn").await, 6, "all wait on");
    town.sql("alter table notification drop constraint broken").await;
    for _ in 0..2 {
        town.round().await;
        assert_eq!(town.types(anna).await, "CONNECTION POST");
    }
}

/// Who is banned is recommended to no reader, in notifications of before as well; they come back when the ban ends.
#[sqlx::test(migrations = false)]
async fn a_person_who_is_banned_is_withdrawn_from_notifications(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let [carl, dora] = [town.join("carl", &[]).await, town.join("dora", &[]).await];
    for (person, other) in [(anna, bert), (bert, carl), (bert, dora)] {
        town.connect(person, other).await;
    }
    town.list_people().await;
    town.round().await;
    let named = async || {
        let list = town.read(anna, "/me/notifications?type=CONNECTION_RECOMMENDATION").await;
        let list = list.body.as_array().unwrap().clone();
        list.iter().map(|item| item["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(named().await, "You may know carl and dora");
    assert_eq!(town.change_status(carl, "carl", "BANNED").await, 1);
    assert_eq!(named().await, "You may know dora");
    assert_eq!(town.change_status(dora, "dora", "MUTED").await, 1);
    assert_eq!(named().await, "You may know dora", "who is muted is seen by others");
    assert_eq!(town.change_status(dora, "dora", "BANNED").await, 1);
    assert_eq!(named().await, "", "nothing is left of it");
    assert_eq!(town.change_status(carl, "carl", "ACTIVE").await, 1);
    assert_eq!(named().await, "You may know carl");

    // A step of the digest that is under way may be about to name him.
    let mut step = town.platform.app.db.begin().await.unwrap();
    sqlx::raw_sql("select from post_digest_round for update").execute(&mut *step).await.unwrap();
    assert_eq!(town.change_status(carl, "carl", "BANNED").await, 0);
    step.rollback().await.unwrap();
    let recommender = PeopleRecommender::new(&town.platform.app);
    assert_eq!(
        (recommender.review().await.unwrap(), recommender.review().await.unwrap()),
        (1, 0),
        "it waits, and once"
    );
    assert_eq!(named().await, "");
    town.change_status(carl, "carl", "BANNED").await;
    town.sql(&format!("insert into recommendation_review (person_id) values ('{carl}')")).await;
    town.platform.erase(carl).await;
    assert_eq!(town.count("select count(*) from recommendation_review").await, 0);
}

/// Any number of readers may have been notified of one person.
#[sqlx::test(migrations = false)]
async fn a_person_whom_many_readers_may_know_is_withdrawn_page_by_page(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let carl = town.join("carl", &[]).await;
    town.sql(&format!(
        "with reader as (select gen_random_uuid() as id from generate_series(1, 501)), written as (
            insert into notification (id, user_id, type, subject_id, day, causes, created_at, updated_at)
            select gen_random_uuid(), id, 'CONNECTION_RECOMMENDATION', id, current_date, 1, now(), now() from reader
            returning id
        )
        insert into notification_actor (notification_id, actor_id, stands, at, newest)
        select id, '{carl}', true, now(), now() from written"
    ))
    .await;
    let shown = "select count(*) from notification where shown";
    assert_eq!(town.change_status(carl, "carl", "BANNED").await, 1);
    assert_eq!(town.count(shown).await, 1);
    let recommender = PeopleRecommender::new(&town.platform.app);
    assert_eq!((recommender.review().await.unwrap(), recommender.review().await.unwrap()), (1, 0));
    assert_eq!(town.count(shown).await, 0);
}
