//! The NFT of a post or a comment, for its author.
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Client;
use super::stub::ID;

const RECIPIENT: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

fn record(status: &str, more: &Value) -> Value {
    let mut record = json!({
        "id": "00000000-0000-7000-8000-000000000007", "subject_id": ID, "status": status, "kind": "POST", "created_by": ID,
    });
    record.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    json!([record])
}

/// It is asked for, then given a recipient, then shown as it is; each step has one button and no other.
#[tokio::test]
async fn an_nft_is_asked_for_and_given_a_recipient() {
    let client = Client::new().await;
    let (page, ask, name) = (format!("/posts/{ID}/nft"), "Ask for the NFT", "Have it minted to this account");
    client.stub.answer("GET /me/nfts", 200, record("READY_FOR_MINTING", &json!({})));
    let ready = client.get(&page).await.text;
    assert!(ready.contains("not asked for") && ready.contains(ask) && !ready.contains(name), "{ready}");
    assert_eq!(client.post(&page, "").await.header("location"), page);
    assert_eq!(client.stub.calls(&format!("POST /nfts/{ID}/mint")).len(), 1);

    let pinned = json!({ "token_uri": "https://store.example/b", "contract": "eip155:1:0x5F" });
    client.stub.answer("GET /me/nfts", 200, record("PINNED", &pinned));
    let pinned = client.get(&page).await.text;
    assert!(pinned.contains(name) && !pinned.contains(ask) && pinned.contains("href=\"https://store.example/b\""));
    let form = format!("{page}/recipient");
    let named = client.post(&form, &format!("recipient={RECIPIENT}")).await;
    assert_eq!(named.header("location"), format!("{page}?done=saved"));
    let token = "POST /nfts/00000000-0000-7000-8000-000000000007/token";
    assert_eq!(client.stub.calls(token)[0].body, json!({ "recipient": RECIPIENT }));
    client.stub.answer(token, 422, json!({ "detail": [{ "loc": ["body", "recipient"], "msg": "wrong checksum" }] }));
    let refused = client.post(&form, "recipient=0x12").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("recipient: wrong checksum") && refused.text.contains("value=\"0x12\""));

    client.stub.answer("GET /me/nfts", 200, record("MINTED", &json!({ "recipient": RECIPIENT })));
    let minted = client.get(&page).await.text;
    assert!(minted.contains(RECIPIENT) && !minted.contains(ask) && !minted.contains(name), "{minted}");
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// Only its author is shown it.
#[tokio::test]
async fn the_nft_of_another_is_no_page() {
    let client = Client::new().await;
    let other = "00000000-0000-7000-8000-00000000000f";
    let post = json!({ "id": ID, "created_at": "2026-11-20T12:00:00Z", "content": "x", "created_by": other });
    client.stub.answer(&format!("GET /posts/{ID}"), 200, post);
    assert_eq!(client.get(&format!("/posts/{ID}/nft")).await.status, StatusCode::NOT_FOUND);
}

/// With a voucher the author has the token minted; it is shown, and given again to the same account.
#[tokio::test]
async fn a_voucher_is_shown_with_all_that_redeems_it() {
    let client = Client::new().await;
    let page = format!("/posts/{ID}/nft");
    let voucher = "name=\"how\" value=\"voucher\"";
    client.stub.answer("GET /me/nfts", 200, record("UPLOADING", &json!({})));
    assert!(!client.get(&page).await.text.contains(voucher), "there is none before the metadata is pinned");
    let given = json!({ "token_uri": "https://store.example/b", "recipient": RECIPIENT });
    client.stub.answer("GET /me/nfts", 200, record("PINNED", &given));
    let again = client.get(&page).await.text;
    assert!(again.contains(voucher) && again.contains(&format!("value=\"{RECIPIENT}\"")), "{again}");
    let call = "POST /nfts/00000000-0000-7000-8000-000000000007/voucher";
    let answer = json!({ "chain_id": 31337, "contract": "0x5F", "signature": "0xsigned", "call_data": "0xredeem",
        "expires_at": "2026-11-27T12:00:00Z",
        "voucher": { "id": "0x01", "recipient": RECIPIENT, "uri": "https://store.example/b", "deadline": 1 } });
    client.stub.answer(call, 200, answer);
    let form = format!("recipient={RECIPIENT}&how=voucher");
    let shown = client.post(&format!("{page}/recipient"), &form).await;
    assert_eq!((shown.status, &client.stub.calls(call)[0].body), (StatusCode::OK, &json!({ "recipient": RECIPIENT })));
    for part in ["31337", "0xsigned", "0xredeem", "27 November 2026", "<dd>0x5F</dd>"] {
        assert!(shown.text.contains(part), "{part} is not in {}", shown.text);
    }
    client.stub.answer(call, 409, json!({ "detail": "Tokens are minted without a voucher here" }));
    let refused = client.post(&format!("{page}/recipient"), &form).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("no voucher is needed"), "{}", refused.text);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A comment has no record until its NFT is asked for; then it goes on as that of a post does.
#[tokio::test]
async fn the_nft_of_a_comment_is_asked_for() {
    let client = Client::new().await;
    let (page, ask) = (format!("/comments/{ID}/nft"), "Ask for the NFT");
    client.stub.answer("GET /me/nfts", 200, json!([]));
    let none = client.get(&page).await.text;
    assert!(none.contains("NFT of the comment") && none.contains(ask), "{none}");
    assert_eq!(client.post(&page, "").await.header("location"), page);
    assert_eq!(client.stub.calls(&format!("POST /nfts/comments/{ID}/mint")).len(), 1);
    client.stub.answer("GET /me/nfts", 200, record("UPLOADING", &json!({ "kind": "COMMENT" })));
    assert!(!client.get(&page).await.text.contains(ask));
    let named = client.post(&format!("{page}/recipient"), &format!("recipient={RECIPIENT}")).await;
    assert_eq!(named.header("location"), format!("{page}?done=saved"));
    assert!(client.get(&format!("/comments/{ID}")).await.text.contains(&format!("href=\"{page}\"")));
    let comment = json!({ "id": ID, "created_at": "2026-11-20T12:00:00Z", "content": "x", "post_id": ID,
        "created_by": "00000000-0000-7000-8000-00000000000f" });
    client.stub.answer(&format!("GET /comments/{ID}"), 200, comment);
    assert_eq!(client.get(&page).await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}
