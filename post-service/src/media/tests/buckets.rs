//! A bucket for tests: a server of S3 in the process of the test, which can fail.
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::http::{Method, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::SERVICE;
use crate::core::testing::Platform;

/// What becomes of a write that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with a refusal.
    Refused,
    /// It is never answered, and its caller is killed meanwhile.
    Killed,
}

/// The next fault of a bucket.
#[derive(Default)]
pub struct Faults {
    /// How many writes succeed before; below zero: there is none.
    writes_before: AtomicI64,
    is_silent: AtomicI64,
    /// Notified when one has come that is not answered.
    pub came: Notify,
}

impl Faults {
    /// Lets that many writes succeed, and the next one fail.
    pub fn fail_after(&self, writes: i64, fault: Fault) {
        self.is_silent.store((fault == Fault::Killed).into(), Ordering::SeqCst);
        self.writes_before.store(writes, Ordering::SeqCst);
    }

    /// Lets all writes succeed; true when one has failed.
    pub fn end(&self) -> bool {
        self.writes_before.swap(-1, Ordering::SeqCst) < 0
    }

    /// Whether this write fails.
    fn fails(&self) -> bool {
        let count = |left: i64| (left >= 0).then_some(left - 1);
        self.writes_before.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count) == Ok(0)
    }
}

/// A server of S3 with one bucket.
pub struct Bucket {
    /// Where its objects are.
    pub folder: TempDir,
    pub faults: Arc<Faults>,
    /// The settings that lead to it.
    pub settings: Vec<String>,
}

impl Bucket {
    /// Starts a server.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pictures")).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single("test-key", "test-secret"));
        let store = builder.build();
        let faults = Arc::new(Faults { writes_before: AtomicI64::new(-1), ..Faults::default() });
        let known = faults.clone();
        let service = tower::service_fn(move |request: axum::http::Request<hyper::body::Incoming>| {
            let (store, faults) = (store.clone(), known.clone());
            async move {
                if matches!(*request.method(), Method::PUT | Method::POST) && faults.fails() {
                    if faults.is_silent.load(Ordering::SeqCst) == 1 {
                        faults.came.notify_one();
                        std::future::pending::<()>().await;
                    }
                    let refusal = axum::http::Response::builder().status(StatusCode::FORBIDDEN);
                    return Ok(refusal.body(s3s::Body::empty()).unwrap());
                }
                store.oneshot(request).await
            }
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("--media-s3-endpoint=http://{}", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "a server of the test, which ends with it")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = TowerToHyperService::new(service.clone());
                tokio::spawn(async move {
                    auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
                });
            }
        });
        let access = ["--media-s3-access-key-id=test-key", "--media-s3-secret-access-key=test-secret"];
        let settings = ["--media-store=s3://pictures", access[0], access[1], &endpoint].map(str::to_owned).into();
        Self { folder, faults, settings }
    }

    /// Starts a server, and a platform whose pictures are in it.
    pub async fn start_platform(database: PgConnectOptions, more: &[&str]) -> (Platform, Self) {
        let bucket = Self::start().await;
        let settings: Vec<&str> = bucket.settings.iter().map(String::as_str).chain(more.iter().copied()).collect();
        (Platform::start(&SERVICE, database, &settings).await, bucket)
    }

    /// The file in which the server has what was written for an upload.
    pub fn incoming(&self, upload: &str) -> std::path::PathBuf {
        self.folder.path().join("pictures/incoming").join(upload.replace('-', ""))
    }
}
