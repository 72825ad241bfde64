//! Mails, from the route that causes them to the mailbox.
use axum::body::Body;
use axum::http::{Request, header};
use chrono::Utc;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::models::Mail;
use super::signals;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::Platform;
use crate::testing::{
    PASSWORD, Person, Posted, activate, finish, join, join_verified, line, mailbox, mailed, sign_in, sign_up, start,
    token_to,
};
use crate::tokens::Purpose;
use crate::users::models::Account;

/// What stands in the table, oldest first: kind, recipient, and whether it waits, was sent or was given up.
async fn rows(platform: &Platform) -> Vec<(String, Option<String>, &'static str)> {
    let sql = "select letter ->> 'kind', recipient, due_at is not null, sent_at is not null from mail order by id";
    let rows = platform.app.db.fetch_all(sql).await.unwrap();
    let state = |due, sent| {
        if due {
            "waits"
        } else if sent {
            "sent"
        } else {
            "given up"
        }
    };
    rows.iter().map(|row| (row.get(0), row.get(1), state(row.get(2), row.get(3)))).collect()
}

/// Lets all mails that wait be due now, and as if they had been written that many minutes ago.
async fn age(platform: &Platform, minutes: u32) {
    let sql = format!(
        "update mail set due_at = now() - interval '1 s', created_at = now() - interval '{minutes} minutes'
        where due_at is not null"
    );
    platform.app.db.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
}

fn subjects(mails: &[String]) -> Vec<&str> {
    let mut subjects: Vec<_> = mails.iter().map(|mail| line(mail, "Subject: ").unwrap()).collect();
    subjects.sort_unstable();
    subjects
}

#[sqlx::test(migrations = false)]
async fn a_mail_is_sent_once_and_then_emptied(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--public-url", "https://net.example/"]).await;
    sign_up(&platform, "anna@example.com").await;
    assert_eq!(rows(&platform).await, [("VERIFICATION".into(), Some("anna@example.com".into()), "waits")]);
    let mut sender = platform.mail_sender();
    assert_eq!(sender.step().await.unwrap(), Outcome::Busy);
    assert_ne!(sender.step().await.unwrap(), Outcome::Busy);
    assert_eq!(rows(&platform).await, [("VERIFICATION".into(), None, "sent")]);
    let [text] = mailbox(&platform).await.try_into().unwrap();
    let token = line(&text, "Token: ").unwrap();
    let link = format!("https://net.example/api/v1/users/activate?activation_token={token}");
    for expected in ["To: anna@example.com", "Subject: Verify your address", &link, "Auto-Submitted: auto-generated"] {
        assert!(text.lines().any(|given| given == expected), "{expected} is not in\n{text}");
    }
    assert!(line(&text, "From: ").unwrap().starts_with("\"Social network\" <no-reply@localhost>"), "{text}");
    assert!(line(&text, "Content-Type: multipart/alternative").is_some(), "{text}");
    assert_eq!(text.matches("Content-Type: text/").count(), 2, "{text}");
    assert!(text.contains(&format!("<code>{token}</code>")), "{text}");
}

#[sqlx::test(migrations = false)]
async fn a_token_rests_in_no_table_before_its_mail_is_sent(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let tokens = async || platform.call("GET", "/auth/all-tokens", Some(&anna.token), None).await.body;
    assert_eq!(tokens().await, json!([]));
    let [(_, token)] = mailed(&platform).await.try_into().unwrap();
    assert_eq!(tokens().await.as_array().unwrap().len(), 1);
    let stored =
        platform.app.db.fetch_all("select mail::text from mail union all select user_token::text from user_token");
    for row in stored.await.unwrap() {
        assert!(!row.get::<String, _>(0).contains(&token));
    }
}

#[sqlx::test(migrations = false)]
async fn an_address_is_welcomed_when_it_is_verified_for_the_first_time(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join_verified(&platform, "anna").await;
    let body = json!({ "email": "anna@example.org", "password": PASSWORD, "interests": [] });
    platform.call("PUT", &format!("/users/{}", anna.id), Some(&anna.token), Some(body)).await;
    let token = token_to(&platform, "anna@example.org").await;
    assert_eq!(activate(&platform, &token).await.status, 200);
    let mails = mailbox(&platform).await;
    assert_eq!(subjects(&mails), ["The address of your account was changed"], "she was welcomed before");
}

#[sqlx::test(migrations = false)]
async fn whoever_has_another_password_hears_of_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join_verified(&platform, "anna").await;
    let heard = async || {
        let [mail] = mailbox(&platform).await.try_into().unwrap();
        assert_eq!(subjects(std::slice::from_ref(&mail)), ["Your password was changed"]);
        assert_eq!(line(&mail, "To: "), Some("anna@example.com"));
        assert!(mail.contains(&Utc::now().format("changed on %-d %B %Y").to_string()), "{mail}");
    };
    let sentence =
        json!({ "current_password": PASSWORD, "new_password": "one tame goose", "confirm_password": "one tame goose" });
    assert_eq!(platform.call("POST", "/auth/change-password", Some(&anna.token), Some(sentence)).await.status, 200);
    heard().await;
    platform.call("POST", "/auth/forgot-password?email=anna%40example.com", None, None).await;
    let [(_, token)] = mailed(&platform).await.try_into().unwrap();
    let path =
        format!("/auth/reset-password?reset_token={token}&password=two-tame-geese&confirmed_password=two-tame-geese");
    assert_eq!(platform.call("POST", &path, None, None).await.status, 200);
    heard().await;
    let token =
        sign_in(&platform, &anna.email, "two-tame-geese").await.body["access_token"].as_str().unwrap().to_owned();
    mailbox(&platform).await;
    let update = async |password: &str, token: &str| {
        let body = json!({ "email": anna.email, "password": password, "interests": [] });
        platform.call("PUT", &format!("/users/{}", anna.id), Some(token), Some(body)).await.status
    };
    assert_eq!(update("two-tame-geese", &token).await, 200);
    assert_eq!(mailbox(&platform).await, Vec::<String>::new(), "it is the same password");
    assert_eq!(update("three tame geese", &token).await, 200);
    heard().await;
}

#[sqlx::test(migrations = false)]
async fn an_address_that_nobody_verified_gets_no_mail_of_what_happens(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    mailed(&platform).await;
    let body = json!({ "email": anna.email, "password": "one tame goose", "interests": [] });
    platform.call("PUT", &format!("/users/{}", anna.id), Some(&anna.token), Some(body)).await;
    assert_eq!(mailbox(&platform).await, Vec::<String>::new());
}

/// Signs in with a program that says so of itself, from that address.
async fn sign_in_with(platform: &Posted, person: &Person, program: &str, from: &str) {
    let body = json!({ "email": person.email, "password": PASSWORD }).to_string();
    let request = Request::post("/api/v1/auth/signin").header(header::USER_AGENT, program);
    let request = request.header("x-forwarded-for", from).header(header::CONTENT_TYPE, "application/json");
    assert_eq!(platform.send(request.body(Body::from(body)).unwrap()).await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn a_sign_in_from_a_new_place_is_told_to_the_owner(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--trusted-proxies", "127.0.0.0/8"]).await;
    // The first place is the one from which she joined: no news.
    let anna = join_verified(&platform, "anna").await;
    let hostile = "Firefox/1 (Linux) <a href=\"https://evil.example\">Win a prize</a>";
    sign_in_with(&platform, &anna, hostile, "203.0.113.7").await;
    let [mail] = mailbox(&platform).await.try_into().unwrap();
    assert_eq!(subjects(std::slice::from_ref(&mail)), ["A new sign-in to your account"]);
    assert_eq!((line(&mail, "To: "), line(&mail, "With: ")), (Some("anna@example.com"), Some("Firefox on Linux")));
    assert_eq!(line(&mail, "From: 203"), Some(".0.113.0/24"), "the network, not the address: {mail}");
    assert!(!mail.contains("evil") && !mail.contains("prize"), "{mail}");

    sign_in_with(&platform, &anna, "Firefox/2 (Linux)", "203.0.113.99").await;
    sign_in(&platform, &anna.email, PASSWORD).await;
    assert_eq!(mailbox(&platform).await, Vec::<String>::new(), "both places are known");
    sign_in_with(&platform, &anna, "Firefox/2 (Linux)", "198.51.100.1").await;
    sign_in_with(&platform, &anna, "Firefox/2 (Android)", "203.0.113.7").await;
    assert_eq!(mailbox(&platform).await.len(), 2, "another network, another device");

    let ben = join(&platform, "ben").await;
    mailbox(&platform).await;
    sign_in_with(&platform, &ben, "Firefox/2 (Linux)", "203.0.113.7").await;
    assert_eq!(mailbox(&platform).await, Vec::<String>::new(), "his address may be a stranger's");
}

#[sqlx::test(migrations = false)]
async fn the_owner_of_an_address_hears_once_a_day_of_who_signs_up_with_it(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    join_verified(&platform, "anna").await;
    let again = json!({ "email": "ANNA@example.com", "password": "one tame goose", "interests": [],
        "first_name": "Win <a href=\"https://evil.example\">a prize</a>" });
    for _ in 0..2 {
        assert_eq!(platform.call("POST", "/auth/signup", None, Some(again.clone())).await.status, 201);
    }
    let [mail] = mailbox(&platform).await.try_into().unwrap();
    assert_eq!(subjects(std::slice::from_ref(&mail)), ["You have an account already"]);
    assert_eq!(line(&mail, "To: "), Some("anna@example.com"), "as the owner wrote it");
    assert!(!mail.contains("evil") && !mail.contains("prize"), "{mail}");
    platform.call("POST", "/auth/signup", None, Some(again)).await;
    assert_eq!(mailbox(&platform).await, Vec::<String>::new(), "what was sent is remembered");
}

#[sqlx::test(migrations = false)]
async fn no_word_of_a_user_gets_into_a_mail(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let body = json!({ "email": "victim@example.com", "password": PASSWORD, "interests": [],
        "first_name": "Win <a href=\"https://evil.example\">a prize</a>", "last_name": "https://evil.example" });
    assert_eq!(platform.call("POST", "/auth/signup", None, Some(body)).await.status, 201);
    platform.call("POST", "/auth/forgot-password?email=victim%40example.com", None, None).await;
    let mails = mailbox(&platform).await;
    assert_eq!(subjects(&mails), ["Set a new password", "Verify your address"]);
    for mail in mails {
        assert!(!mail.contains("evil") && !mail.contains("prize"), "{mail}");
    }
}

#[sqlx::test(migrations = false)]
async fn the_same_cause_makes_one_mail(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let account = Account::find(&platform.app.db, anna.id).await.unwrap().unwrap();
    for _ in 0..2 {
        let mut tx = platform.app.db.begin().await.unwrap();
        signals::address_given(&mut tx, &account).await.unwrap();
        signals::password_forgotten(&mut tx, &account, anna.id).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(rows(&platform).await.len(), 2);
        finish(platform.mail_sender()).await;
    }
    assert_eq!(mailed(&platform).await.len(), 2);
}

/// The token is made when the mail is sent, so a mail that was claimed before it was called back must not go.
#[sqlx::test(migrations = false)]
async fn a_mail_that_was_called_back_brings_no_token(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let claimed = Mail::claim(&platform.app.db).await.unwrap().unwrap();
    let mut tx = platform.app.db.begin().await.unwrap();
    assert!(claimed.still_holds(&mut tx, Purpose::Activation).await.unwrap());
    signals::tokens_voided(&mut tx, anna.id, Purpose::Activation).await.unwrap();
    assert!(!claimed.still_holds(&mut tx, Purpose::Activation).await.unwrap(), "it was called back");
    tx.commit().await.unwrap();

    platform.call("POST", "/auth/forgot-password?email=anna%40example.com", None, None).await;
    let body = json!({ "email": "anna@example.org", "password": PASSWORD, "interests": [] });
    platform.call("PUT", &format!("/users/{}", anna.id), Some(&anna.token), Some(body)).await;
    let recipients: Vec<_> = mailed(&platform).await.into_iter().map(|(recipient, _)| recipient).collect();
    assert_eq!(recipients, ["anna@example.org"], "the wish is for the old address, and nobody has that any more");
    let mut other = platform.app.db.begin().await.unwrap();
    let stale = Mail { recipient: "anna@example.com".into(), ..claimed };
    assert!(!stale.still_holds(&mut other, Purpose::Activation).await.unwrap(), "it is not her address any more");
}

#[sqlx::test(migrations = false)]
async fn a_mail_that_fails_waits_and_is_tried_again_until_time_is_up(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    sign_up(&platform, "anna@example.com").await;
    let directory = platform.mail_dir().to_owned();
    // No directory can be made where a file is.
    std::fs::remove_dir(&directory).unwrap();
    std::fs::write(&directory, "").unwrap();
    let mut sender = platform.mail_sender();
    assert!(sender.step().await.is_err());
    assert_ne!(sender.step().await.unwrap(), Outcome::Busy, "it is not due again yet");
    let mut waits = Vec::new();
    for _ in 0..10 {
        age(&platform, 0).await;
        let mail = Mail::claim(&platform.app.db).await.unwrap().unwrap();
        waits.push((mail.due_at.0 - mail.created_at.0).num_seconds());
    }
    assert_eq!(waits, [120, 240, 480, 960, 1920, 3840, 7680, 15360, 15360, 15360]);

    age(&platform, 3 * 24 * 60).await;
    assert_eq!(sender.step().await.unwrap(), Outcome::Busy, "a failure that changes nothing is none of the worker");
    assert_eq!(rows(&platform).await, [("VERIFICATION".into(), Some("anna@example.com".into()), "given up")]);
    assert_eq!(Mail::count(&platform.app.db).await.unwrap(), (0, 1));

    sign_up(&platform, "ben@example.com").await;
    assert!(sender.step().await.is_err());
    std::fs::remove_file(&directory).unwrap();
    age(&platform, 60).await;
    assert_eq!(mailed(&platform).await[0].0, "ben@example.com");
    assert_eq!(Mail::count(&platform.app.db).await.unwrap(), (0, 1));
}

#[sqlx::test(migrations = false)]
async fn what_is_over_is_kept_for_a_month(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    for name in ["anna", "ben", "carla"] {
        sign_up(&platform, &format!("{name}@example.com")).await;
    }
    let db = &platform.app.db;
    let over = "update mail set due_at = null, sent_at = now() - interval '29 days' where recipient like 'anna%';
        update mail set due_at = null, sent_at = now() - interval '31 days' where recipient like 'ben%';
        update mail set due_at = null, failed_at = now() - interval '31 days' where recipient like 'carla%'";
    db.execute(over).await.unwrap();
    Mail::sweep(db).await.unwrap();
    assert_eq!(rows(&platform).await, [("VERIFICATION".into(), Some("anna@example.com".into()), "sent")]);
}

/// A mail server that takes one mail, or refuses its recipient with these words; the lines that it received.
async fn serve(listener: TcpListener, refusal: Option<&str>) -> Vec<String> {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut told = Vec::new();
    let mut in_text = false;
    write.write_all(b"220 test\r\n").await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        let answer = match line.as_str() {
            "DATA" => "354 go on\r\n".to_owned(),
            "." => "250 taken\r\n".to_owned(),
            _ if in_text => String::new(),
            line if line.starts_with("RCPT") => format!("{}\r\n", refusal.unwrap_or("250 test")),
            _ => "250 test\r\n".to_owned(),
        };
        in_text = (in_text || line == "DATA") && line != ".";
        let ended = line == "." || line == "QUIT";
        told.push(line);
        write.write_all(answer.as_bytes()).await.unwrap();
        if ended {
            break;
        }
    }
    told
}

#[sqlx::test(migrations = false)]
async fn mails_go_to_the_mail_server_of_the_settings(_: PgPoolOptions, database: PgConnectOptions) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let platform = start(database, &["--smtp-url", &url, "--mail-from", "Net <net@example.org>"]).await;
    sign_up(&platform, "anna@example.com").await;
    let mut sender = platform.mail_sender();
    let (told, outcome) = tokio::join!(serve(listener, None), sender.step());
    assert_eq!(outcome.unwrap(), Outcome::Busy);
    assert!(told.iter().any(|line| line.starts_with("MAIL FROM:<net@example.org>")), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("RCPT TO:<anna@example.com>")), "{told:?}");
    assert!(told.iter().any(|line| line.strip_prefix("Token: ").is_some_and(|token| token.len() == 43)), "{told:?}");
    assert_eq!(rows(&platform).await, [("VERIFICATION".into(), None, "sent")]);
}

#[sqlx::test(migrations = false)]
async fn what_the_mail_server_refuses_for_good_is_given_up_at_once(_: PgPoolOptions, database: PgConnectOptions) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let platform = start(database, &["--smtp-url", &url]).await;
    sign_up(&platform, "anna@example.com").await;
    let mut sender = platform.mail_sender();
    let (_, outcome) = tokio::join!(serve(listener, Some("450 4.2.1 come later")), sender.step());
    assert!(outcome.is_err());
    assert_eq!(rows(&platform).await[0].2, "waits");
    age(&platform, 0).await;
    let listener = TcpListener::bind(url.trim_start_matches("smtp://")).await.unwrap();
    let (_, outcome) = tokio::join!(serve(listener, Some("550 5.1.1 no such mailbox")), sender.step());
    assert_eq!(outcome.unwrap(), Outcome::Busy);
    assert_eq!(rows(&platform).await[0].2, "given up");
    let error = platform.app.db.fetch_one("select error from mail").await.unwrap().get::<String, _>(0);
    assert!(error.contains("no such mailbox"), "{error}");
}
