//! Mails, from the change that they follow from to the mailbox.
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::models::Mail;
use super::schedulers::Postman;
use crate::core::worker::{Outcome, Worker};
use crate::users::tests::{mailed, sign_up, start};

#[sqlx::test(migrations = false)]
async fn a_mail_is_sent_once_and_then_forgotten(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--public-url", "https://net.example/"]).await;
    sign_up(&platform, "anna@example.com").await;
    assert_eq!(Mail::waiting(&platform.app.db).await.unwrap(), (1, 1));
    let mut postman = Postman::new(&platform.app);
    assert_eq!(postman.step().await.unwrap(), Outcome::Busy);
    assert_eq!(postman.step().await.unwrap(), Outcome::Idle);
    assert_eq!(Mail::waiting(&platform.app.db).await.unwrap(), (0, 0));
    let files: Vec<_> = std::fs::read_dir(&platform.app.settings.mail_dir).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 1);
    let text = std::fs::read_to_string(files[0].path()).unwrap();
    let token = text.lines().find_map(|line| line.strip_prefix("Token: ")).unwrap();
    let link = format!("https://net.example/api/v1/users/activate?activation_token={token}");
    for line in ["To: anna@example.com", "Subject: Verify your address", &link] {
        assert!(text.lines().any(|given| given == line), "{line} is not in\n{text}");
    }
    let starts = |start: &str| text.lines().any(|line| line.starts_with(start) && line.ends_with("@localhost>"));
    assert!(starts("From: \"Social network\" <no-reply") && starts("Message-ID: <"), "{text}");
}

#[sqlx::test(migrations = false)]
async fn a_mail_that_fails_waits_and_is_tried_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    sign_up(&platform, "anna@example.com").await;
    let mailbox = platform.app.settings.mail_dir.clone();
    // No directory can be made where a file is.
    std::fs::write(&mailbox, "").unwrap();
    let mut postman = Postman::new(&platform.app);
    assert!(postman.step().await.is_err());
    assert_eq!(postman.step().await.unwrap(), Outcome::Idle, "it is not due again yet");
    assert_eq!(Mail::waiting(&platform.app.db).await.unwrap(), (1, 0));
    std::fs::remove_file(&mailbox).unwrap();
    Mail::hurry(&platform.app.db).await.unwrap();
    assert_eq!(mailed(&platform).await[0].0, "anna@example.com");
    assert_eq!(Mail::waiting(&platform.app.db).await.unwrap(), (0, 0));
}

#[sqlx::test(migrations = false)]
async fn nobody_gets_a_mail_for_what_did_not_happen(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    sign_up(&platform, "anna@example.com").await;
    let again = serde_json::json!({ "email": "ANNA@example.com", "password": "seven wild geese", "interests": [] });
    assert_eq!(platform.call("POST", "/auth/signup", None, Some(again)).await.status, 400);
    assert_eq!(mailed(&platform).await.len(), 1);
}

/// A mail server that takes one mail; what it was told.
async fn serve(listener: TcpListener) -> Vec<String> {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut told = Vec::new();
    let mut in_text = false;
    write.write_all(b"220 test\r\n").await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        let answer: &[u8] = match line.as_str() {
            "DATA" => b"354 go on\r\n",
            "." => b"250 taken\r\n",
            _ if in_text => b"",
            _ => b"250 test\r\n",
        };
        in_text = (in_text || line == "DATA") && line != ".";
        let ended = line == ".";
        told.push(line);
        write.write_all(answer).await.unwrap();
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
    let mut postman = Postman::new(&platform.app);
    let (told, outcome) = tokio::join!(serve(listener), postman.step());
    assert_eq!(outcome.unwrap(), Outcome::Busy);
    assert!(told.iter().any(|line| line.starts_with("MAIL FROM:<net@example.org>")), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("RCPT TO:<anna@example.com>")), "{told:?}");
    assert!(told.iter().any(|line| line.strip_prefix("Token: ").is_some_and(|token| token.len() == 43)), "{told:?}");
    assert_eq!(Mail::waiting(&platform.app.db).await.unwrap(), (0, 0));
}
