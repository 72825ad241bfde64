//! The links that end mails: made, and read again.
use std::sync::Arc;

use axum::extract::FromRef;
use axum::http::Uri;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use clap::Args;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

use super::Scope;
use crate::core::app::App;
use crate::core::ground::settings::Environment;
use crate::notifications::Type;
use crate::preferences::TYPES;

/// The secret of development. It is public, and production refuses it; links that it signed survive a restart.
const DEVELOPMENT_SECRET: &str = "development: links that end mails";
/// What is hashed before a token: the same secret signs nothing else by chance.
const PURPOSE: &[u8] = b"unsubscribe v1";
/// Bytes of what a token says: an id, and which mails.
const SAID: usize = 16 + 1;
/// Bytes of the hash behind it: all of SHA-256.
const SIGNED: usize = SAID + 32;

/// Settings of links in mails.
#[derive(Args, Clone, Debug)]
pub struct LinkSettings {
    /// Where people reach this service, for links in mails: scheme and host, a path prefix if there is one
    #[arg(long, env = "PUBLIC_URL", default_value = "http://127.0.0.1:8004", value_parser = public_url)]
    pub public_url: String,

    /// What signs the links that end mails; another one makes those in mails that were sent useless
    #[arg(long, env = "UNSUBSCRIBE_SECRET", hide_env_values = true, hide_default_value = true, default_value = DEVELOPMENT_SECRET)]
    pub unsubscribe_secret: SecretString,
}

fn public_url(text: &str) -> Result<String, String> {
    let uri: Uri = text.parse().map_err(|cause: axum::http::uri::InvalidUri| cause.to_string())?;
    if uri.scheme().is_none() || uri.host().is_none() {
        return Err("a URL with scheme and host is needed".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Makes and reads the links that end mails.
#[derive(Clone)]
pub struct UnsubscribeLinks {
    public_url: Arc<str>,
    key: Hmac<Sha256>,
}

impl UnsubscribeLinks {
    /// The links that the settings name. Refuses, in production, a secret that is public or could be guessed.
    pub fn new(settings: &LinkSettings, environment: Environment) -> anyhow::Result<Self> {
        let secret = settings.unsubscribe_secret.expose_secret();
        environment.check_secret("UNSUBSCRIBE_SECRET", secret)?;
        let mut key = Hmac::new_from_slice(secret.as_bytes())?;
        key.update(PURPOSE);
        Ok(Self { public_url: settings.public_url.as_str().into(), key })
    }

    /// The address at which a user ends these mails.
    pub fn url(&self, user: Uuid, scope: Scope) -> String {
        format!("{}/api/v1/notifications/unsubscribe?token={}", self.public_url, self.token(user, scope))
    }

    /// The right to end these mails of a user, as a text of letters, digits, `-` and `_`.
    pub fn token(&self, user: Uuid, scope: Scope) -> String {
        let mut bytes = user.as_bytes().to_vec();
        bytes.push(code(scope));
        let hash = self.key.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend(hash);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whose mails a token ends, and which; none when this service did not make it.
    pub fn read(&self, token: &str) -> Option<(Uuid, Scope)> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == SIGNED)?;
        let (said, hash) = bytes.split_at(SAID);
        self.key.clone().chain_update(said).verify_slice(hash).ok()?;
        let (user, scope) = said.split_last_chunk::<1>()?;
        Some((Uuid::from_slice(user).ok()?, scope_of(scope[0])?))
    }
}

/// What the handlers of these links have.
#[derive(Clone)]
pub struct LinkState {
    pub app: App,
    pub links: UnsubscribeLinks,
}

impl FromRef<LinkState> for App {
    fn from_ref(state: &LinkState) -> Self {
        state.app.clone()
    }
}

/// The byte of a token that says which mails. It stands in mails that were sent: a number is never given to something else.
fn code(scope: Scope) -> u8 {
    match scope {
        Scope::All => 0,
        Scope::Digest => 1,
        Scope::Type(Type::PostReactionReceived) => 2,
        Scope::Type(Type::PostCommentReceived) => 3,
        Scope::Type(Type::ConnectionRecommendation) => 4,
        Scope::Type(Type::PostRecommendation) => 5,
        Scope::Type(Type::SystemMessage) => 6,
        Scope::Type(Type::ProfileActivity) => 7,
        Scope::Type(Type::UserConnected) => 8,
        Scope::Type(Type::UserMentioned) => 9,
        Scope::Type(Type::CommentReply) => 10,
        Scope::Type(Type::CommentReactionReceived) => 11,
        Scope::Recommendations => 12,
    }
}

fn scope_of(byte: u8) -> Option<Scope> {
    let scopes = [Scope::All, Scope::Digest, Scope::Recommendations].into_iter().chain(TYPES.map(Scope::Type));
    scopes.into_iter().find(|scope| code(*scope) == byte)
}
