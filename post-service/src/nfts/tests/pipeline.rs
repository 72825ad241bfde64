//! From the request of an author to metadata that can be read.
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{
    Answer, BROKEN, GONE, MISLED, Stub, ask, make_due, mint_due, nfts, pinned, read, remove_due, served, start,
};
use crate::SERVICE;
use crate::blocks::events::USER_BLOCKED;
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::nfts::documents::{MetadataDocument, cid_of};
use crate::nfts::events::NFT_PINNED;
use crate::nfts::models::{Mint, find_post};
use crate::posts::tests::{nfts as records, posted, refused};

fn path(post: &Value) -> String {
    format!("/nfts/{}/mint", post["id"].as_str().unwrap())
}

/// A record's id is the NFT's, before it is asked for as well; what is pinned is what the route showed, byte by byte.
#[sqlx::test(migrations = false)]
async fn a_post_is_asked_for_uploaded_and_pinned(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let post = posted(&platform, &anna).await;
    let record = records(&platform).await.remove(0);
    let ready = read(&platform, &anna, &record).await;
    assert_eq!(
        (&ready["status"], &ready["subject_id"], &ready["kind"]),
        (&json!("READY_FOR_MINTING"), &post["id"], &json!("POST"))
    );
    assert_eq!((ready.get("cid"), ready.get("token_uri")), (None, None));
    assert_eq!(ready["metadata"]["properties"]["author"], json!(her));

    let counted = Counted::begin();
    let asked = ask(&platform, &anna, &post).await;
    assert_eq!((&asked["id"], &asked["status"]), (&record["id"], &json!("UPLOADING")));
    assert_eq!(records(&platform).await[0]["status"], "UPLOADING");
    mint_due(&platform).await;
    let nft = read(&platform, &ben, &record).await;
    assert_eq!(
        (&nft["status"], &nft["metadata"]),
        (&json!("PINNED"), &ready["metadata"]),
        "all who see the post see it"
    );
    let cid = nft["cid"].as_str().unwrap();
    assert_eq!(nft["token_uri"], format!("http://127.0.0.1:8001/api/v1/nfts/metadata/{cid}"));
    let metadata = platform.call("GET", &format!("/nfts/metadata/{cid}"), None, None).await;
    assert_eq!((metadata.status.as_u16(), &metadata.body), (200, &ready["metadata"].clone()));
    assert_eq!(cid_of(metadata.body.to_string().as_bytes()), cid, "of the bytes as they were sent");
    let headers =
        ["content-type", "cache-control", "etag"].map(|name| metadata.headers[name].to_str().unwrap().to_owned());
    assert_eq!(headers, ["application/json".to_owned(), "public, max-age=60".to_owned(), format!("\"{cid}\"")]);
    let record = records(&platform).await.remove(0);
    assert_eq!((&record["status"], &record["token_uri"]), (&json!("PINNED"), &nft["token_uri"]));
    let event = json!({
        "id": nft["id"], "kind": "POST", "subject_id": post["id"], "created_by": her, "status": "PINNED", "cid": cid,
        "token_uri": nft["token_uri"],
    });
    assert_eq!(platform.published(NFT_PINNED).await, [event]);
    counted.assert("nft_mints_total{outcome=\"pinned\"} 1");

    // Asked for again, it is what it is.
    assert_eq!(ask(&platform, &anna, &post).await, read(&platform, &anna, &nft).await);
    mint_due(&platform).await;
    assert_eq!(platform.published(NFT_PINNED).await.len(), 1);
}

#[sqlx::test(migrations = false)]
async fn only_the_author_of_a_published_post_asks_and_only_where_minting_is_on(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let post = posted(&platform, &anna).await;
    let draft = json!({ "content": "x", "types": [] });
    let draft = platform.call("POST", "/posts", Some(&anna), Some(draft)).await.body;
    let not_found = (404, &json!("Post object not found"));
    for (caller, post) in [(&ben, &post), (&anna, &draft), (&anna, &json!({ "id": GONE }))] {
        assert_eq!(refused(&platform.call("POST", &path(post), Some(caller), None).await), not_found);
    }
    assert_eq!(platform.call("POST", "/nfts/x/mint", Some(&anna), None).await.status, 422);
    let off = platform.beside(&["--minting", "off"]);
    assert_eq!(refused(&off.call("POST", &path(&post), Some(&anna), None).await), (409, &json!("Minting is off")));
    let unknown = platform.call("GET", &format!("/nfts/{GONE}"), Some(&anna), None).await;
    assert_eq!(refused(&unknown), (404, &json!("NFT not found")));
    for cid in ["x", "..%2Fx", &cid_of(b"never minted")] {
        let reply = platform.call("GET", &format!("/nfts/metadata/{cid}"), None, None).await;
        assert_eq!(refused(&reply), (404, &json!("NFT not found")), "{cid}");
    }
}

/// Impatient authors, and replicas that look at the same moment: one request, one document, one event.
#[sqlx::test(migrations = false)]
async fn many_who_ask_at_once_mint_one(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let mut posts = Vec::new();
    for _ in 0..20 {
        posts.push(posted(&platform, &anna).await);
    }
    let people: Vec<_> = (0..5).map(|_| new_user()).collect();
    let comments = people.iter().flat_map(|person| [person; 3]).map(async |(token, id)| {
        platform.call("POST", &format!("/nfts/comments/{id}/mint"), Some(token), None).await.status
    });
    assert!(join_all(comments).await.iter().all(|status| *status == 202));
    let asked = posts.iter().flat_map(|post| [post, post, post]).map(|post| ask(&platform, &anna, post));
    join_all(asked).await;
    join_all((0..3).map(|_| mint_due(&platform))).await;
    let events = platform.published(NFT_PINNED).await;
    let mut subjects: Vec<_> = events.iter().map(|event| event["subject_id"].to_string()).collect();
    subjects.sort();
    let comments = people.iter().map(|(_, id)| json!(id).to_string());
    let mut expected: Vec<_> = posts.iter().map(|post| post["id"].to_string()).chain(comments).collect();
    expected.sort();
    assert_eq!(subjects, expected);
}

/// The process dies after the upload and before it is written down: the same document is pinned again, once.
#[sqlx::test(migrations = false)]
async fn a_worker_that_dies_changes_nothing_and_a_late_one_neither(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let post = posted(&platform, &anna).await;
    let nft = ask(&platform, &anna, &post).await;
    let dying = Mint::claim(&platform.app.db, 16).await.unwrap().remove(0);
    assert_eq!(Mint::claim(&platform.app.db, 16).await.unwrap().len(), 0, "it is claimed");
    let content = find_post(&platform.app.db, dying.subject_id).await.unwrap().unwrap();
    let document = MetadataDocument::of(&content);
    let mut tx = platform.app.db.begin().await.unwrap();
    assert!(dying.begin(&mut tx, "local", &document.cid).await.unwrap());
    tx.commit().await.unwrap();
    nfts(&platform).store.pin(&document, None).await.unwrap();

    make_due(&platform).await;
    mint_due(&platform).await;
    assert_eq!(read(&platform, &anna, &nft).await["cid"], json!(document.cid));
    assert_eq!(platform.published(NFT_PINNED).await.len(), 1);
    // The first one was not dead after all: its claim is over.
    let mut tx = platform.app.db.begin().await.unwrap();
    assert!(!dying.begin(&mut tx, "local", "another").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(read(&platform, &anna, &nft).await["status"], "PINNED");
    assert_eq!(served(&platform, &nft_of(&document)).await, 200);
}

fn nft_of(document: &MetadataDocument) -> Value {
    json!({ "cid": document.cid })
}

/// Of a post that is changed between two tries the new version is pinned, and what the first try may have left is removed.
#[sqlx::test(migrations = false)]
async fn the_version_that_is_pinned_is_the_one_at_the_upload(_: PgPoolOptions, database: PgConnectOptions) {
    let (url, node) = Stub::start().await;
    let platform = start(database).await.beside(&["--nft-store", "kubo", "--ipfs-api-url", &url]);
    let (anna, _) = new_user();
    let post = posted(&platform, &anna).await;
    let nft = ask(&platform, &anna, &post).await;
    node.answers(Answer::Body(500, "disk".into()));
    mint_due(&platform).await;
    let waiting = read(&platform, &anna, &nft).await;
    assert_eq!(
        (&waiting["status"], &waiting["reason"]),
        (&json!("RETRY"), &json!("the store answered 500 Internal Server Error: disk"))
    );
    let change = json!({ "content": "mended", "types": [] });
    platform.call("PUT", &format!("/posts/{}", post["id"].as_str().unwrap()), Some(&anna), Some(change)).await;
    let content = find_post(&platform.app.db, post["id"].as_str().unwrap().parse().unwrap()).await.unwrap().unwrap();
    let cid = MetadataDocument::of(&content).cid;
    node.answers(Answer::Body(200, json!({ "Name": cid, "Hash": cid, "Size": "1" }).to_string()));
    make_due(&platform).await;
    mint_due(&platform).await;
    let nft = read(&platform, &anna, &nft).await;
    assert_eq!((&nft["status"], &nft["cid"]), (&json!("PINNED"), &json!(cid)));
    assert_eq!((&nft["token_uri"], nft.get("reason")), (&json!(format!("ipfs://{cid}")), None));
    node.requests();
    make_due(&platform).await;
    node.answers(Answer::Body(200, "{}".into()));
    remove_due(&platform).await;
    let old = waiting["cid"].as_str().unwrap();
    assert_eq!(node.requests(), [format!("POST /api/v0/pin/rm?arg={old}&recursive=true")]);
    assert_eq!(served(&platform, &nft).await, 404, "it is in IPFS");

    // A later change is not in what is pinned, so the NFT does not show it.
    let change = json!({ "content": "mended again", "types": [] });
    platform.call("PUT", &format!("/posts/{}", post["id"].as_str().unwrap()), Some(&anna), Some(change)).await;
    let later = read(&platform, &anna, &nft).await;
    assert_eq!((&later["cid"], later.get("metadata")), (&json!(cid), None));
}

/// A busy store is asked again when it says so, one that answers nonsense is given up, and the author can ask anew.
#[sqlx::test(migrations = false)]
async fn a_store_that_fails_is_waited_for_or_given_up(_: PgPoolOptions, database: PgConnectOptions) {
    let (url, node) = Stub::start().await;
    let platform = start(database).await.beside(&["--nft-store", "kubo", "--ipfs-api-url", &url]);
    let (anna, _) = new_user();
    let post = posted(&platform, &anna).await;
    let nft = ask(&platform, &anna, &post).await;
    node.answers(Answer::RetryAfter(429, "600"));
    mint_due(&platform).await;
    let wait = "select extract(epoch from next_try_at - now())::double precision, failures from mint";
    let row = platform.app.db.fetch_one(wait).await.unwrap();
    assert!((590.0..=600.0).contains(&row.get::<f64, _>(0)), "{}", row.get::<f64, _>(0));
    assert_eq!(row.get::<i32, _>(1), 1);
    mint_due(&platform).await;
    assert_eq!(node.requests().len(), 1, "not before");

    node.answers(Answer::Body(400, "no".into()));
    make_due(&platform).await;
    mint_due(&platform).await;
    let failed = read(&platform, &anna, &nft).await;
    assert_eq!(
        (&failed["status"], &failed["reason"]),
        (&json!("FAILED"), &json!("the store answered 400 Bad Request: no"))
    );
    assert_eq!(records(&platform).await[0]["status"], "FAILED");
    assert_eq!(ask(&platform, &anna, &post).await["status"], "UPLOADING");

    // The thirteenth failure in a row is the last one.
    for _ in 0..13 {
        node.answers(Answer::Body(503, String::new()));
        make_due(&platform).await;
        mint_due(&platform).await;
    }
    assert_eq!(read(&platform, &anna, &nft).await["status"], "FAILED");
    assert_eq!(platform.published(NFT_PINNED).await, Vec::<Value>::new());
}

/// A pinning service takes its time; after a day it is given up.
#[sqlx::test(migrations = false)]
async fn a_pinning_service_is_polled_for_a_day(_: PgPoolOptions, database: PgConnectOptions) {
    let ((node_url, node), (url, service)) = (Stub::start().await, Stub::start().await);
    let settings = ["--nft-store", "pinning-service", "--ipfs-api-url", &node_url, "--ipfs-pinning-url", &url];
    let platform = start(database).await.beside(&[&settings[..], &["--ipfs-pinning-token", "t"]].concat());
    let (anna, _) = new_user();
    let post = posted(&platform, &anna).await;
    let nft = ask(&platform, &anna, &post).await;
    let content = find_post(&platform.app.db, post["id"].as_str().unwrap().parse().unwrap()).await.unwrap().unwrap();
    let cid = MetadataDocument::of(&content).cid;
    let queued = json!({ "requestid": "r", "status": "queued", "pin": { "cid": cid } }).to_string();
    node.answers(Answer::Body(200, json!({ "Hash": cid }).to_string()));
    service.answers(Answer::Body(200, json!({ "results": [] }).to_string()));
    service.answers(Answer::Body(202, queued.clone()));
    mint_due(&platform).await;
    assert_eq!(read(&platform, &anna, &nft).await["status"], "UPLOADING");
    service.requests();
    service.answers(Answer::Body(200, queued.clone()));
    make_due(&platform).await;
    mint_due(&platform).await;
    assert_eq!(service.requests(), ["GET /pins/r"], "it is asked by the name of the request");
    platform.app.db.execute("update mint set created_at = now() - interval '25 hours'").await.unwrap();
    service.answers(Answer::Body(200, queued));
    make_due(&platform).await;
    mint_due(&platform).await;
    let failed = read(&platform, &anna, &nft).await;
    assert_eq!(failed["reason"], "the pinning service has not pinned it within a day");
}

/// A comment's record is the interaction service's: its id, its author and its text are fetched from there.
#[sqlx::test(migrations = false)]
async fn a_comment_is_minted_by_its_author(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let mint = format!("/nfts/comments/{her}/mint");
    let refusal = platform.call("POST", &mint, Some(&ben), None).await;
    assert_eq!(refused(&refusal), (404, &json!("Post comment not found")));
    for (id, status) in [(GONE, 404), (BROKEN, 503), (MISLED, 503)] {
        let reply = platform.call("POST", &format!("/nfts/comments/{id}/mint"), Some(&anna), None).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    let asked = platform.call("POST", &mint, Some(&anna), None).await;
    assert_eq!((asked.status.as_u16(), &asked.body["status"]), (202, &json!("UPLOADING")));
    let read_by = async |caller: &str| {
        let path = format!("/nfts/{}", asked.body["id"].as_str().unwrap());
        platform.call("GET", &path, Some(caller), None).await
    };
    assert_eq!(read_by(&ben).await.status, 404, "it is its author's until it can be read");
    mint_due(&platform).await;
    let nft = read_by(&ben).await.body;
    assert_eq!((&nft["kind"], &nft["subject_id"], &nft["status"]), (&json!("COMMENT"), &json!(her), &json!("PINNED")));
    let metadata = platform.call("GET", &format!("/nfts/metadata/{}", nft["cid"].as_str().unwrap()), None, None).await;
    assert_eq!(metadata.body["name"], format!("Comment {her}"));
    assert_eq!(platform.published(NFT_PINNED).await[0]["id"], nft["id"]);
    assert_eq!(platform.call("GET", "/me/nfts", Some(&anna), None).await.body, json!([nft]));
}

/// Across a block NFTs are not seen, whichever of the two has blocked the other, neither that of a post nor that of a comment.
#[sqlx::test(migrations = false)]
async fn an_nft_is_not_seen_across_a_block(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, his), (cleo, hers)) = (new_user(), new_user(), new_user());
    let post = posted(&platform, &anna).await;
    let of_post = ask(&platform, &anna, &post).await;
    let of_comment = platform.call("POST", &format!("/nfts/comments/{her}/mint"), Some(&anna), None).await.body;
    mint_due(&platform).await;
    let seen = async |reader: &str| {
        let mut statuses = Vec::new();
        for nft in [&of_post, &of_comment] {
            let path = format!("/nfts/{}", nft["id"].as_str().unwrap());
            statuses.push(platform.call("GET", &path, Some(reader), None).await.status.as_u16());
        }
        statuses
    };
    assert_eq!((seen(&ben).await, seen(&cleo).await), (vec![200, 200], vec![200, 200]));
    for (user, target) in [(her, his), (hers, her)] {
        let block = json!({ "user_id": user, "target_id": target, "at": "2026-11-20T12:00:00+00:00" });
        platform.consume(USER_BLOCKED, &block).await;
    }
    assert_eq!((seen(&ben).await, seen(&cleo).await), (vec![404, 404], vec![404, 404]));
    assert_eq!(seen(&anna).await, [200, 200]);
}

/// A comment whose service is away is waited for; one that is gone is cancelled.
#[sqlx::test(migrations = false)]
async fn a_comment_that_cannot_be_fetched_waits_and_one_that_is_gone_is_cancelled(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let (anna, her) = new_user();
    let insert = |comment| {
        format!(
            "insert into mint (id, created_by, kind, subject_id) values ('{comment}', '{her}', 'COMMENT', '{comment}')"
        )
    };
    for comment in [GONE, BROKEN, MISLED] {
        platform.app.db.execute(sqlx::AssertSqlSafe(insert(comment))).await.unwrap();
    }
    mint_due(&platform).await;
    let read_one = async |id: uuid::Uuid| read(&platform, &anna, &json!({ "id": id })).await;
    assert_eq!(read_one(GONE).await["status"], "CANCELLED");
    let waiting = read_one(BROKEN).await;
    assert_eq!(waiting["status"], "RETRY");
    assert!(waiting["reason"].as_str().unwrap().contains("502"), "{waiting}");
    let misled = read_one(MISLED).await;
    let expected = (&json!("RETRY"), &json!("what answers 404 is not the interaction service"));
    assert_eq!((&misled["status"], &misled["reason"]), expected, "a wrong address cancels nothing");
}

#[sqlx::test(migrations = false)]
async fn a_users_nfts_are_listed_newest_first_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let first = posted(&platform, &anna).await;
    let second = posted(&platform, &anna).await;
    posted(&platform, &ben).await;
    let comment = platform.call("POST", &format!("/nfts/comments/{her}/mint"), Some(&anna), None).await.body;
    pinned(&platform, &anna, &first).await;
    let page = platform.call("GET", "/me/nfts?limit=2", Some(&anna), None).await;
    let subjects =
        |body: &Value| body.as_array().unwrap().iter().map(|nft| nft["subject_id"].clone()).collect::<Vec<_>>();
    assert_eq!(subjects(&page.body), [comment["subject_id"].clone(), second["id"].clone()]);
    let link = page.headers["link"].to_str().unwrap();
    let next = link.trim_start_matches("</api/v1").split('>').next().unwrap();
    let last = platform.call("GET", next, Some(&anna), None).await;
    assert_eq!(subjects(&last.body), [first["id"].clone()]);
    assert_eq!((&last.body[0]["status"], last.headers.get("link")), (&json!("PINNED"), None));
    for (query, status) in [("limit=0", 422), ("subject_id=x", 422)] {
        assert_eq!(platform.call("GET", &format!("/me/nfts?{query}"), Some(&anna), None).await.status, status);
    }
    for (subject, found) in [(&first["id"], 1), (&comment["subject_id"], 1), (&comment["id"], 0)] {
        let path = format!("/me/nfts?subject_id={}", subject.as_str().unwrap());
        assert_eq!(subjects(&platform.call("GET", &path, Some(&anna), None).await.body), vec![subject.clone(); found]);
    }
}

/// What is stored for a record does not grow with the text that it is of.
#[sqlx::test(migrations = false)]
async fn a_record_does_not_double_the_storage_of_its_post(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    for content in ["x".to_owned(), "x".repeat(10_000)] {
        let post = json!({ "content": content, "types": [], "status": "POSTED" });
        platform.call("POST", "/posts", Some(&anna), Some(post)).await;
    }
    let sizes = platform.app.db.fetch_all("select pg_column_size(post_nft) from post_nft order by id").await.unwrap();
    let sizes: Vec<i32> = sizes.iter().map(|row| row.get(0)).collect();
    assert_eq!(sizes[0], sizes[1]);
}
