//! The settings of the auth service.
use clap::{Parser, Subcommand};
use lettre::Address;

use crate::core::security::Access;
use crate::core::settings::Base;
use crate::mails::services::MailSettings;
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

    #[command(flatten)]
    pub mails: MailSettings,

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
