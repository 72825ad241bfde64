//! A transaction pooler before Postgres, as strict as the strictest: each transaction gets the session that has rested longest,
//! so that hardly two of a client have the same one, and there are fewer sessions than the pools of two replicas have connections.
//!
//! It keeps `PgBouncer`'s contract: parameters at the start are refused but for the few that it knows, the name of the application is
//! passed on, statements that were prepared are known in every session, and nothing else of a session outlives a transaction.
//! Debian 12 has `PgBouncer` 1.18, which knows no prepared statements (1.21 does), and so no client that prepares what it executes in
//! a message of its own. It knows no passwords: what a client and the server say until the client is let in passes through.

mod messages;
mod session;

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Url;
use tokio::io::{AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use messages::{
    AUTHENTICATION, ERROR, PgMessage, PgStream, QUERY, READY, SYNC, TERMINATE, parameters, read_body, write_body,
};
use session::{PooledSession, Statements};

/// Sessions per role and database.
const SESSIONS: usize = 8;
/// How long a transaction waits for one.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);
/// What a client may say at the start.
const ACCEPTED: [&str; 6] = ["user", "database", "client_encoding", "DateStyle", "TimeZone", APPLICATION];
const APPLICATION: &str = "application_name";
/// The codes with which a connection starts.
const PROTOCOL: u32 = 0x0003_0000;
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
/// What the server says of authentication that wants no answer: that it is done, and SASL's last word.
const NOT_QUESTIONS: [&[u8]; 2] = [&[0, 0, 0, 0], &[0, 0, 0, 12]];
/// A server that is ready and in no transaction.
const RESTING: &[u8] = b"I";

/// The pooler; dropping it ends its connections.
#[derive(Debug)]
pub struct Pooler {
    pub port: u16,
    _listening: JoinSet<()>,
}

impl Pooler {
    /// Listens on a free port for a server on 127.0.0.1, which may not run yet.
    pub async fn before(server: &Url) -> Result<Pooler> {
        let server = server.port().context("Postgres has no port")?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("the pooler finds no port")?;
        let port = listener.local_addr().context("the pooler's port is not known")?.port();
        let mut listening = JoinSet::new();
        listening.spawn(listen(listener, Arc::new(Pools { server, of: Mutex::default() })));
        Ok(Pooler { port, _listening: listening })
    }
}

async fn listen(listener: TcpListener, pools: Arc<Pools>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // An error is that of a client which has left already.
                if let Ok((client, _)) = accepted {
                    let pools = pools.clone();
                    // What goes wrong shows at both ends as a connection that ends.
                    connections.spawn(async move { pools.serve(client).await.unwrap_or_default() });
                }
            }
        }
    }
}

/// The sessions of one role in one database.
#[derive(Debug)]
struct SessionPool {
    places: Arc<Semaphore>,
    given_back: mpsc::UnboundedSender<PooledSession>,
    /// Those that rest, in the order in which they were given back.
    resting: tokio::sync::Mutex<mpsc::UnboundedReceiver<PooledSession>>,
}

impl SessionPool {
    fn new() -> SessionPool {
        let (given_back, resting) = mpsc::unbounded_channel();
        SessionPool { places: Arc::new(Semaphore::new(SESSIONS)), given_back, resting: resting.into() }
    }

    /// Adds the session by which a client was let in, where there is room for it.
    async fn add(&self, mut session: PgStream) -> io::Result<()> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            self.give_back(PooledSession::new(session, place));
            return Ok(());
        }
        PgMessage::new(TERMINATE, Vec::new()).write(&mut session).await?;
        session.flush().await
    }

    fn give_back(&self, session: PooledSession) {
        // The receiver is as old as the sender.
        self.given_back.send(session).unwrap_or_default();
    }

    /// The session that has rested longest and still lives.
    async fn take(&self, application: &str) -> io::Result<PooledSession> {
        let taken = timeout(WAIT_TIMEOUT, async {
            let mut resting = self.resting.lock().await;
            // Where none is left, none will come back: a client that connects again brings one.
            while self.places.available_permits() < SESSIONS {
                match resting.recv().await {
                    Some(session) if !session.is_quiet() => {}
                    found => return found,
                }
            }
            None
        });
        let mut session = taken.await?.ok_or(io::ErrorKind::NotConnected)?;
        session.lend(application).await?;
        Ok(session)
    }
}

/// All sessions, by role and database.
#[derive(Debug)]
struct Pools {
    /// The port of Postgres.
    server: u16,
    of: Mutex<HashMap<(String, String), Arc<SessionPool>>>,
}

impl Pools {
    /// Serves a client until it leaves, or a session ends that it uses.
    async fn serve(&self, client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut client = BufStream::new(client);
        let Some(start) = read_start(&mut client).await? else { return Ok(()) };
        let Some((pool, application)) = self.let_in(&mut client, &start).await? else { return Ok(()) };
        let mut statements = Statements::new();
        loop {
            let first = PgMessage::read(&mut client).await?;
            if first.kind == TERMINATE {
                return Ok(());
            }
            let mut session = pool.take(&application).await?;
            match transact(&mut client, first, &mut session, &mut statements).await {
                Ok(()) => pool.give_back(session),
                Err(Broken::Session(error)) => {
                    // The server may have said why.
                    client.flush().await?;
                    return Err(error);
                }
                Err(Broken::Client(error)) => {
                    session.reset().await?;
                    pool.give_back(session);
                    return Err(error);
                }
            }
        }
    }

    /// Connects to the server as the client would; its pool and the name of its application, unless it was refused.
    async fn let_in(&self, client: &mut PgStream, start: &[u8]) -> io::Result<Option<(Arc<SessionPool>, String)>> {
        let said = parameters(start);
        if let Some((name, _)) = said.iter().find(|(name, _)| !ACCEPTED.contains(&name.as_str())) {
            PgMessage::refusal(&format!("unsupported startup parameter: {name}")).write(client).await?;
            client.flush().await?;
            return Ok(None);
        }
        let mut body = PROTOCOL.to_be_bytes().to_vec();
        for (name, value) in said.iter().filter(|(name, _)| name != APPLICATION) {
            body.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
        }
        body.push(0);
        let session = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server)).await?;
        session.set_nodelay(true)?;
        let mut session = BufStream::new(session);
        write_body(&mut session, &body).await?;
        session.flush().await?;
        loop {
            let answer = PgMessage::read(&mut session).await?;
            answer.write(client).await?;
            client.flush().await?;
            match answer.kind {
                ERROR => return Ok(None),
                READY => break,
                AUTHENTICATION if !NOT_QUESTIONS.contains(&&answer.body[..answer.body.len().min(4)]) => {
                    PgMessage::read(client).await?.write(&mut session).await?;
                    session.flush().await?;
                }
                _ => {}
            }
        }
        let value = |wanted: &str| {
            let found = said.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let pool = {
            let mut pools = self.of.lock().unwrap_or_else(PoisonError::into_inner);
            let role = (value("user"), value("database"));
            pools.entry(role).or_insert_with(|| Arc::new(SessionPool::new())).clone()
        };
        pool.add(session).await?;
        Ok(Some((pool, value(APPLICATION))))
    }
}

/// What a client says at its start; none when it only wants to cancel a query, which it cannot.
async fn read_start(client: &mut PgStream) -> io::Result<Option<Vec<u8>>> {
    loop {
        let body = read_body(client).await?;
        match body.split_first_chunk().map(|(code, rest)| (u32::from_be_bytes(*code), rest)) {
            Some((SSL_REQUEST | GSS_REQUEST, _)) => {
                client.write_all(b"N").await?;
                client.flush().await?;
            }
            Some((PROTOCOL, rest)) => return Ok(Some(rest.to_vec())),
            _ => return Ok(None),
        }
    }
}

/// Which end of a transaction is gone.
enum Broken {
    Client(io::Error),
    Session(io::Error),
}

/// Carries one transaction, from its first message until the server rests.
async fn transact(
    client: &mut PgStream,
    first: PgMessage,
    session: &mut PooledSession,
    statements: &mut Statements,
) -> Result<(), Broken> {
    let mut message = first;
    loop {
        // All that a client sends before it waits for an answer.
        loop {
            let is_last = matches!(message.kind, SYNC | QUERY);
            session.send(message, statements).await.map_err(Broken::Session)?;
            if is_last {
                break;
            }
            message = PgMessage::read(client).await.map_err(Broken::Client)?;
        }
        session.flush().await.map_err(Broken::Session)?;
        if answer(client, session).await?.body == RESTING {
            return Ok(());
        }
        message = tokio::select! {
            message = PgMessage::read(client) => message.map_err(Broken::Client)?,
            // A client that stands still must not keep the place of a session that was ended for it.
            () = session.ended() => return Err(Broken::Session(io::ErrorKind::ConnectionAborted.into())),
        };
        if message.kind == TERMINATE {
            return Err(Broken::Client(io::ErrorKind::ConnectionAborted.into()));
        }
    }
}

/// Passes on answers until the server is ready; what it says then. A client that is gone does not keep it from being ready.
async fn answer(client: &mut PgStream, session: &mut PooledSession) -> Result<PgMessage, Broken> {
    let mut gone = None;
    loop {
        let Some(answer) = session.receive().await.map_err(Broken::Session)? else { continue };
        if gone.is_none() {
            gone = answer.write(client).await.err();
        }
        if answer.kind == READY {
            let gone = gone.or(client.flush().await.err());
            return gone.map_or(Ok(answer), |error| Err(Broken::Client(error)));
        }
    }
}
