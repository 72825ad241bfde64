//! Messages of Postgres's protocol, as far as a pooler has to read them.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

/// The largest body that is read.
const LARGEST: usize = 256 * 1024 * 1024;
/// The length counts itself.
const LENGTH: usize = 4;

pub const BIND: u8 = b'B';
pub const CLOSE: u8 = b'C';
pub const DESCRIBE: u8 = b'D';
pub const PARSE: u8 = b'P';
pub const QUERY: u8 = b'Q';
pub const SYNC: u8 = b'S';
pub const TERMINATE: u8 = b'X';

pub const AUTHENTICATION: u8 = b'R';
pub const CLOSE_COMPLETE: u8 = b'3';
pub const ERROR: u8 = b'E';
pub const PARSE_COMPLETE: u8 = b'1';
pub const READY: u8 = b'Z';

/// A connection, to a client or to the server.
pub type PgStream = BufStream<TcpStream>;

/// A message after the start of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgMessage {
    pub kind: u8,
    /// What follows the length.
    pub body: Vec<u8>,
}

impl PgMessage {
    pub fn new(kind: u8, body: Vec<u8>) -> PgMessage {
        PgMessage { kind, body }
    }

    /// A refusal, after which the connection ends.
    pub fn refusal(text: &str) -> PgMessage {
        PgMessage::new(ERROR, ["SFATAL\0VFATAL\0C08P01\0M", text, "\0\0"].concat().into_bytes())
    }

    pub async fn read(stream: &mut PgStream) -> io::Result<PgMessage> {
        let kind = stream.read_u8().await?;
        Ok(PgMessage { kind, body: read_body(stream).await? })
    }

    /// Writes it to the buffer of a connection.
    pub async fn write(&self, stream: &mut PgStream) -> io::Result<()> {
        stream.write_u8(self.kind).await?;
        write_body(stream, &self.body).await
    }
}

/// A length and as many bytes: all of the message that starts a connection, and of others what follows the kind.
pub async fn read_body(stream: &mut PgStream) -> io::Result<Vec<u8>> {
    let length = usize::try_from(stream.read_u32().await?).ok().and_then(|length| length.checked_sub(LENGTH));
    let length = length.filter(|length| *length <= LARGEST).ok_or(io::ErrorKind::InvalidData)?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

/// Writes such a length and bytes.
pub async fn write_body(stream: &mut PgStream, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + LENGTH).map_err(|_| io::ErrorKind::InvalidData)?;
    stream.write_u32(length).await?;
    stream.write_all(body).await
}

/// What comes before the first zero, and what after it.
pub fn split(body: &[u8]) -> (&[u8], &[u8]) {
    let end = body.iter().position(|byte| *byte == 0).unwrap_or(body.len());
    (&body[..end], body.get(end + 1..).unwrap_or_default())
}

/// The parameters of a start, names and values.
pub fn parameters(mut body: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut parameters = Vec::new();
    loop {
        let (name, rest) = split(body);
        if name.is_empty() {
            return parameters;
        }
        let (value, rest) = split(rest);
        parameters.push((text(name), text(value)));
        body = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_a_start_are_read() {
        let all = parameters(b"user\0post\0application_name\0post 1\0empty\0\0\0");
        let expected = [("user", "post"), ("application_name", "post 1"), ("empty", "")];
        assert_eq!(all, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(parameters(b"user"), [("user".to_owned(), String::new())], "what is cut off is no panic");
    }
}
