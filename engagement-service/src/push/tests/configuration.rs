//! Which channels there are, by the settings.
use clap::{Args, Command, FromArgMatches};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::VAPID_KEY;
use crate::SERVICE;
use crate::core::ground::settings::Environment;
use crate::core::testing::{Platform, new_user};
use crate::devices::Provider;
use crate::push::channels::{PushChannels, PushSettings};

fn channels(environment: Environment, arguments: &[&str]) -> anyhow::Result<PushChannels> {
    let command = PushSettings::augment_args(Command::new("test"));
    let matches = command.try_get_matches_from(["test"].iter().chain(arguments)).unwrap();
    PushChannels::new(&PushSettings::from_arg_matches(&matches).unwrap(), environment)
}

#[test]
fn a_part_of_a_channels_settings_is_a_mistake() {
    let web_push = "Web Push needs both VAPID_PRIVATE_KEY and VAPID_SUBJECT";
    let apns = "APNs needs all of APNS_KEY, APNS_KEY_ID, APNS_TEAM_ID and APNS_TOPIC";
    for (arguments, fault) in [
        (&["--vapid-private-key", VAPID_KEY][..], web_push),
        (&["--vapid-subject", "mailto:a@example.org"], web_push),
        (
            &["--vapid-private-key", VAPID_KEY, "--vapid-subject", "a@example.org"],
            "VAPID_SUBJECT is no URL of scheme mailto or https",
        ),
        (&["--vapid-private-key", "AAAA", "--vapid-subject", "mailto:a@example.org"], "VAPID_PRIVATE_KEY"),
        (&["--vapid-private-key", "a b", "--vapid-subject", "mailto:a@example.org"], "VAPID_PRIVATE_KEY"),
        (&["--fcm-service-account", "{}"], "FCM_SERVICE_ACCOUNT"),
        (&["--fcm-service-account", "/run/secrets/fcm.json"], "FCM_SERVICE_ACCOUNT"),
        (&["--apns-key", "x"], apns),
        (&["--apns-topic", "org.example"], apns),
        (&["--apns-key", "x", "--apns-key-id", "x", "--apns-team-id", "x", "--apns-topic", "x"], "APNS_KEY"),
    ] {
        let error = channels(Environment::Production, arguments).err().unwrap_or_else(|| panic!("{arguments:?}"));
        assert_eq!(error.to_string(), fault, "{arguments:?}");
        assert!(!format!("{error:#}").contains(VAPID_KEY), "no message holds a secret");
    }
}

#[test]
fn channels_are_off_until_they_are_configured() {
    assert_eq!(channels(Environment::Production, &[]).unwrap().providers(), []);
    let given = ["--vapid-private-key", VAPID_KEY, "--vapid-subject", "https://example.org/contact"];
    assert_eq!(channels(Environment::Production, &given).unwrap().providers(), [Provider::WebPush]);
}

#[test]
fn production_never_lets_endpoints_into_private_networks() {
    let arguments = ["--push-allow-private", "true"];
    assert!(channels(Environment::Development, &arguments).unwrap().guard.allow_private);
    let error = channels(Environment::Production, &arguments).err().unwrap();
    assert!(error.to_string().starts_with("PUSH_ALLOW_PRIVATE is for tests"), "{error}");
}

#[sqlx::test(migrations = false)]
async fn without_web_push_there_is_no_key_to_subscribe_with(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let reply = platform.call("GET", "/push/vapid-public-key", Some(&anna), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (404, &"Web Push is not configured".into()));
}
