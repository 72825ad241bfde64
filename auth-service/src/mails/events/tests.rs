//! Mails about notifications, from the event that asks for one to the mailbox.
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use uuid::Uuid;

use super::NOTIFICATION_MAIL_REQUESTED;
use crate::testing::{Person, Posted, join, join_verified, line, mailbox, sign_up, start};

const LINK: &str = "https://net.example/api/v1/notifications/unsubscribe?token=AZMA-_";

fn item(kind: &str, actors: &[Uuid], people: i64) -> Value {
    json!({ "type": kind, "actor_ids": actors, "people": people, "text": null, "post_id": null, "at": Utc::now() })
}

fn request(reader: Uuid, kind: &str, items: &[Value]) -> Value {
    json!({ "id": Uuid::now_v7(), "user_id": reader, "kind": kind, "items": items, "total": items.len(),
        "unsubscribe_url": LINK, "not_before": Utc::now() })
}

async fn ask(platform: &Posted, request: &Value) {
    platform.consume(NOTIFICATION_MAIL_REQUESTED, request).await;
}

/// The lines of a mail's text, without its head and its HTML.
fn text(mail: &str) -> Vec<&str> {
    let mut lines = mail.lines().skip_while(|line| !line.starts_with("Content-Type: text/plain"));
    let lines = lines.by_ref().skip_while(|line| !line.is_empty()).skip(1);
    lines.take_while(|line| !line.starts_with("-- ")).collect()
}

async fn run(platform: &Posted, sql: &'static str) {
    platform.app.db.execute(sql).await.unwrap();
}

/// A verified user with a name.
async fn named(platform: &Posted, name: &str, shown: &str) -> Person {
    let person = join_verified(platform, name).await;
    let body = json!({ "first_name": shown });
    assert_eq!(platform.call("PATCH", "/users/me", Some(&person.token), Some(body)).await.status, 200);
    person
}

#[sqlx::test(migrations = false)]
async fn a_digest_lists_what_has_gathered_and_ends_at_one_click(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--web-url", "https://web.example"]).await;
    let (anna, bert, carl) = (
        join_verified(&platform, "anna").await,
        named(&platform, "bert", "Bert").await,
        named(&platform, "carl", "Carl").await,
    );
    let post = Uuid::now_v7();
    let mut reaction = item("POST_REACTION_RECEIVED", &[bert.id, carl.id], 13);
    reaction["post_id"] = json!(post);
    let level = item("PROFILE_ACTIVITY", &[], 0);
    let mut digest = request(anna.id, "DIGEST", &[reaction, item("USER_CONNECTED", &[carl.id], 1), level]);
    digest["total"] = json!(5);
    ask(&platform, &digest).await;
    let [mail] = mailbox(&platform).await.try_into().unwrap();
    assert_eq!((line(&mail, "To: "), line(&mail, "Subject: ")), (Some("anna@example.com"), Some("Your notifications")));
    assert_eq!(line(&mail, "List-Unsubscribe: "), Some(format!("<{LINK}>").as_str()));
    assert_eq!(line(&mail, "List-Unsubscribe-Post: "), Some("List-Unsubscribe=One-Click"));
    assert_eq!(line(&mail, "Auto-Submitted: "), Some("auto-generated"));
    let expected = [
        "This has happened since your last digest:",
        "",
        "* Bert, Carl and 11 others reacted to your post.",
        &format!("  https://web.example/posts/{post}"),
        "* Carl connected to you.",
        "* Your level of engagement has changed.",
        "* And 2 more.",
        "",
        "All of it is at",
        "https://web.example/notifications",
        "",
        "You get this mail once a day because your settings of notifications say so. To get no more digests, open",
        LINK,
    ];
    assert_eq!(text(&mail), expected, "{mail}");
    assert!(mail.contains("<li>Carl connected to you.</li>"), "{mail}");
    assert!(mail.contains(&format!("<a href=\"{LINK}\">No more digests</a>")), "{mail}");
}

#[sqlx::test(migrations = false)]
async fn a_mail_at_once_says_one_thing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let (anna, bert) = (join_verified(&platform, "anna").await, named(&platform, "bert", "Bert").await);
    ask(&platform, &request(anna.id, "SINGLE", &[item("USER_CONNECTED", &[bert.id], 1)])).await;
    let [mail] = mailbox(&platform).await.try_into().unwrap();
    assert_eq!(line(&mail, "Subject: "), Some("A new connection"));
    let expected = [
        "Bert connected to you.",
        "",
        "You get this mail because your settings of notifications say so. To get no more of its kind, open",
        LINK,
    ];
    assert_eq!(text(&mail), expected, "{mail}");

    let mut message = item("SYSTEM_MESSAGE", &[], 0);
    message["text"] = json!("The platform\nis away <b>tonight</b>.");
    let mut plain = request(anna.id, "SINGLE", &[message]);
    plain["unsubscribe_url"] = json!("http://127.0.0.1:8004/x?token=a");
    ask(&platform, &plain).await;
    let [mail] = mailbox(&platform).await.try_into().unwrap();
    assert_eq!(line(&mail, "List-Unsubscribe: "), Some("<http://127.0.0.1:8004/x?token=a>"));
    assert_eq!(line(&mail, "List-Unsubscribe-Post: "), None, "one-click needs HTTPS");
    assert!(!mail.contains("<b>"), "{mail}");

    // What is about the account cannot be ended.
    sign_up(&platform, "carl@example.com").await;
    let [mail] = mailbox(&platform).await.try_into().unwrap();
    assert_eq!(line(&mail, "List-Unsubscribe"), None, "{mail}");
}

#[sqlx::test(migrations = false)]
async fn people_and_posts_that_are_recommended_are_two_paragraphs_of_one_mail(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &["--web-url", "https://web.example"]).await;
    let (anna, bert) = (join_verified(&platform, "anna").await, named(&platform, "bert", "Bert").await);
    let post = Uuid::now_v7();
    let mut liked = item("POST_RECOMMENDATION", &[], 0);
    liked["post_id"] = json!(post);
    ask(&platform, &request(anna.id, "SINGLE", &[item("CONNECTION_RECOMMENDATION", &[bert.id], 1), liked])).await;
    let [mail] = mailbox(&platform).await.try_into().unwrap();
    assert_eq!(line(&mail, "Subject: "), Some("People you may know"));
    let expected = [
        "You may know Bert.",
        "There is a post that you may like.",
        &format!("https://web.example/posts/{post}"),
        "",
        "You get this mail because your settings of notifications say so. To get no more of its kind, open",
        LINK,
    ];
    assert_eq!(text(&mail), expected, "{mail}");
}

#[sqlx::test(migrations = false)]
async fn a_request_that_comes_twice_is_sent_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let (anna, bert) = (join_verified(&platform, "anna").await, named(&platform, "bert", "Bert").await);
    let asked = request(anna.id, "DIGEST", &[item("USER_CONNECTED", &[bert.id], 1)]);
    ask(&platform, &asked).await;
    ask(&platform, &asked).await;
    assert_eq!(mailbox(&platform).await.len(), 1);
    ask(&platform, &asked).await;
    assert_eq!(mailbox(&platform).await, Vec::<String>::new(), "what was sent is remembered");
    let row = platform.app.db.fetch_one(
        "select letter::text from mail where sent_at is not null and cause <> user_id::text
        order by id desc limit 1",
    );
    assert_eq!(
        row.await.unwrap().get::<String, _>(0),
        "{\"kind\": \"NOTIFICATION_DIGEST\"}",
        "and what it said is not"
    );
}

#[sqlx::test(migrations = false)]
async fn a_mail_waits_for_its_time(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let (anna, bert) = (join_verified(&platform, "anna").await, named(&platform, "bert", "Bert").await);
    let mut asked = request(anna.id, "SINGLE", &[item("USER_CONNECTED", &[bert.id], 1)]);
    let due = Utc::now() + TimeDelta::hours(8);
    asked["not_before"] = json!(due);
    ask(&platform, &asked).await;
    assert_eq!(mailbox(&platform).await, Vec::<String>::new());
    let row = platform.app.db.fetch_one("select due_at from mail where due_at is not null").await.unwrap();
    assert_eq!(row.get::<chrono::DateTime<Utc>, _>(0).timestamp_micros(), due.timestamp_micros());
    run(&platform, "update mail set due_at = now() - interval '1 s' where due_at is not null").await;
    assert_eq!(mailbox(&platform).await.len(), 1);
}

#[sqlx::test(migrations = false)]
async fn only_active_users_with_a_verified_address_get_one(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let bert = named(&platform, "bert", "Bert").await;
    let unverified = join(&platform, "anna").await;
    let (banned, later, moved) = (
        join_verified(&platform, "carl").await,
        join_verified(&platform, "dora").await,
        join_verified(&platform, "emil").await,
    );
    let gone = Uuid::now_v7();
    mailbox(&platform).await;
    run(&platform, "update account set status = 'BANNED' where email = 'carl@example.com'").await;
    for reader in [unverified.id, banned.id, gone, later.id, moved.id] {
        ask(&platform, &request(reader, "SINGLE", &[item("USER_CONNECTED", &[bert.id], 1)])).await;
    }
    let waiting = platform.app.db.fetch_all("select recipient from mail where due_at is not null order by recipient");
    let waiting: Vec<String> = waiting.await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(waiting, ["dora@example.com", "emil@example.com"]);
    // And of these, one is banned and one has another address before the mail goes out.
    run(&platform, "update account set status = 'BANNED' where email = 'dora@example.com'").await;
    run(
        &platform,
        "update account set email = 'e@example.org', email_key = 'e@example.org' where email = 'emil@example.com'",
    )
    .await;
    assert_eq!(mailbox(&platform).await, Vec::<String>::new());
    let left = platform.app.db.fetch_one("select count(*) from mail where due_at is not null").await.unwrap();
    assert_eq!(left.get::<i64, _>(0), 0);
}

#[sqlx::test(migrations = false)]
async fn who_has_left_or_was_blocked_meanwhile_is_not_named(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join_verified(&platform, "anna").await;
    let (bert, carl, dora) = (
        named(&platform, "bert", "Bert").await,
        named(&platform, "carl", "Carl").await,
        named(&platform, "dora", "Dora").await,
    );
    let items = [
        item("USER_CONNECTED", &[bert.id, dora.id], 2),
        item("COMMENT_REPLY", &[carl.id], 1),
        item("USER_CONNECTED", &[bert.id], 1),
    ];
    ask(&platform, &request(anna.id, "DIGEST", &items)).await;
    ask(&platform, &request(anna.id, "SINGLE", &items[2..])).await;
    let path = format!("/users/{}/block", bert.id);
    assert!(platform.call("POST", &path, Some(&anna.token), None).await.status.is_success());
    let path = format!("/users/{}", carl.id);
    assert!(platform.call("DELETE", &path, Some(&carl.token), None).await.status.is_success());
    let mails: Vec<String> =
        mailbox(&platform).await.into_iter().filter(|mail| line(mail, "To: ") == Some("anna@example.com")).collect();
    let [mail] = &mails[..] else { panic!("of the other nothing is left: {mails:?}") };
    assert_eq!(
        text(mail)[2..5],
        [
            "* Dora and one other connected to you.",
            "",
            "You get this mail once a day because \
        your settings of notifications say so. To get no more digests, open"
        ],
        "{mail}"
    );
    assert!(!mail.contains("Bert") && !mail.contains("Carl"), "{mail}");
}

/// A name is the one word of a user in a mail: it opens no header, no markup and no link.
#[sqlx::test(migrations = false)]
async fn a_name_is_nothing_but_a_name(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let (anna, bert) = (join_verified(&platform, "anna").await, join_verified(&platform, "bert").await);
    // Past the checks of the routes, as in an account of the original.
    let hostile = "update account set first_name =
        E'Free <a href=\"https://evil.example\">\\r\\nBcc: all@evil.example\\r\\n\\r\\nmoney' where email = 'bert@example.com'";
    run(&platform, hostile).await;
    ask(&platform, &request(anna.id, "SINGLE", &[item("USER_CONNECTED", &[bert.id], 1)])).await;
    let [mail] = mailbox(&platform).await.try_into().unwrap();
    assert_eq!(line(&mail, "Bcc"), None, "{mail}");
    assert_eq!(line(&mail, "Subject: "), Some("A new connection"));
    let escaped = "https:=E2=81=A0/=E2=81=A0/=E2=81=A0evil.=E2=81=A0example";
    assert_eq!(mail.matches(escaped).count(), 2, "as text and as HTML:\n{mail}");
    for link in ["evil.example", "https://evil", "<a href=\"https://e", "all@evil"] {
        assert!(!mail.contains(link), "{link} is in\n{mail}");
    }
}

#[sqlx::test(migrations = false)]
async fn a_request_that_says_nothing_is_passed_over_and_a_broken_link_parked(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let (anna, bert) = (join_verified(&platform, "anna").await, named(&platform, "bert", "Bert").await);
    // As an erasure leaves it.
    let mut bare = request(anna.id, "DIGEST", &[]);
    bare["unsubscribe_url"] = json!("");
    ask(&platform, &bare).await;
    let parked = async || {
        let row = platform.app.db.fetch_one("select count(*) from dead_letter").await.unwrap();
        row.get::<i64, _>(0)
    };
    assert_eq!(parked().await, 0);
    let broken = [
        "",
        "x",
        "https://a.example/\r\nBcc: b@c.example",
        "https://a.example/>,<mailto:b@c.example",
        "mailto:b@c.example",
    ];
    for link in broken {
        let mut request = request(anna.id, "DIGEST", &[item("USER_CONNECTED", &[bert.id], 1)]);
        request["unsubscribe_url"] = json!(link);
        ask(&platform, &request).await;
    }
    assert_eq!(parked().await, 5);
    // A type of a later version is no reason to stay silent.
    ask(&platform, &request(anna.id, "SINGLE", &[item("POST_SHARED", &[bert.id], 1)])).await;
    let [mail] = mailbox(&platform).await.try_into().unwrap();
    assert_eq!((line(&mail, "Subject: "), text(&mail)[0]), (Some("A notification"), "You have a notification."));
}
