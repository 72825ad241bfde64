//! Everything that the auth service can be told from outside.
use std::path::PathBuf;

use axum::http::Uri;
use clap::{Parser, Subcommand};
use lettre::Address;
use lettre::message::Mailbox;
use secrecy::SecretString;

use crate::core::security::Access;
use crate::core::settings::Base;
use crate::users::Role;

/// People, their connections, and the tokens by which all services know them.
#[derive(Parser, Clone, Debug)]
#[command(name = "auth-service", version)]
pub struct Settings {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 8000)]
    pub port: u16,

    #[command(flatten)]
    pub base: Base,

    #[command(flatten)]
    pub security: Access,

    /// Mail server, a URL with scheme smtps, or smtp and `?tls=required`; without it mails become files
    #[arg(long, env = "SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<SecretString>,

    /// Directory of the mails that become files
    #[arg(long, env = "MAIL_DIR", default_value = ".stack/mail")]
    pub mail_dir: PathBuf,

    /// The sender of mails
    #[arg(long, env = "MAIL_FROM", default_value = "Social network <no-reply@localhost>")]
    pub mail_from: Mailbox,

    /// Where people reach this service, for links in mails: scheme and host, a path prefix if there is one
    #[arg(long, env = "PUBLIC_URL", default_value = "http://127.0.0.1:8000", value_parser = public_url)]
    pub public_url: String,

    /// Where the web client is; mails then lead to its /activate, /reset-password and /forgot-password
    #[arg(long, env = "WEB_URL", value_parser = public_url)]
    pub web_url: Option<String>,

    /// Who becomes administrator by verifying this address, as long as there is none
    #[arg(long, env = "FIRST_ADMIN")]
    pub first_admin: Option<Address>,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What is done instead of serving.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Give an account a role, or take it with USER; the service may run meanwhile
    Grant {
        /// Its address or its id
        account: String,
        /// What its person may do
        role: Role,
    },
}

fn public_url(text: &str) -> Result<String, String> {
    let uri: Uri = text.parse().map_err(|cause: axum::http::uri::InvalidUri| cause.to_string())?;
    if uri.scheme().is_none() || uri.host().is_none() {
        return Err("a URL with scheme and host is needed".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}
