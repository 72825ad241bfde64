//! The settings of the auth service beside those of every service.
use clap::{Args, Subcommand};
use lettre::Address;

use crate::app::access_tokens::TokenSettings;
use crate::core::app::identity::Role;
use crate::mails::services::MailSettings;

/// Its own settings.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    pub tokens: TokenSettings,

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
