//! The stores against servers that check what they are asked, and answer in every way.
use std::time::Duration;

use clap::{Args, Command, FromArgMatches};
use serde_json::{Value, json};

use super::{Answer, Stub};
use crate::core::ground::http_client;
use crate::media::tests::buckets::{Bucket, Fault};
use crate::nfts::documents::tests::sample;
use crate::nfts::documents::{MetadataDocument, cid_of};
use crate::nfts::stores::local::LocalStore;
use crate::nfts::stores::opening;
use crate::nfts::stores::{MetadataStore, MetadataStoreSettings, PinReceipt, StoreFailure};

/// How long a store is waited for here; a stub answers in a millisecond, or never.
const PATIENCE: Duration = Duration::from_millis(300);

fn settings_of(arguments: &[&str]) -> anyhow::Result<MetadataStoreSettings> {
    let command = MetadataStoreSettings::augment_args(Command::new("test"));
    let arguments = command.try_get_matches_from([&["test"], arguments].concat())?;
    Ok(MetadataStoreSettings::from_arg_matches(&arguments)?)
}

fn open(arguments: &[&str]) -> anyhow::Result<std::sync::Arc<dyn MetadataStore>> {
    let http = http_client::builder().timeout(PATIENCE).build()?;
    opening::open(&settings_of(arguments)?, &http)
}

fn document() -> MetadataDocument {
    MetadataDocument::of(&sample())
}

fn pinned(request: Option<&str>) -> PinReceipt {
    PinReceipt::Pinned { request: request.map(str::to_owned) }
}

fn added(cid: &str) -> Answer {
    Answer::Body(200, format!("{}\n", json!({ "Name": cid, "Hash": cid, "Size": "700" })))
}

/// What came of a failure: whether it is tried again, its reason, and the wait that the store asks for.
fn failed(outcome: Result<PinReceipt, StoreFailure>) -> (bool, String, Option<u64>) {
    match outcome.unwrap_err() {
        StoreFailure::Later { reason, wait } => (true, reason, wait.map(|wait| wait.as_secs())),
        StoreFailure::Refused(reason) | StoreFailure::Unknown(reason) => (false, reason, None),
    }
}

#[tokio::test]
async fn a_folder_keeps_a_document_once_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er");
    let store =
        open(&["--nft-folder", path.to_str().unwrap(), "--public-url", "https://social.example/base/"]).unwrap();
    let document = document();
    for _ in 0..2 {
        assert_eq!(store.pin(&document, None).await, Ok(pinned(None)));
    }
    let files: Vec<_> = std::fs::read_dir(&path).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, [document.cid.as_str()], "no file is left over");
    assert_eq!(std::fs::read(path.join(&document.cid)).unwrap(), document.bytes);
    assert_eq!(store.uri(&document.cid), format!("https://social.example/base/api/v1/nfts/metadata/{}", document.cid));
    let local = LocalStore::open(&settings_of(&["--nft-folder", path.to_str().unwrap()]).unwrap()).unwrap();
    std::fs::write(path.join(&document.cid), "another").unwrap();
    assert_eq!(local.read(&document.cid).await.unwrap(), None, "what is not what its name says is not served");
    for _ in 0..2 {
        assert_eq!(store.remove(&document.cid, None).await, Ok(()));
    }
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_tried_again() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let store = open(&["--nft-folder", file.path().to_str().unwrap()]).unwrap();
    let (is_later, reason, _) = failed(store.pin(&document(), None).await);
    assert!(is_later && reason.starts_with("the store of metadata: "), "{reason}");
}

/// The same in a bucket, which replicas share without a volume, and which may have other objects.
#[tokio::test]
async fn a_bucket_keeps_a_document_once_and_whole() {
    // The first client of a process chooses its cryptography, and that of a service is made before its stores.
    let _ = http_client::builder();
    let bucket = Bucket::start().await;
    let renamed =
        |setting: &String| setting.replace("--media-s3-", "--nft-s3-").replace("--media-store=", "--nft-folder=");
    let settings: Vec<String> = bucket.settings.iter().map(renamed).collect();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let local = LocalStore::open(&settings_of(&settings).unwrap()).unwrap();
    let (store, document) = (open(&settings).unwrap(), document());
    assert_eq!(local.read(&document.cid).await.unwrap(), None);
    for _ in 0..2 {
        assert_eq!(store.pin(&document, None).await, Ok(pinned(None)));
    }
    assert_eq!(local.read(&document.cid).await.unwrap().unwrap(), document.bytes);
    let kept = bucket.folder.path().join("pictures/nft-metadata").join(&document.cid);
    assert_eq!(std::fs::read(&kept).unwrap(), document.bytes);
    for _ in 0..2 {
        assert_eq!(store.remove(&document.cid, None).await, Ok(()));
    }
    assert!(!kept.exists());
    bucket.faults.fail_after(0, Fault::Refused);
    assert!(failed(store.pin(&document, None).await).0, "a bucket that refuses is asked again");
}

/// The request is that of `ipfs add --cid-version=1 --pin`, with the document as it is.
#[tokio::test]
async fn a_node_adds_and_pins_a_document() {
    let (url, stub) = Stub::start().await;
    let (store, document) = (open(&["--nft-store", "kubo", "--ipfs-api-url", &url]).unwrap(), document());
    stub.answers(added(&document.cid));
    assert_eq!(store.pin(&document, None).await, Ok(pinned(None)));
    let asked = stub.asked.lock().unwrap().pop().unwrap();
    assert_eq!(
        format!("{} {}", asked.method, asked.uri),
        "POST /api/v0/add?cid-version=1&raw-leaves=true&hash=sha2-256&pin=true&progress=false"
    );
    let boundary =
        asked.headers["content-type"].to_str().unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
    let parts: Vec<_> = asked.body.split(&format!("--{boundary}")).collect();
    let [before, file, after] = parts[..] else { panic!("one part: {}", asked.body) };
    assert_eq!((before, after), ("", "--\r\n"));
    let (head, body) = file.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("name=\"file\"; filename=\""), "{head}");
    assert_eq!(body.strip_suffix("\r\n").unwrap().as_bytes(), document.bytes);
    assert_eq!(store.uri(&document.cid), format!("ipfs://{}", document.cid));
}

#[tokio::test]
async fn a_node_that_answers_otherwise_is_believed_in_nothing() {
    let (url, stub) = Stub::start().await;
    let (store, document) = (open(&["--nft-store", "kubo", "--ipfs-api-url", &url]).unwrap(), document());
    let other = cid_of(b"other");
    let cases = [
        (added(&other), (false, format!("the node stored {other} in place of {}", document.cid), None)),
        (
            Answer::Body(400, "bad arguments".into()),
            (false, "the store answered 400 Bad Request: bad arguments".into(), None),
        ),
        (Answer::Body(403, String::new()), (true, "the store answered 403 Forbidden:".into(), None)),
        (Answer::Body(404, "x".into()), (false, "the store answered 404 Not Found: x".into(), None)),
        (Answer::Body(500, "disk".into()), (true, "the store answered 500 Internal Server Error: disk".into(), None)),
        (
            Answer::RetryAfter(429, "120"),
            (true, "the store answered 429 Too Many Requests: slow down".into(), Some(120)),
        ),
        (
            Answer::RetryAfter(503, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (true, "the store answered 503 Service Unavailable: slow down".into(), Some(0)),
        ),
    ];
    for (answer, expected) in cases {
        stub.answers(answer);
        assert_eq!(failed(store.pin(&document, None).await), expected);
    }
    for answer in [Answer::Body(200, "<html>".into()), Answer::Body(200, " ".repeat(2 * 1024 * 1024)), Answer::Silence]
    {
        stub.answers(answer);
        let (is_later, reason, _) = failed(store.pin(&document, None).await);
        assert!(is_later, "{reason}");
        assert!(!reason.contains(&url), "an address may hold a key: {reason}");
    }
    let away = open(&["--nft-store", "kubo", "--ipfs-api-url", "http://127.0.0.1:9"]).unwrap();
    assert!(failed(away.pin(&document, None).await).0);
}

#[tokio::test]
async fn a_node_unpins_and_what_is_not_pinned_is_no_failure() {
    let (url, stub) = Stub::start().await;
    let (store, cid) = (open(&["--nft-store", "kubo", "--ipfs-api-url", &url]).unwrap(), document().cid);
    stub.answers(Answer::Body(200, json!({ "Pins": [cid] }).to_string()));
    assert_eq!(store.remove(&cid, None).await, Ok(()));
    assert_eq!(stub.requests(), [format!("POST /api/v0/pin/rm?arg={cid}&recursive=true")]);
    let error = |message: &str| json!({ "Message": message, "Code": 0, "Type": "error" }).to_string();
    stub.answers(Answer::Body(500, error("not pinned or pinned indirectly")));
    assert_eq!(store.remove(&cid, None).await, Ok(()));
    stub.answers(Answer::Body(500, error("the repository is locked")));
    assert!(matches!(store.remove(&cid, None).await, Err(StoreFailure::Later { .. })));
}

/// A pinning service beside a node, each a stub.
async fn with_pinning_service() -> (std::sync::Arc<dyn MetadataStore>, Stub, Stub) {
    let ((node_url, node), (url, service)) = (Stub::start().await, Stub::start().await);
    let url = format!("{url}/psa");
    let store = open(&[
        "--nft-store",
        "pinning-service",
        "--ipfs-api-url",
        &node_url,
        "--ipfs-pinning-url",
        &url,
        "--ipfs-pinning-token",
        "secret",
        "--ipfs-origins",
        "/ip4/203.0.113.5/tcp/4001,/dns4/ipfs.example/tcp/4001",
    ]);
    (store.unwrap(), node, service)
}

fn status(request: &str, status: &str, cid: &str) -> Value {
    json!({ "requestid": request, "status": status, "created": "2026-11-20T12:00:00Z", "pin": { "cid": cid },
        "delegates": [] })
}

fn answer(body: &Value) -> Answer {
    Answer::Body(200, body.to_string())
}

/// The document goes to the node, the service is asked once, and then how far it is.
#[tokio::test]
async fn a_pinning_service_is_asked_once_and_then_polled() {
    let (store, node, service) = with_pinning_service().await;
    let document = document();
    node.answers(added(&document.cid));
    service.answers(answer(&json!({ "count": 0, "results": [] })));
    service.answers(Answer::Body(202, status("r-1", "queued", &document.cid).to_string()));
    assert_eq!(store.pin(&document, None).await, Ok(PinReceipt::Pending { request: "r-1".into() }));
    {
        let asked = service.asked.lock().unwrap();
        assert!(asked.iter().all(|asked| asked.headers["authorization"] == "Bearer secret"));
        let origins = ["/ip4/203.0.113.5/tcp/4001", "/dns4/ipfs.example/tcp/4001"];
        let expected = json!({ "cid": document.cid, "name": document.cid, "origins": origins });
        assert_eq!(serde_json::from_str::<Value>(&asked[1].body).unwrap(), expected);
    }
    let list = format!("GET /psa/pins?cid={}&status=queued%2Cpinning%2Cpinned", document.cid);
    assert_eq!(service.requests(), [list.clone(), "POST /psa/pins".to_owned()]);

    service.answers(answer(&status("r-1", "pinning", &document.cid)));
    assert_eq!(store.pin(&document, Some("r-1")).await, Ok(PinReceipt::Pending { request: "r-1".into() }));
    service.answers(answer(&status("r-1", "pinned", &document.cid)));
    assert_eq!(store.pin(&document, Some("r-1")).await, Ok(pinned(Some("r-1"))));
    assert_eq!(service.requests(), ["GET /psa/pins/r-1", "GET /psa/pins/r-1"]);
    assert_eq!(node.requests().len(), 1);

    // The process died before it could write down the name of the request: it is found, and not made again.
    node.answers(added(&document.cid));
    service.answers(answer(&json!({ "count": 1, "results": [status("r-1", "pinned", &document.cid)] })));
    assert_eq!(store.pin(&document, None).await, Ok(pinned(Some("r-1"))));
    assert_eq!(service.requests(), [list]);
}

#[tokio::test]
async fn a_pinning_service_that_fails_is_asked_again_or_not() {
    let (store, node, service) = with_pinning_service().await;
    let document = document();
    let poll = async |answer: Answer| {
        service.answers(answer);
        failed(store.pin(&document, Some("r-1")).await)
    };
    let refused = poll(answer(&status("r-1", "failed", &document.cid))).await;
    assert_eq!(refused, (false, "the pinning service says failed".into(), None));
    let other = cid_of(b"other");
    let refused = poll(answer(&status("r-1", "pinned", &other))).await;
    assert_eq!(refused, (false, format!("the service pins {other} in place of {}", document.cid), None));
    assert_eq!(poll(Answer::RetryAfter(429, "60")).await.2, Some(60));
    assert!(poll(Answer::Body(401, String::new())).await.0, "an operator mends the token");
    assert!(poll(Answer::Silence).await.0);
    assert!(!poll(answer(&status("../x", "pinned", &document.cid))).await.0, "no name of a request");
    service.requests();

    // The service has forgotten the request: it is made again.
    service.answers(Answer::Body(404, String::new()));
    node.answers(added(&document.cid));
    service.answers(answer(&json!({ "count": 0, "results": [] })));
    service.answers(Answer::Body(202, status("r-2", "pinned", &document.cid).to_string()));
    assert_eq!(store.pin(&document, Some("r-1")).await, Ok(pinned(Some("r-2"))));
    assert_eq!(service.requests().len(), 3);
    // Without the node there is nothing to pin.
    node.answers(Answer::Body(500, "disk".into()));
    assert!(failed(store.pin(&document, None).await).0);
    assert_eq!(service.requests(), [""; 0]);
}

#[tokio::test]
async fn what_a_pinning_service_pins_is_released_there_and_in_the_node() {
    let (store, node, service) = with_pinning_service().await;
    let cid = document().cid;
    service.answers(Answer::Body(202, String::new()));
    node.answers(Answer::Body(200, "{}".into()));
    assert_eq!(store.remove(&cid, Some("r-1")).await, Ok(()));
    assert_eq!(service.requests(), ["DELETE /psa/pins/r-1"]);
    assert_eq!(node.requests().len(), 1);
    // Of a request whose name was never written down, and one that is gone.
    service.answers(answer(&json!({ "count": 1, "results": [status("r-2", "pinning", &cid)] })));
    service.answers(Answer::Body(404, String::new()));
    node.answers(Answer::Body(200, "{}".into()));
    assert_eq!(store.remove(&cid, None).await, Ok(()));
    assert_eq!(service.requests()[1], "DELETE /psa/pins/r-2");
    service.answers(Answer::Body(500, String::new()));
    assert!(store.remove(&cid, Some("r-1")).await.is_err());
}

#[test]
fn settings_that_lead_nowhere_are_refused() {
    for (arguments, words) in [
        (&["--nft-store", "pinning-service"][..], "IPFS_PINNING_URL"),
        (&["--nft-store", "pinning-service", "--ipfs-pinning-url", "http://x/"][..], "IPFS_PINNING_TOKEN"),
        (&["--public-url", "ftp://x"][..], "no address"),
        (&["--public-url", "https://x/?y"][..], "no address"),
        (&["--nft-store", "floppy"][..], "invalid value"),
    ] {
        let Err(refusal) = open(arguments) else { panic!("{arguments:?} were taken") };
        assert!(refusal.to_string().contains(words), "{refusal}");
    }
}
