//! The way to a running launcher: a Unix socket in its data folder, in a folder that only its owner may open.
//!
//! A caller sends one line, the request, and gets lines until the last one is the outcome. Where the lines end without an
//! outcome, the launcher has ended. Requests are taken one at a time; the next ones wait.

use std::fs;
use std::future::pending;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::host::console;
use crate::servers::folder::Folder;

/// The folder of the socket, and its name.
const FOLDER: &str = "control";
const SOCKET: &str = "launcher";
/// How long a caller may take for its request, and for reading a line of the answer.
const CALLER_TIMEOUT: Duration = Duration::from_secs(2);

/// What a launcher can be asked for.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Replace the processes of these services one by one; of all, where none is named. By the binaries of a folder, or by new ones.
    Roll {
        services: Vec<String>,
        #[serde(default)]
        from: Option<PathBuf>,
    },
}

/// A line of the answer.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// What was done meanwhile.
    Progress(String),
    /// The request is carried out.
    Done(String),
    /// It is not, and why.
    Failed(String),
}

/// The launcher's end.
#[derive(Debug)]
pub struct Control(Option<UnixListener>);

impl Control {
    /// Listens in the folder. Where that cannot be, as where its path is longer than a socket's may be, a warning says so.
    pub fn open(folder: &Folder) -> Control {
        let listener = listen(folder).inspect_err(|error| {
            console::info(format_args!("warning: {error:#}; `cargo stack roll` will not reach this platform"));
        });
        Control(listener.ok())
    }

    /// The next request that can be understood, and who waits for its outcome.
    pub async fn next(&self) -> Result<(Request, Caller)> {
        let Some(listener) = &self.0 else { return pending().await };
        loop {
            let (stream, _) = listener.accept().await.context("no request can be accepted")?;
            let mut caller = Caller(BufReader::new(stream));
            let mut line = String::new();
            // A caller that sends nothing keeps others waiting for no longer than this.
            let Ok(Ok(_)) = timeout(CALLER_TIMEOUT, caller.0.read_line(&mut line)).await else { continue };
            match serde_json::from_str(&line) {
                Ok(request) => return Ok((request, caller)),
                Err(error) => caller.reply(&Reply::Failed(format!("the request is not known here: {error}"))).await,
            }
        }
    }
}

fn listen(folder: &Folder) -> Result<UnixListener> {
    let path = folder.private(FOLDER)?.join(SOCKET);
    // One of a launcher that was killed: the folder is ours now.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be deleted", path.display()))
        }
        _ => UnixListener::bind(&path).with_context(|| format!("{} cannot be listened at", path.display())),
    }
}

/// The caller that has sent a request.
#[derive(Debug)]
pub struct Caller(BufReader<UnixStream>);

impl Caller {
    /// Sends a line. A caller that has left misses it, and what it asked for goes on.
    pub async fn reply(&mut self, reply: &Reply) {
        let line = serde_json::to_string(reply).unwrap_or_default() + "\n";
        drop(timeout(CALLER_TIMEOUT, self.0.write_all(line.as_bytes())).await);
    }
}

/// Sends a request to the launcher of a folder, and shows what it reports until the outcome.
pub async fn ask(folder: &Path, request: &Request) -> Result<()> {
    let path = folder.join(FOLDER).join(SOCKET);
    let stream = UnixStream::connect(&path).await;
    let mut stream = stream.with_context(|| {
        format!("the launcher of {} takes no requests, as long as its platform is starting", folder.display())
    })?;
    stream.write_all((serde_json::to_string(request)? + "\n").as_bytes()).await?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line).with_context(|| format!("the launcher has sent {line}"))? {
            Reply::Progress(what) => console::show(what),
            Reply::Done(what) => {
                console::show(what);
                return Ok(());
            }
            Reply::Failed(why) => return Err(anyhow!(why)),
        }
    }
    bail!("the launcher has ended before it was done; its terminal says why")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        (home, folder)
    }

    #[tokio::test]
    async fn a_request_gets_its_outcome_and_a_launcher_that_ends_gives_none() {
        let (_home, folder) = folder();
        let control = Control::open(&folder);
        let request = Request::Roll { services: vec!["post-service".to_owned()], from: Some("/before".into()) };
        for (replies, outcome) in [
            (vec![Reply::Progress("one".to_owned()), Reply::Done("all".to_owned())], Ok(())),
            (vec![Reply::Failed("it ended".to_owned())], Err("it ended")),
            (vec![], Err("the launcher has ended before it was done; its terminal says why")),
        ] {
            let answer = async {
                let (asked, mut caller) = control.next().await.unwrap();
                assert_eq!(asked, request);
                for reply in &replies {
                    caller.reply(reply).await;
                }
            };
            let (asked, ()) = tokio::join!(ask(folder.path(), &request), answer);
            assert_eq!(asked.map_err(|error| error.to_string()), outcome.map_err(str::to_owned));
        }
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_and_the_next_one_is_taken() {
        let (_home, folder) = folder();
        let control = Control::open(&folder);
        let callers = async {
            let mut stream = UnixStream::connect(folder.path().join("control/launcher")).await.unwrap();
            stream.write_all(b"dance\n").await.unwrap();
            let refused = BufReader::new(stream).lines().next_line().await.unwrap().unwrap();
            assert!(refused.contains("the request is not known here"), "{refused}");
            ask(folder.path(), &Request::Roll { services: vec![], from: None }).await.unwrap_err()
        };
        let (error, taken) = tokio::join!(callers, async {
            let (request, caller) = control.next().await.unwrap();
            drop(caller);
            request
        });
        assert_eq!(taken, Request::Roll { services: vec![], from: None });
        assert!(error.to_string().starts_with("the launcher has ended"), "{error}");
    }

    #[tokio::test]
    async fn the_socket_of_a_killed_launcher_is_in_nobodys_way() {
        let (_home, folder) = folder();
        drop(Control::open(&folder));
        assert!(folder.path().join("control/launcher").exists());
        let request = Request::Roll { services: vec![], from: None };
        let error = ask(folder.path(), &request).await.unwrap_err().to_string();
        assert!(error.ends_with("takes no requests, as long as its platform is starting"), "{error}");
        assert!(Control::open(&folder).0.is_some());
    }
}
