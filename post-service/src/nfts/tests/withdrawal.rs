//! What is withdrawn is not minted, and its metadata does not stay.
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::{GONE, WALLET, ask, make_due, mint_due, nfts, pinned, read, remove_due, served, start};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::nfts::events::{COMMENT_CREATED, COMMENT_DELETED, HIDDEN_COMMENT_DELETED, NFT_PINNED};
use crate::nfts::hidden_comments::models::HiddenCommentCheck;
use crate::nfts::hidden_comments::schedulers::HiddenCommentChecker;
use crate::nfts::models::Mint;
use crate::posts::events::POST_DELETE_REQUESTED;
use crate::posts::tests::{delete_request, nfts as records, path, posted};

/// How a post is withdrawn, and what its NFT says then.
const WAYS: [(&str, &str); 3] = [
    ("DELETE", "its content was deleted"),
    ("ARCHIVE", "its content was archived"),
    ("HIDE", "its content was hidden by moderation"),
];

async fn withdraw(platform: &Platform, author: &str, post: &Value, way: &str) {
    let archived = json!({ "content": "x", "types": [], "status": "ARCHIVED" });
    match way {
        "DELETE" => assert_eq!(platform.call("DELETE", &path(post), Some(author), None).await.status, 204),
        "ARCHIVE" => assert_eq!(platform.call("PUT", &path(post), Some(author), Some(archived)).await.status, 200),
        _ => drop(platform.consume(POST_DELETE_REQUESTED, &delete_request(post)).await),
    }
}

#[sqlx::test(migrations = false)]
async fn what_is_withdrawn_before_is_never_uploaded(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    for (way, reason) in WAYS {
        let post = posted(&platform, &anna).await;
        let nft = ask(&platform, &anna, &post).await;
        let counted = Counted::begin();
        withdraw(&platform, &anna, &post, way).await;
        counted.assert("nft_mints_total{outcome=\"cancelled\"} 1");
        mint_due(&platform).await;
        let nft = read(&platform, &anna, &nft).await;
        assert_eq!((&nft["status"], &nft["reason"]), (&json!("CANCELLED"), &json!(reason)));
        assert_eq!((nft.get("cid"), nft.get("token_uri")), (None, None));
    }
    assert_eq!(platform.published(NFT_PINNED).await, Vec::<Value>::new());
}

/// What is deleted for good takes its document along, also when it was withdrawn before; what may come back does not.
#[sqlx::test(migrations = false)]
async fn what_is_deleted_afterwards_is_removed_from_the_store(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    for (way, reason) in WAYS {
        let post = posted(&platform, &anna).await;
        let pinned = pinned(&platform, &anna, &post).await;
        assert_eq!(served(&platform, &pinned).await, 200);
        withdraw(&platform, &anna, &post, way).await;
        let nft = read(&platform, &anna, &pinned).await;
        assert_eq!((&nft["status"], &nft["reason"]), (&json!("CANCELLED"), &json!(reason)));
        if way != "DELETE" {
            remove_due(&platform).await;
            assert_eq!((served(&platform, &nft).await, &nft["token_uri"]), (200, &pinned["token_uri"]), "{way}");
            withdraw(&platform, &anna, &post, "DELETE").await;
        }
        let nft = read(&platform, &anna, &nft).await;
        assert_eq!((&nft["reason"], nft.get("token_uri")), (&json!("its content was deleted"), None));
        remove_due(&platform).await;
        assert_eq!(served(&platform, &nft).await, 404, "{way}");
    }
    assert_eq!(records(&platform).await, Vec::<Value>::new());
    assert_eq!(platform.app.db.fetch_all("select from unpin").await.unwrap().len(), 0);
}

/// Archived and published again, or hidden and restored, a post is asked for again under the same id. Its document is made anew, unless a
/// voucher leads to the one of before.
#[sqlx::test(migrations = false)]
async fn what_was_withdrawn_and_is_back_can_be_minted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (_, moderator)) = (new_user(), new_user());
    let judge = format!("{moderator}:ACTIVE:MODERATOR");
    for way in ["ARCHIVE", "HIDE"] {
        for has_voucher in [false, true] {
            let post = posted(&platform, &anna).await;
            let before = pinned(&platform, &anna, &post).await;
            let voucher = format!("/nfts/{}/voucher", before["id"].as_str().unwrap());
            let give =
                async || platform.call("POST", &voucher, Some(&anna), Some(json!({ "recipient": WALLET }))).await;
            let given = if has_voucher { Some(give().await.body) } else { None };
            withdraw(&platform, &anna, &post, way).await;
            assert_eq!(give().await.status, 409, "none is given of what is withdrawn");
            if way == "ARCHIVE" {
                let posted = json!({ "content": "x", "types": [], "status": "POSTED" });
                assert_eq!(platform.call("PUT", &path(&post), Some(&anna), Some(posted)).await.status, 200);
            } else {
                let restore = format!("{}/restore", path(&post));
                assert_eq!(platform.call("POST", &restore, Some(&judge), None).await.status, 200);
            }
            let back = read(&platform, &anna, &before).await;
            assert_eq!(
                (&back["id"], &back["status"]),
                (&before["id"], &json!("CANCELLED")),
                "{way}: it is asked for again"
            );
            let record = records(&platform).await.into_iter().find(|record| record["id"] == before["id"]).unwrap();
            assert_eq!(record["status"], "READY_FOR_MINTING");
            let asked = ask(&platform, &anna, &post).await;
            assert_eq!((&asked["id"], asked["status"] == "PINNED"), (&before["id"], has_voucher), "{way}: {asked}");
            mint_due(&platform).await;
            let after = read(&platform, &anna, &before).await;
            assert_eq!((&after["status"], after["cid"] == before["cid"]), (&json!("PINNED"), has_voucher), "{way}");
            if let Some(given) = given {
                assert_eq!(give().await.body, given, "the same voucher, which leads to the same document");
            }
            make_due(&platform).await;
            remove_due(&platform).await;
            let expected = (200, if has_voucher { 200 } else { 404 });
            assert_eq!((served(&platform, &after).await, served(&platform, &before).await), expected, "{way}");
        }
    }
}

/// A document that is still to be removed must not be removed after it was uploaded again.
#[sqlx::test(migrations = false)]
async fn what_is_published_again_can_be_minted_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, her) = new_user();
    let asked = async || {
        let reply = platform.call("POST", &format!("/nfts/comments/{her}/mint"), Some(&anna), None).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        reply.body
    };
    let nft = asked().await;
    mint_due(&platform).await;
    platform.consume(COMMENT_DELETED, &json!({ "id": her, "post_id": her })).await;
    assert_eq!(read(&platform, &anna, &nft).await["status"], "CANCELLED");
    // The stub has it still, as if it had been restored; its document is the same.
    assert_eq!(asked().await["status"], "UPLOADING");
    mint_due(&platform).await;
    assert_eq!(read(&platform, &anna, &nft).await["status"], "UPLOADING", "the removal comes first");
    remove_due(&platform).await;
    make_due(&platform).await;
    mint_due(&platform).await;
    remove_due(&platform).await;
    let nft = read(&platform, &anna, &nft).await;
    assert_eq!((&nft["status"], served(&platform, &nft).await), (&json!("PINNED"), 200));
    assert_eq!(platform.published(NFT_PINNED).await.len(), 2);
}

#[sqlx::test(migrations = false)]
async fn a_comment_that_is_hidden_or_deleted_is_cancelled_and_others_are_not(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let people = [new_user(), new_user(), new_user()];
    let mut minted = Vec::new();
    for (token, id) in &people {
        minted.push(platform.call("POST", &format!("/nfts/comments/{id}/mint"), Some(token), None).await.body);
    }
    mint_due(&platform).await;
    let read_all = async || {
        let mut nfts = Vec::new();
        for (nft, (token, _)) in minted.iter().zip(&people) {
            nfts.push(read(&platform, token, nft).await);
        }
        nfts
    };
    let hidden_at = "2026-11-20T12:00:00+00:00";
    platform.consume(COMMENT_DELETED, &json!({ "id": people[0].1, "post_id": people[0].1 })).await;
    platform
        .consume(COMMENT_DELETED, &json!({ "id": people[1].1, "post_id": people[1].1, "hidden_at": hidden_at }))
        .await;
    let nfts = read_all().await;
    let expected = [json!("its content was deleted"), json!("its content was hidden by moderation"), Value::Null];
    assert_eq!(nfts.iter().map(|nft| nft["reason"].clone()).collect::<Vec<_>>(), expected);
    remove_due(&platform).await;
    let mut seen = Vec::new();
    for nft in &nfts {
        let path = format!("/nfts/{}", nft["id"].as_str().unwrap());
        let by_others = platform.call("GET", &path, Some(&new_user().0), None).await.status.as_u16();
        seen.push((served(&platform, nft).await, by_others));
    }
    assert_eq!(seen, [(404, 404), (200, 404), (200, 200)], "what may come back keeps its document");
    // It does not come back: it is deleted, which its own stream reports, since counters went down when it was hidden.
    platform.consume(HIDDEN_COMMENT_DELETED, &json!({ "id": people[1].1, "post_id": people[1].1 })).await;
    remove_due(&platform).await;
    let nfts = read_all().await;
    assert_eq!((&nfts[1]["reason"], served(&platform, &nfts[1]).await), (&json!("its content was deleted"), 404));
    assert_eq!(served(&platform, &nfts[2]).await, 200);
}

/// A token is not taken back when its comment is hidden, and is shown to its author alone then, like that of a hidden post. The newest
/// version of the comment says so, in whatever order the two streams are consumed.
#[sqlx::test(migrations = false)]
async fn the_nft_of_a_hidden_comment_is_shown_to_its_author_alone(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let nft = platform.call("POST", &format!("/nfts/comments/{her}/mint"), Some(&anna), None).await.body;
    mint_due(&platform).await;
    platform.app.db.execute("update mint set status = 'MINTED', minted_at = now()").await.unwrap();
    let path = format!("/nfts/{}", nft["id"].as_str().unwrap());
    let seen = async || {
        let mut statuses = Vec::new();
        for reader in [&anna, &ben] {
            statuses.push(platform.call("GET", &path, Some(reader), None).await.status.as_u16());
        }
        statuses
    };
    let at = |second: u8| format!("2026-11-20T12:00:0{second}+00:00");
    let hide = |version: u8| json!({ "id": her, "post_id": her, "hidden_at": at(1), "updated_at": at(version) });
    let restore = |version: u8| json!({ "id": her, "post_id": her, "restored_at": at(version) });
    assert_eq!(seen().await, [200, 200]);
    platform.consume(COMMENT_DELETED, &hide(3)).await;
    assert_eq!(seen().await, [200, 404]);
    assert_eq!(read(&platform, &anna, &nft).await["status"], "MINTED");
    platform.consume(COMMENT_CREATED, &json!({ "id": her, "post_id": her })).await;
    platform.consume(COMMENT_CREATED, &restore(2)).await;
    assert_eq!(seen().await, [200, 404], "it was restored, and hidden again after that");
    platform.consume(COMMENT_CREATED, &restore(5)).await;
    assert_eq!(seen().await, [200, 200]);
    platform.consume(COMMENT_DELETED, &hide(4)).await;
    assert_eq!(seen().await, [200, 200], "it was restored after that");
}

/// A comment that was hidden when no release noted it: the interaction service is asked, once, and what events say counts from then on.
#[sqlx::test(migrations = false)]
async fn comments_that_were_hidden_before_are_asked_about(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, his)) = (new_user(), new_user());
    let mut checker = HiddenCommentChecker { app: platform.app.clone(), nfts: nfts(&platform) };
    let (page, rest) = (Outcome::Idle(Duration::from_millis(100)), Outcome::Idle(Duration::from_hours(1)));
    assert_eq!(checker.step().await.unwrap(), rest, "where nothing was minted, there is nothing to ask");
    let (author, her) = new_user();
    let mut paths = Vec::new();
    for (user, id) in [(&author, her), (&ben, his)] {
        let nft = platform.call("POST", &format!("/nfts/comments/{id}/mint"), Some(user), None).await.body;
        paths.push(format!("/nfts/{}", nft["id"].as_str().unwrap()));
    }
    mint_due(&platform).await;
    // As it was before: the one comment is hidden, which the interaction service alone knows.
    let before = format!(
        "update mint set status = 'MINTED', minted_at = now(); update mint set subject_id = '{GONE}' where created_by = '{her}';
        update hidden_comment_check set done_at = null"
    );
    platform.app.db.execute(AssertSqlSafe(before)).await.unwrap();
    let seen = async |reader: &str| {
        let mut statuses = Vec::new();
        for path in &paths {
            statuses.push(platform.call("GET", path, Some(reader), None).await.status.as_u16());
        }
        statuses
    };
    assert_eq!(seen(&anna).await, [200, 200]);
    assert_eq!(checker.step().await.unwrap(), page);
    assert_eq!(seen(&anna).await, [404, 200]);
    assert_eq!(seen(&author).await[0], 200, "its author is shown it");
    let at = "2026-11-20T12:00:02+00:00";
    platform.consume(COMMENT_CREATED, &json!({ "id": GONE, "post_id": GONE, "restored_at": at })).await;
    assert_eq!(seen(&anna).await, [200, 200], "it is back");
    assert_eq!(checker.step().await.unwrap(), page, "there are no more");
    assert_eq!(checker.step().await.unwrap(), rest);

    // An event that is consumed between the question and the note is newer.
    let mut tx = platform.app.db.begin().await.unwrap();
    let nft = paths[0].strip_prefix("/nfts/").unwrap().parse::<Uuid>().unwrap();
    HiddenCommentCheck::save(&mut tx, &[nft], None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(seen(&anna).await, [200, 200]);
}

/// However much a user has asked for, one step of their erasure deletes a page of it.
#[sqlx::test(migrations = false)]
async fn the_requests_of_an_erased_user_are_deleted_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (_, his)) = (new_user(), new_user());
    for (user, requests) in [(her, 3), (his, 1)] {
        let rows = format!(
            "insert into mint (id, created_by, kind, subject_id)
            select gen_random_uuid(), '{user}', 'COMMENT', gen_random_uuid() from generate_series(1, {requests})"
        );
        platform.app.db.execute(AssertSqlSafe(rows)).await.unwrap();
    }
    let mut tx = platform.app.db.begin().await.unwrap();
    for (more, left) in [(true, 2), (true, 1), (false, 1)] {
        assert_eq!(Mint::delete_by_user(&mut tx, her, 2).await.unwrap(), more);
        let rows = tx.fetch_one("select count(*) from mint").await.unwrap();
        assert_eq!(rows.get::<i64, _>(0), left);
    }
}

/// An erasure leaves no row with the user's id, and no document.
#[sqlx::test(migrations = false)]
async fn an_erased_users_nfts_are_exported_before_and_gone_after(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let post = posted(&platform, &anna).await;
    let nft = pinned(&platform, &anna, &post).await;
    let comment = platform.call("POST", &format!("/nfts/comments/{her}/mint"), Some(&anna), None).await;
    assert_eq!(comment.status, 202);
    let kept = posted(&platform, &ben).await;
    let kept = pinned(&platform, &ben, &kept).await;
    let held = platform.personal_data_of(her, "mints").await;
    assert_eq!(held.iter().map(|mint| &mint["kind"]).collect::<Vec<_>>(), ["COMMENT", "POST"]);
    assert_eq!((&held[1]["cid"], &held[1]["token_uri"]), (&nft["cid"], &nft["token_uri"]));

    platform.erase(her).await;
    assert_eq!(platform.personal_data_of(her, "mints").await, Vec::<Value>::new());
    make_due(&platform).await;
    remove_due(&platform).await;
    assert_eq!((served(&platform, &nft).await, served(&platform, &kept).await), (404, 200));
    let left = platform.finds(nft["cid"].as_str().unwrap()).await;
    assert!(!left.contains(&"post.mint".to_owned()), "{left:?}");
}
