//! The channels that are configured: settings, and what is made of them. Each is off until its settings are given; a part of
//! them is a mistake, with which the service does not start.
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::ArgAction;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::Channel;
use super::addresses::Guard;
use super::apns::{Apns, ApnsIdentity};
use super::fcm::Fcm;
use super::web_push::{VapidKey, WebPush};
use crate::core::ground::http_client;
use crate::core::ground::settings::Environment;
use crate::devices::Provider;

/// How long a connection to a push service may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Settings of push notifications.
#[derive(clap::Args, Clone, Debug)]
pub struct PushSettings {
    /// The private key of Web Push, 32 bytes in base64url; with it browsers can subscribe
    #[arg(long, env = "VAPID_PRIVATE_KEY", hide_env_values = true)]
    pub vapid_private_key: Option<SecretString>,

    /// Where the operators of push services reach those of this service: a URL of scheme mailto or https
    #[arg(long, env = "VAPID_SUBJECT")]
    pub vapid_subject: Option<String>,

    /// The content of the JSON file of a service account of Firebase; with it apps with Firebase are reached
    #[arg(long, env = "FCM_SERVICE_ACCOUNT", hide_env_values = true)]
    pub fcm_service_account: Option<SecretString>,

    /// Where Firebase Cloud Messaging is
    #[arg(long, env = "FCM_URL", default_value = "https://fcm.googleapis.com", value_parser = base_url)]
    pub fcm_url: String,

    /// The content of the key file (.p8) of Apple's push service; with it apps for Apple's systems are reached
    #[arg(long, env = "APNS_KEY", hide_env_values = true)]
    pub apns_key: Option<SecretString>,

    /// The id of that key
    #[arg(long, env = "APNS_KEY_ID")]
    pub apns_key_id: Option<String>,

    /// The id of the team that it belongs to
    #[arg(long, env = "APNS_TEAM_ID")]
    pub apns_team_id: Option<String>,

    /// The bundle id of the app
    #[arg(long, env = "APNS_TOPIC")]
    pub apns_topic: Option<String>,

    /// Where Apple's push service is
    #[arg(long, env = "APNS_URL", default_value = "https://api.push.apple.com", value_parser = base_url)]
    pub apns_url: String,

    /// Where it is for apps that were installed by a developer
    #[arg(long, env = "APNS_SANDBOX_URL", default_value = "https://api.sandbox.push.apple.com", value_parser = base_url)]
    pub apns_sandbox_url: String,

    /// How long a push service may take to answer, in milliseconds
    #[arg(long, env = "PUSH_TIMEOUT_MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=15_000))]
    pub push_timeout_ms: u64,

    /// Whether endpoints of browsers may lead into private networks, for tests; production refuses it
    #[arg(long, env = "PUSH_ALLOW_PRIVATE", default_value_t = false, action = ArgAction::Set)]
    pub push_allow_private: bool,
}

fn base_url(text: &str) -> Result<String, String> {
    let url: Url = text.parse().map_err(|cause| format!("{text} is no URL: {cause}"))?;
    if !url.has_host() || url.query().is_some() || url.fragment().is_some() {
        return Err("a URL with scheme and host is needed".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The ways to devices that are configured.
#[derive(Default)]
pub struct PushChannels {
    pub all: Vec<Arc<dyn Channel>>,
    /// What a browser subscribes with, where Web Push is on.
    pub vapid_public_key: Option<String>,
    /// What keeps endpoints out of private networks.
    pub guard: Guard,
}

impl PushChannels {
    /// The channels that the settings name.
    pub fn new(settings: &PushSettings, environment: Environment) -> anyhow::Result<Self> {
        let guard = Guard { allow_private: settings.push_allow_private };
        ensure!(
            !guard.allow_private || environment == Environment::Development,
            "PUSH_ALLOW_PRIVATE is for tests: in production no endpoint leads into a private network"
        );
        let timeout = Duration::from_millis(settings.push_timeout_ms);
        let http = || http_client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(timeout);
        let mut channels = Self { guard, ..Self::default() };
        match (&settings.vapid_private_key, &settings.vapid_subject) {
            (Some(key), Some(subject)) => {
                ensure!(
                    subject.starts_with("mailto:") || subject.starts_with("https://"),
                    "VAPID_SUBJECT is no URL of scheme mailto or https"
                );
                let key = VapidKey::read(key.expose_secret(), subject).context("VAPID_PRIVATE_KEY")?;
                channels.vapid_public_key = Some(key.public.clone());
                // Through a proxy, the proxy would look the endpoint's name up, and not the guard.
                let http = http().no_proxy().dns_resolver(guard).https_only(!guard.allow_private).build()?;
                channels.all.push(Arc::new(WebPush::new(http, guard, key)));
            }
            (None, None) => {}
            _ => bail!("Web Push needs both VAPID_PRIVATE_KEY and VAPID_SUBJECT"),
        }
        if let Some(account) = &settings.fcm_service_account {
            let fcm = Fcm::new(http().build()?, account.expose_secret(), &settings.fcm_url);
            channels.all.push(Arc::new(fcm.context("FCM_SERVICE_ACCOUNT")?));
        }
        match (&settings.apns_key, &settings.apns_key_id, &settings.apns_team_id, &settings.apns_topic) {
            (Some(key), Some(key_id), Some(team_id), Some(topic)) => {
                let [key_id, team_id, topic] = [key_id, team_id, topic].map(Clone::clone);
                let urls = [settings.apns_url.as_str(), &settings.apns_sandbox_url];
                let http = http().http2_prior_knowledge().build()?;
                let apns = Apns::new(http, key.expose_secret(), ApnsIdentity { key_id, team_id, topic }, urls);
                channels.all.push(Arc::new(apns.context("APNS_KEY")?));
            }
            (None, None, None, None) => {}
            _ => bail!("APNs needs all of APNS_KEY, APNS_KEY_ID, APNS_TEAM_ID and APNS_TOPIC"),
        }
        Ok(channels)
    }

    /// The push services that are configured: devices of others are kept, and get nothing.
    pub fn providers(&self) -> Vec<Provider> {
        self.all.iter().map(|channel| channel.provider()).collect()
    }
}
