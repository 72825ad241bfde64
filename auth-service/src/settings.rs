//! The settings of the auth service beside those of every service.
use clap::{ArgAction, Args, Subcommand};

use crate::app::AccountRules;
use crate::app::access_tokens::TokenSettings;
use crate::core::app::identity::Role;
use crate::linked_accounts::providers::LinkedSettings;
use crate::mails::services::MailSettings;
use crate::users::address::EmailAddress;

/// Its own settings.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    pub tokens: TokenSettings,

    #[command(flatten)]
    pub mails: MailSettings,

    #[command(flatten)]
    pub linked: LinkedSettings,

    /// Who becomes administrator by verifying this address, as long as there is none
    #[arg(long, env = "FIRST_ADMIN", value_parser = address)]
    pub first_admin: Option<EmailAddress>,

    /// Whether a session is enough to change address and password, however old it is, as in the original; production
    /// refuses it
    #[arg(long, env = "UPDATE_WITHOUT_PASSWORD", default_value_t = false, action = ArgAction::Set)]
    pub update_without_password: bool,

    /// Port on which other services ask for the graph by gRPC, with the service token; without it none is opened
    #[arg(long, env = "INTERNAL_PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub internal_port: Option<u16>,

    #[command(subcommand)]
    pub command: Option<Command>,
}

fn address(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse(text).map_err(|fault| format!("{text} is no address: {fault:?}"))
}

impl Settings {
    /// What they say about accounts.
    pub fn rules(&self) -> AccountRules {
        AccountRules {
            first_admin: self.first_admin.as_ref().map(EmailAddress::key),
            update_without_password: self.update_without_password,
        }
    }
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
