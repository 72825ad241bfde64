//! A TCP proxy before a server, so that a test can take the server away from the service and give it back.
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the connections through it are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    /// There are none, and new ones end at once.
    Cut,
    /// What is sent arrives; instead of the first answer the connection ends.
    Unanswered,
    /// Nothing arrives any more, and no error is reported: a network that swallows packets. A connection stays so.
    Mute,
}

/// A proxy; dropping it ends its connections.
pub struct Link {
    state: watch::Sender<State>,
    _connections: JoinSet<()>,
}

impl Link {
    /// An open link to the server of a URL, and the URL that goes through it.
    pub async fn before(url: &SecretString) -> (Self, SecretString) {
        let mut url: Url = url.expose_secret().parse().unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let state = watch::Sender::new(State::Open);
        let mut connections = JoinSet::new();
        let link = state.subscribe();
        connections.spawn(async move {
            let mut carried = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                carried.spawn(carry(client, server.clone(), link.clone()));
            }
        });
        (Self { state, _connections: connections }, String::from(url).into())
    }

    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn carry(client: TcpStream, server: (String, u16), mut link: watch::Receiver<State>) {
    if *link.borrow() == State::Cut {
        return;
    }
    let server = TcpStream::connect(server).await.unwrap();
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = pump(from_client, to_server, link.clone(), false) => {}
        () = pump(from_server, to_client, link.clone(), true) => {}
        _ = link.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, link: watch::Receiver<State>, answers: bool) {
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        let state = *link.borrow();
        match state {
            State::Mute => std::future::pending().await,
            State::Unanswered if answers => return,
            _ => {}
        }
        if to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}
