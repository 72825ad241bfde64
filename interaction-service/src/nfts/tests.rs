//! NFT records, through their route and their event.
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{NFT_MINTED, NFT_PINNED};
use crate::comments::events::COMMENT_DELETE_REQUESTED;
use crate::comments::models::Nft;
use crate::comments::tests::start_with_post;
use crate::core::testing::{Platform, Reply, new_user};
use crate::posts::testing::{comment, id};

async fn record(platform: &Platform, comment: &Value) -> Reply {
    let path = format!("/internal/nfts/{}", comment["id"].as_str().unwrap());
    let request = Request::get(path).header(header::AUTHORIZATION, "Bearer operator");
    platform.send(request.body(Body::empty()).unwrap()).await
}

fn pinned(record: &Value, kind: &str) -> Value {
    json!({
        "id": record["record_id"], "kind": kind, "subject_id": record["comment_id"],
        "created_by": record["created_by"], "status": "PINNED", "cid": "bafk", "token_uri": "ipfs://bafk",
    })
}

#[sqlx::test(migrations = false)]
async fn the_post_service_reads_a_comment_to_mint_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, author) = new_user();
    let said = comment(&platform, &anna, &post, "Well said.").await.body;
    let found = record(&platform, &said).await;
    let expected = json!({
        "record_id": found.body["record_id"], "comment_id": said["id"], "post_id": post["id"], "created_by": author,
        "created_at": said["created_at"], "updated_at": said["updated_at"], "content": "Well said.",
    });
    assert_eq!((found.status.as_u16(), &found.body), (200, &expected));
    let held = platform.personal_data_of(author, "nft_records").await;
    assert_eq!(held[0]["id"], found.body["record_id"]);
    let missing = record(&platform, &json!({ "id": Uuid::now_v7() })).await;
    let problem = (&missing.body["type"], missing.headers["content-type"].to_str().unwrap());
    assert_eq!(
        (missing.status.as_u16(), problem),
        (404, (&json!("urn:problem:comment-not-found"), "application/problem+json"))
    );
    let request = json!({ "content_id": said["id"], "raw_content": said, "reason": "NUDITY" });
    platform.consume(COMMENT_DELETE_REQUESTED, &request).await;
    assert_eq!(record(&platform, &said).await.status, 404, "it is hidden");
}

#[sqlx::test(migrations = false)]
async fn a_record_learns_where_its_metadata_is(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    let [first, second] =
        [comment(&platform, &anna, &post, "one").await.body, comment(&platform, &anna, &post, "two").await.body];
    let records = [record(&platform, &first).await.body, record(&platform, &second).await.body];
    // Twice, one of a record that is gone, and one of a post.
    platform.consume(NFT_PINNED, &pinned(&records[0], "COMMENT")).await;
    platform.consume(NFT_PINNED, &pinned(&records[0], "COMMENT")).await;
    platform.consume(NFT_PINNED, &pinned(&json!({ "record_id": Uuid::now_v7() }), "COMMENT")).await;
    platform.consume(NFT_PINNED, &pinned(&records[1], "POST")).await;
    let all = Nft::all(&platform.app.db).await.unwrap();
    let seen: Vec<_> = all.iter().map(|nft| (nft.comment_id, nft.status.as_str(), nft.token_uri.as_deref())).collect();
    assert_eq!(seen, [(id(&first), "PINNED", Some("ipfs://bafk")), (id(&second), "READY_FOR_MINTING", None)]);
}

/// In whichever order the two events come, and however often.
#[sqlx::test(migrations = false)]
async fn a_record_learns_of_its_token(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, author) = new_user();
    let said = comment(&platform, &anna, &post, "one").await.body;
    let other = comment(&platform, &anna, &post, "two").await.body;
    let [record, other] = [record(&platform, &said).await.body, record(&platform, &other).await.body];
    let minted = |record: &Value, kind: &str| {
        json!({
            "id": record["record_id"], "kind": kind, "subject_id": record["comment_id"], "created_by": record["created_by"],
            "status": "MINTED", "token_uri": "ipfs://bafk", "contract": "eip155:1:0xa", "token_id": "0xb",
            "transaction_hash": "0xc",
        })
    };
    platform.consume(NFT_MINTED, &minted(&record, "COMMENT")).await;
    platform.consume(NFT_PINNED, &pinned(&record, "COMMENT")).await;
    platform.consume(NFT_MINTED, &minted(&record, "COMMENT")).await;
    platform.consume(NFT_MINTED, &minted(&other, "POST")).await;
    let held = platform.personal_data_of(author, "nft_records").await;
    let token =
        |nft: &Value| ["status", "token_uri", "contract", "token_id", "transaction_hash"].map(|name| nft[name].clone());
    assert_eq!(held.iter().filter(|nft| nft["status"] == "MINTED").count(), 1);
    let held = held.iter().find(|nft| nft["id"] == record["record_id"]).unwrap();
    assert_eq!(token(held), ["MINTED", "ipfs://bafk", "eip155:1:0xa", "0xb", "0xc"].map(Value::from));
}
