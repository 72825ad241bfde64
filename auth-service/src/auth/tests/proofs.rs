//! Whose an address is: verification, sign-ups that use an address again, and the mails about both.
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};

use super::{detail, faults, forgot, form, from, register, reset, verify};
use crate::accounts::models::SignUpClaim;
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, Reply};
use crate::testing::{
    PASSWORD, activate, join, join_verified, line, mailbox, mailed, sign_in, sign_up, start, token_to,
};
use crate::tokens::models::UserToken;

/// Clients in different places, behind a trusted proxy.
const PROXIED: [&str; 2] = ["--trusted-proxies", "127.0.0.0/8"];
const STRANGER: &str = "198.51.100.7";
const OWNER: &str = "203.0.113.9";

async fn sign_up_from(platform: &Platform, client: &str, email: &str, password: &str, name: &str) {
    let body = json!({ "email": email, "password": password, "interests": [], "first_name": name });
    let reply = from(platform, client, "/auth/signup", None, Some(body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
}

async fn activate_from(platform: &Platform, client: &str, token: &str, session: Option<&str>) -> Reply {
    from(platform, client, &format!("/users/activate?activation_token={token}"), session, None).await
}

async fn resend(platform: &Platform, email: &str) -> Reply {
    platform.call("POST", &format!("/auth/resend-verification?email={email}"), None, None).await
}

fn subjects(mails: &[String]) -> Vec<&str> {
    let mut subjects: Vec<_> = mails.iter().map(|mail| line(mail, "Subject: ").unwrap()).collect();
    subjects.sort_unstable();
    subjects
}

#[sqlx::test(migrations = false)]
async fn blanks_around_an_address_are_no_part_of_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let body = |email: &str| json!({ "email": email, "password": PASSWORD, "interests": [] });
    assert_eq!(register(&platform, body(" anna@example.com\u{a0}")).await.body["email"], "anna@example.com");
    for email in ["anna@example.com ", "\tanna@example.com", "anna@example.com\u{3000}"] {
        assert_eq!(sign_in(&platform, email, PASSWORD).await.status, 200, "{email:?}");
    }
    let kind = "application/x-www-form-urlencoded";
    let good = "username=+anna%40example.com%C2%A0&password=seven+wild+geese";
    assert_eq!(form(&platform, kind, good).await.status, 200);
    mailed(&platform).await;
    assert_eq!(forgot(&platform, "anna%40example.com%20").await.status, 200);
    assert_eq!(mailed(&platform).await[0].0, "anna@example.com");
}

#[sqlx::test(migrations = false)]
async fn one_mailbox_has_one_account_and_what_is_not_seen_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let body = |email: &str, password: &str| json!({ "email": email, "password": password, "interests": [] });
    let made = register(&platform, body("Anna@bücher.example", PASSWORD)).await;
    assert_eq!((made.status.as_u16(), &made.body["email"]), (201, &json!("Anna@bücher.example")));
    let mails = mailbox(&platform).await;
    assert_eq!(line(&mails[0], "To: "), Some("Anna@xn--bcher-kva.example"), "mail servers read ASCII");
    for email in ["anna@xn--bcher-kva.example", "anna@BÜCHER.example", "ａnna@bu\u{308}cher\u{3002}example"] {
        assert_eq!(register(&platform, body(email, "one tame goose")).await.status, 201);
        assert_eq!(sign_in(&platform, email, "one tame goose").await.status, 404, "{email}");
        assert_eq!(sign_in(&platform, email, PASSWORD).await.status, 200, "{email}");
    }
    for email in ["anna@b\u{200b}ücher.example", "an\u{202e}na@bücher.example", "anna@bü\u{ad}cher.example"] {
        let expected = [("body.email".to_owned(), "value_error.email.invisible")];
        assert_eq!(faults(&register(&platform, body(email, PASSWORD)).await), expected, "{email:?}");
        assert_eq!(faults(&sign_in(&platform, email, PASSWORD).await), expected, "{email:?}");
    }
}

/// U+0130 in lower case begins with an i; the first mail's token proves another address than the one it then is.
#[sqlx::test(migrations = false)]
async fn nobody_becomes_administrator_by_an_address_that_looks_like_theirs(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &["--first-admin", "root@first.example"]).await;
    let body = json!({ "email": "root@f\u{130}rst.example", "password": PASSWORD, "interests": [] });
    let thief = register(&platform, body).await.body;
    let mails = mailed(&platform).await;
    assert_eq!(mails.len(), 1);
    assert_ne!(mails[0].0, "root@first.example");
    let signed_in = sign_in(&platform, "root@f\u{130}rst.example", PASSWORD).await;
    let token = signed_in.body["access_token"].as_str().unwrap();
    let real = json!({ "email": "root@first.example", "password": PASSWORD, "interests": [] });
    let path = format!("/users/{}", thief["id"].as_str().unwrap());
    assert_eq!(platform.call("PUT", &path, Some(token), Some(real)).await.body["is_verified"], false);
    assert_eq!(detail(&activate(&platform, &mails[0].1).await), (401, &json!("Invalid Token")));
    assert_eq!(verify(&platform, token).await.body["role"], "USER");
    let proof = token_to(&platform, "root@first.example").await;
    assert_eq!(activate(&platform, &proof).await.body["role"], "ADMIN", "whoever reads its mail is");
}

#[sqlx::test(migrations = false)]
async fn the_owner_of_a_mailbox_puts_out_who_signed_up_with_it_before(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &PROXIED).await;
    let email = "anna@example.com";
    sign_up_from(&platform, STRANGER, email, "the password of a thief", "Thief").await;
    let stranger = sign_in(&platform, email, "the password of a thief").await;
    let stranger = stranger.body["access_token"].as_str().unwrap();
    let token = token_to(&platform, email).await;
    let activated = activate_from(&platform, OWNER, &token, None).await;
    assert_eq!((activated.status.as_u16(), &activated.body["is_verified"]), (200, &json!(true)), "{activated:?}");
    assert_eq!(verify(&platform, stranger).await.status, 401, "sessions of before have ended");
    assert_eq!(sign_in(&platform, email, "the password of a thief").await.status, 404, "and so has the password");
    let token = token_to(&platform, email).await;
    assert_eq!(reset(&platform, &token, "eight-tame-geese").await.status, 200, "her own came by mail");
    assert_eq!(sign_in(&platform, email, "eight-tame-geese").await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn a_later_sign_up_has_the_account_once_its_mail_is_answered(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &PROXIED).await;
    let email = "anna@example.com";
    sign_up_from(&platform, STRANGER, email, "the password of a thief", "Thief").await;
    let stranger = sign_in(&platform, email, "the password of a thief").await;
    let stranger = stranger.body["access_token"].as_str().unwrap();
    mailed(&platform).await;
    sign_up_from(&platform, OWNER, email, PASSWORD, "Anna").await;
    assert_eq!(sign_in(&platform, email, PASSWORD).await.status, 404, "not before it is proved");
    assert_eq!(verify(&platform, stranger).await.status, 200);
    let export = platform.call("GET", "/users/me/export", Some(stranger), None).await.body.to_string();
    assert!(!export.contains("Anna"), "whoever was first does not learn of it: {export}");
    let token = token_to(&platform, email).await;
    let activated = activate_from(&platform, OWNER, &token, None).await;
    assert_eq!((activated.status.as_u16(), &activated.body["first_name"]), (200, &json!("Anna")));
    assert_eq!(sign_in(&platform, email, PASSWORD).await.status, 200);
    assert_eq!(sign_in(&platform, email, "the password of a thief").await.status, 404);
    assert_eq!(verify(&platform, stranger).await.status, 401);
}

#[sqlx::test(migrations = false)]
async fn a_strangers_later_sign_up_gets_nothing_from_the_owners_click(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &PROXIED).await;
    for (email, session_of_hers) in [("anna@example.com", false), ("bea@example.com", true)] {
        sign_up_from(&platform, OWNER, email, PASSWORD, "Anna").await;
        let hers = sign_in(&platform, email, PASSWORD).await;
        let hers = hers.body["access_token"].as_str().unwrap();
        mailed(&platform).await;
        sign_up_from(&platform, STRANGER, email, "the password of a thief", "Thief").await;
        let token = token_to(&platform, email).await;
        // From the browser that signed up, or from another one with her session.
        let (client, session) = if session_of_hers { ("192.0.2.1", Some(hers)) } else { (OWNER, None) };
        assert_eq!(activate_from(&platform, client, &token, session).await.body["first_name"], "Anna");
        assert_eq!(verify(&platform, hers).await.status, 200);
        assert_eq!(sign_in(&platform, email, PASSWORD).await.status, 200);
        assert_eq!(sign_in(&platform, email, "the password of a thief").await.status, 404);
    }
}

#[sqlx::test(migrations = false)]
async fn an_activation_ends_after_seven_days(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let token = token_to(&platform, &anna.email).await;
    UserToken::age(&platform.app.db, anna.id, 7.0 * 86_400.0).await.unwrap();
    assert_eq!(detail(&activate(&platform, &token).await), (401, &json!("Token Expired")));
    UserToken::age(&platform.app.db, anna.id, -60.0).await.unwrap();
    assert_eq!(activate(&platform, &token).await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn a_token_is_good_for_every_spelling_of_its_mailbox(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let token = token_to(&platform, &anna.email).await;
    let body = json!({ "email": "Anna@Example.com", "password": PASSWORD, "interests": [] });
    let spelled = platform.call("PUT", &format!("/users/{}", anna.id), Some(&anna.token), Some(body)).await;
    assert_eq!(spelled.body["email"], "Anna@example.com");
    assert_eq!(activate(&platform, &token).await.body["is_verified"], true);
}

#[sqlx::test(migrations = false)]
async fn claims_and_browsers_are_forgotten_with_their_tokens(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &PROXIED).await;
    sign_up_from(&platform, STRANGER, "anna@example.com", PASSWORD, "Anna").await;
    sign_up_from(&platform, OWNER, "anna@example.com", PASSWORD, "Anna").await;
    let kept = async || {
        let sql = "select (select count(*) from sign_up_claim), (select count(signed_up_by) from account)";
        let row = platform.app.db.fetch_one(sql).await.unwrap();
        (row.get::<i64, _>(0), row.get::<i64, _>(1))
    };
    SignUpClaim::sweep(&platform.app.db).await.unwrap();
    assert_eq!(kept().await, (1, 1));
    let age = "update sign_up_claim set claimed_at = claimed_at - interval '8 days';
        update account set created_at = created_at - interval '8 days'";
    platform.app.db.execute(age).await.unwrap();
    SignUpClaim::sweep(&platform.app.db).await.unwrap();
    assert_eq!(kept().await, (0, 0));
}

#[sqlx::test(migrations = false)]
async fn a_mail_of_verification_can_be_asked_for_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let bert = join_verified(&platform, "bert").await;
    mailed(&platform).await;
    let mut answers = Vec::new();
    for email in ["anna%40example.com", "bert%40example.com", "nobody%40example.com"] {
        let reply = resend(&platform, email).await;
        answers.push((reply.status.as_u16(), reply.body, reply.headers.len()));
    }
    assert_eq!(answers[0], (202, Value::Null, answers[0].2));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(faults(&resend(&platform, "anna+news@example.com").await)[0].1, "value_error.email");
    let [(recipient, token)] = mailed(&platform).await.try_into().unwrap();
    assert_eq!(recipient, anna.email);
    assert_eq!(activate(&platform, &token).await.body["is_verified"], true);

    let body = json!({ "email": "bert@example.org", "password": PASSWORD, "interests": [] });
    platform.call("PUT", &format!("/users/{}", bert.id), Some(&bert.token), Some(body)).await;
    mailed(&platform).await;
    resend(&platform, "bert%40example.org").await;
    let token = token_to(&platform, "bert@example.org").await;
    assert_eq!(activate(&platform, &token).await.body["email"], "bert@example.org", "for an address to come, too");
}

#[sqlx::test(migrations = false)]
async fn a_reset_proves_the_address(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    mailed(&platform).await;
    forgot(&platform, "anna%40example.com").await;
    let token = token_to(&platform, &anna.email).await;
    let done = reset(&platform, &token, "eight-tame-geese").await.body;
    assert_eq!((&done["is_verified"], &done["status"]), (&json!(true), &json!("ACTIVE")));
    assert_eq!(subjects(&mailbox(&platform).await), ["Welcome"]);
}

#[sqlx::test(migrations = false)]
async fn a_button_that_is_tapped_twice_makes_one_account_and_one_mail(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let body = || json!({ "email": "anna@example.com", "password": PASSWORD, "interests": [] });
    let replies = join_all((0..2).map(|_| register(&platform, body()))).await;
    assert!(replies.iter().all(|reply| reply.status == 201), "{replies:?}");
    assert_eq!(sign_in(&platform, "anna@example.com", PASSWORD).await.status, 200);
    assert_eq!(subjects(&mailbox(&platform).await), ["Verify your address"]);
    let other = json!({ "email": "anna@example.com", "password": "eight tame geese", "interests": [] });
    assert_eq!(register(&platform, other).await.status, 201);
    assert_eq!(subjects(&mailbox(&platform).await), ["Verify your address"], "another password is another sign-up");
}

#[sqlx::test(migrations = false)]
async fn mails_to_one_mailbox_are_few_whatever_causes_them(_: PgPoolOptions, database: PgConnectOptions) {
    let rates =
        "mailbox=3/86400,reset=1000/1,forgot_password=1000/1,sign_up=1000/1,account_updates=1000/1,sign_in=1000/1";
    let platform = start(database, &["--rate-limits", rates]).await;
    let counted = Counted::begin();
    let mallory = join(&platform, "mallory").await;
    mailbox(&platform).await;
    let victim = "victim@example.com";
    let mut sent = 0;
    for _ in 0..2 {
        let body = json!({ "email": victim, "password": PASSWORD, "interests": [] });
        platform.call("PUT", &format!("/users/{}", mallory.id), Some(&mallory.token), Some(body)).await;
        sent += mailbox(&platform).await.len();
        let body = json!({ "email": mallory.email, "password": PASSWORD, "interests": [] });
        platform.call("PUT", &format!("/users/{}", mallory.id), Some(&mallory.token), Some(body)).await;
        mailbox(&platform).await;
    }
    for spelling in ["victim@example.com", "Victim@EXAMPLE.com"] {
        let user = sign_up(&platform, spelling).await;
        assert_eq!(forgot(&platform, "VICTIM%40example.com").await.status, 200);
        assert_eq!(resend(&platform, "victim%40example.com").await.status, 202);
        sent += mailbox(&platform).await.len();
        let token = sign_in(&platform, spelling, PASSWORD).await.body["access_token"].as_str().unwrap().to_owned();
        let path = format!("/users/{}", user["id"].as_str().unwrap());
        assert_eq!(platform.call("DELETE", &path, Some(&token), None).await.status, 204);
    }
    assert_eq!(sent, 3, "of eight");
    counted.assert("mails_total{outcome=\"limited\"} 5");
}

#[sqlx::test(migrations = false)]
async fn a_warning_is_not_kept_back_by_a_flood_of_other_mails(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--rate-limits", "mailbox=1/86400,reset=1000/1"]).await;
    let anna = join_verified(&platform, "anna").await;
    for _ in 0..4 {
        forgot(&platform, "anna%40example.com").await;
    }
    assert_eq!(mailbox(&platform).await, Vec::<String>::new());
    let body = json!({ "email": anna.email, "password": "the password of a thief", "interests": [] });
    assert_eq!(platform.call("PUT", &format!("/users/{}", anna.id), Some(&anna.token), Some(body)).await.status, 200);
    assert_eq!(subjects(&mailbox(&platform).await), ["Your password was changed"]);
}

#[sqlx::test(migrations = false)]
async fn guesses_at_an_account_count_by_the_mailbox_and_not_by_its_spelling(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &["--rate-limits", "account=3/900"]).await;
    let mut statuses = Vec::new();
    for email in [
        "anna@bücher.example",
        "ANNA@xn--bcher-kva.example",
        " anna@BÜCHER.example",
        "Anna@bücher.example",
        "anna@bücher.example",
    ] {
        statuses.push(sign_in(&platform, email, "eight tame geese").await.status.as_u16());
    }
    assert_eq!(statuses, [404, 404, 404, 404, 429]);
}

#[sqlx::test(migrations = false)]
async fn what_guards_accounts_counts_by_address_whatever_token_is_shown(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--rate-limits", "sign_up=3/3600,sign_in=1000/1"]).await;
    let mut statuses = Vec::new();
    let mut token = None;
    for n in 0..4 {
        let email = format!("person{n}@example.com");
        let body = json!({ "email": email, "password": PASSWORD, "interests": [] });
        let reply = platform.call("POST", "/auth/signup", token.as_deref(), Some(body)).await;
        statuses.push(reply.status.as_u16());
        let signed_in = sign_in(&platform, &email, PASSWORD).await.body;
        token = signed_in["access_token"].as_str().map(str::to_owned).or(token);
    }
    assert_eq!(statuses, [201, 201, 201, 429], "a fresh account's token is no fresh start");
}
