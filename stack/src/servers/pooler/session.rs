//! A session of Postgres that is lent for one transaction after another. What its borrowers prepare is kept in it under names
//! of its own, and prepared again for one who has prepared it in another session.

use std::collections::{HashMap, VecDeque};
use std::io;

use tokio::io::AsyncWriteExt;
use tokio::sync::OwnedSemaphorePermit;

use crate::servers::pooler::messages::{
    BIND, CLOSE, CLOSE_COMPLETE, DESCRIBE, ERROR, PARSE, PARSE_COMPLETE, PgMessage, PgStream, QUERY, READY, SYNC, split,
};

/// What a client has prepared, by its name for it: the query and the types of its parameters, as they are sent.
pub type Statements = HashMap<Vec<u8>, Vec<u8>>;

/// What becomes of the answer to a message that prepares or closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Pass,
    /// The message was the pooler's own.
    Swallow,
    /// The client had prepared what was there already.
    PassAsPrepared,
}

/// A session of the server.
#[derive(Debug)]
pub struct PooledSession {
    stream: PgStream,
    /// The application that it was lent to.
    application: String,
    /// The names of what is prepared in it.
    prepared: HashMap<Vec<u8>, String>,
    /// How many names were given.
    names: u64,
    /// What was prepared since the server was last ready: an error says that it may not be there.
    unconfirmed: Vec<Vec<u8>>,
    due: VecDeque<Due>,
    _place: OwnedSemaphorePermit,
}

impl PooledSession {
    pub fn new(stream: PgStream, place: OwnedSemaphorePermit) -> PooledSession {
        PooledSession {
            stream,
            application: String::new(),
            prepared: HashMap::new(),
            names: 0,
            unconfirmed: Vec::new(),
            due: VecDeque::new(),
            _place: place,
        }
    }

    /// Whether the server has sent nothing while nothing was asked of it: what it sends then is that it ends the session.
    pub fn is_quiet(&self) -> bool {
        let read = self.stream.get_ref().try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Returns when the server ends it.
    pub async fn ended(&self) {
        while self.stream.get_ref().readable().await.is_ok() && self.is_quiet() {}
    }

    /// Shows the server who uses it.
    pub async fn lend(&mut self, application: &str) -> io::Result<()> {
        if self.application == application {
            return Ok(());
        }
        application.clone_into(&mut self.application);
        let quoted = application.replace('\'', "''");
        self.query(&format!("set application_name = '{quoted}'")).await?;
        self.until_ready().await
    }

    /// Ends what a client that is gone has left half done.
    pub async fn reset(&mut self) -> io::Result<()> {
        PgMessage::new(SYNC, Vec::new()).write(&mut self.stream).await?;
        self.query("rollback").await?;
        self.until_ready().await?;
        self.until_ready().await
    }

    async fn query(&mut self, text: &str) -> io::Result<()> {
        PgMessage::new(QUERY, [text.as_bytes(), b"\0"].concat()).write(&mut self.stream).await?;
        self.stream.flush().await
    }

    async fn until_ready(&mut self) -> io::Result<()> {
        while self.receive().await?.is_none_or(|answer| answer.kind != READY) {}
        Ok(())
    }

    /// Passes on a message of a client; what it names is prepared here first, if it is not.
    pub async fn send(&mut self, mut message: PgMessage, statements: &mut Statements) -> io::Result<()> {
        let is_of_statement = message.body.first() == Some(&b'S');
        match message.kind {
            PARSE => {
                let (name, statement) = split(&message.body);
                let mut due = Due::Pass;
                if !name.is_empty() {
                    statements.insert(name.to_vec(), statement.to_vec());
                    if self.prepared.contains_key(statement) {
                        due = Due::PassAsPrepared;
                        message = close_nothing();
                    } else {
                        message = self.parse(statement).1;
                    }
                }
                self.due.push_back(due);
            }
            BIND => {
                let (portal, rest) = split(&message.body);
                let (name, rest) = split(rest);
                if let Some(statement) = statements.get(name) {
                    let name = self.prepare(statement).await?;
                    message.body = [portal, b"\0", name.as_bytes(), b"\0", rest].concat();
                }
            }
            DESCRIBE if is_of_statement => {
                if let Some(statement) = statements.get(split(&message.body[1..]).0) {
                    let name = self.prepare(statement).await?;
                    message.body = format!("S{name}\0").into_bytes();
                }
            }
            CLOSE => {
                // Another client may use it.
                if is_of_statement && statements.remove(split(&message.body[1..]).0).is_some() {
                    message = close_nothing();
                }
                self.due.push_back(Due::Pass);
            }
            _ => {}
        }
        message.write(&mut self.stream).await
    }

    pub async fn flush(&mut self) -> io::Result<()> {
        self.stream.flush().await
    }

    /// The name of what a client has prepared, in any session.
    async fn prepare(&mut self, statement: &[u8]) -> io::Result<String> {
        if let Some(name) = self.prepared.get(statement) {
            return Ok(name.clone());
        }
        let (name, message) = self.parse(statement);
        self.due.push_back(Due::Swallow);
        message.write(&mut self.stream).await?;
        Ok(name)
    }

    /// A name for a statement, and the message that prepares it.
    fn parse(&mut self, statement: &[u8]) -> (String, PgMessage) {
        let name = format!("pooled_{}", self.names);
        self.names += 1;
        self.unconfirmed.push(statement.to_vec());
        self.prepared.insert(statement.to_vec(), name.clone());
        let body = [name.as_bytes(), b"\0", statement].concat();
        (name, PgMessage::new(PARSE, body))
    }

    /// The next answer, unless it is for the pooler.
    pub async fn receive(&mut self) -> io::Result<Option<PgMessage>> {
        let mut answer = PgMessage::read(&mut self.stream).await?;
        match answer.kind {
            PARSE_COMPLETE | CLOSE_COMPLETE => match self.due.pop_front() {
                Some(Due::Swallow) => return Ok(None),
                Some(Due::PassAsPrepared) => answer.kind = PARSE_COMPLETE,
                Some(Due::Pass) | None => {}
            },
            ERROR => {
                for statement in self.unconfirmed.drain(..) {
                    self.prepared.remove(&statement);
                }
            }
            READY => {
                self.due.clear();
                self.unconfirmed.clear();
            }
            _ => {}
        }
        Ok(Some(answer))
    }
}

/// Closes a statement that is not there, which the server confirms.
fn close_nothing() -> PgMessage {
    PgMessage::new(CLOSE, b"Snothing\0".to_vec())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use tokio::io::BufStream;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Semaphore;

    use super::*;

    /// A session, and the server at its other end.
    async fn session() -> (PooledSession, PgStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        (PooledSession::new(BufStream::new(stream), place), BufStream::new(listener.accept().await.unwrap().0))
    }

    fn message(kind: u8, body: &str) -> PgMessage {
        PgMessage::new(kind, body.as_bytes().to_vec())
    }

    /// What arrives at the server.
    async fn arrived(server: &mut PgStream, count: usize) -> Vec<PgMessage> {
        let mut messages = Vec::new();
        for _ in 0..count {
            messages.push(PgMessage::read(server).await.unwrap());
        }
        messages
    }

    async fn answer(server: &mut PgStream, kinds: &[u8]) {
        for kind in kinds {
            message(*kind, "").write(server).await.unwrap();
        }
        server.flush().await.unwrap();
    }

    #[tokio::test]
    async fn what_was_prepared_in_another_session_is_prepared_again() {
        let (mut session, mut server) = session().await;
        let mut statements = Statements::from([(b"s1".to_vec(), b"select 1\0types".to_vec())]);
        session.send(message(BIND, "\0s1\0values"), &mut statements).await.unwrap();
        session.flush().await.unwrap();
        let expected = [message(PARSE, "pooled_0\0select 1\0types"), message(BIND, "\0pooled_0\0values")];
        assert_eq!(arrived(&mut server, 2).await, expected);
        answer(&mut server, &[PARSE_COMPLETE, b'2']).await;
        assert_eq!(session.receive().await.unwrap(), None, "the client has not asked for it");
        assert_eq!(session.receive().await.unwrap(), Some(message(b'2', "")));
    }

    #[tokio::test]
    async fn what_another_client_has_prepared_is_prepared_once() {
        let (mut session, mut server) = session().await;
        let (mut one, mut other) = (Statements::new(), Statements::new());
        session.send(message(PARSE, "s1\0select 1\0"), &mut one).await.unwrap();
        session.send(message(PARSE, "s7\0select 1\0"), &mut other).await.unwrap();
        session.send(message(DESCRIBE, "Ss7\0"), &mut other).await.unwrap();
        session.flush().await.unwrap();
        let expected =
            [message(PARSE, "pooled_0\0select 1\0"), message(CLOSE, "Snothing\0"), message(DESCRIBE, "Spooled_0\0")];
        assert_eq!(arrived(&mut server, 3).await, expected);
        answer(&mut server, &[PARSE_COMPLETE, CLOSE_COMPLETE]).await;
        for _ in 0..2 {
            assert_eq!(session.receive().await.unwrap(), Some(message(PARSE_COMPLETE, "")));
        }
    }

    #[tokio::test]
    async fn what_failed_is_not_taken_for_prepared() {
        let (mut session, mut server) = session().await;
        let mut statements = Statements::new();
        for name in ["pooled_0", "pooled_1"] {
            session.send(message(PARSE, "s1\0select\0"), &mut statements).await.unwrap();
            session.flush().await.unwrap();
            assert_eq!(arrived(&mut server, 1).await, [message(PARSE, &format!("{name}\0select\0"))]);
            answer(&mut server, &[ERROR, READY]).await;
            session.until_ready().await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_end_of_a_session_is_noticed() {
        let (session, server) = session().await;
        assert!(session.is_quiet());
        drop(server);
        session.ended().await;
        assert!(!session.is_quiet());
    }
}
