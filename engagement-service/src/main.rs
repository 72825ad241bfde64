//! The engagement service: feeds and notifications, and the activity of each user with an engagement score from it.
mod affinities;
mod backfill;
mod batches;
mod blocks;
mod comment_reactions;
mod comments;
mod compatibility;
mod core;
mod devices;
mod digests;
mod feeds;
mod follows;
mod home;
mod joined;
mod mentions;
mod moderated_posts;
mod mutes;
mod notifications;
mod outlets;
mod people;
mod personal_data;
mod post_pictures;
mod post_recommendations;
mod posts;
mod preferences;
mod profiles;
mod push;
mod reactions;
mod recommended_people;
mod settings;
mod streams;
mod system_messages;
mod tag_names;
mod tags;
mod taste;
mod token_check;
mod unsubscribe;

#[cfg(test)]
mod histories;
#[cfg(test)]
mod matrix;

use std::sync::Arc;

use axum::Extension;
use clap::{ArgMatches, Args, FromArgMatches};

use crate::backfill::schedulers::Backfill;
use crate::core::app::App;
use crate::core::events::Subscription;
use crate::core::ground::settings::Base;
use crate::core::ground::telemetry;
use crate::core::serve::{self, Features, Service};
use crate::feeds::Feeds;
use crate::feeds::drops::schedulers::RedisWatch;
use crate::feeds::explore::schedulers::EditionWorker;
use crate::feeds::fan_out::schedulers::{FeedBacklogGauges, FeedWorker};
use crate::home::Home;
use crate::notifications::channels::Outlet;
use crate::notifications::schedulers::Dispatcher;
use crate::outlets::mail::MailOutlet;
use crate::outlets::push::PushOutlet;
use crate::post_recommendations::digest::schedulers::RecommendationDigester;
use crate::post_recommendations::recommender::PostRecommender;
use crate::post_recommendations::similar::schedulers::SimilarPostFinder;
use crate::push::channels::PushChannels;
use crate::recommended_people::schedulers::PeopleRecommender;
use crate::settings::{Command, Settings};
use crate::streams::schedulers::Announcer;
use crate::system_messages::schedulers::MessageWriter;
use crate::taste::schedulers::{TasteFetcher, TasteMatcher};
use crate::unsubscribe::services::{LinkState, UnsubscribeLinks};

/// The migrations of a later release are no fault: while that one is rolled out, or back, processes of this one start on its tables.
static MIGRATIONS: sqlx::migrate::Migrator = {
    let mut migrations = sqlx::migrate!();
    migrations.ignore_missing = true;
    // `core::ground::database` locks them itself.
    migrations.locking = false;
    migrations
};

static SERVICE: Service = Service {
    name: "engagement-service",
    description: "Feeds and notifications, and the activity of each user with an engagement score from it.",
    port: 8004,
    schema: "engagement",
    group: "engagement_group",
    publishes: &[profiles::events::LEVEL_CHANGED, personal_data::USER_ERASED, digests::events::MAIL_REQUESTED],
    migrations: &MIGRATIONS,
    scheme: token_check::scheme,
    limits: &[
        profiles::READ_PROFILE_LIMIT,
        feeds::READ_FEED_LIMIT,
        post_recommendations::READ_RECOMMENDATIONS_LIMIT,
        post_recommendations::disinterest::DISINTEREST_LIMIT,
        mutes::MUTE_LIMIT,
        mutes::LIST_MUTES_LIMIT,
        tags::CHANGE_TAGS_LIMIT,
        tags::READ_TAGS_LIMIT,
        notifications::READ_NOTIFICATIONS_LIMIT,
        notifications::CHANGE_NOTIFICATIONS_LIMIT,
        devices::DEVICE_CHANGE_LIMIT,
        devices::DEVICE_LIST_LIMIT,
        push::VAPID_KEY_LIMIT,
        preferences::PREFERENCES_LIMIT,
        unsubscribe::UNSUBSCRIBE_LIMIT,
        recommended_people::READ_RECOMMENDED_PEOPLE_LIMIT,
        recommended_people::DECIDE_RECOMMENDED_PEOPLE_LIMIT,
        compatibility::COMPATIBILITY_LIMIT,
        taste::TASTE_LIMIT,
        taste::TOP_ITEMS_LIMIT,
        streams::OPEN_STREAM_LIMIT,
    ],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: token_check::authenticator,
    features,
};

/// What the service does, as its settings say.
fn features(app: &App, arguments: &ArgMatches) -> anyhow::Result<Features> {
    let settings = Settings::from_arg_matches(arguments)?;
    let heartbeat = settings.stream_heartbeat();
    let feeds = Feeds::open(app, settings.feeds)?;
    let recommender = PostRecommender { app: app.clone(), settings: settings.post_recommendations };
    let home = Home { feeds: feeds.clone(), recommender: recommender.clone(), settings: settings.home };
    let channels = Arc::new(PushChannels::new(&settings.push, app.settings.environment)?);
    let source = taste::schedulers::source(&settings.taste)?;
    let links = UnsubscribeLinks::new(&settings.links, app.settings.environment)?;
    let routes = profiles::router()
        .merge(mutes::router())
        .merge(tags::router())
        .merge(recommended_people::router())
        .merge(compatibility::router())
        .merge(taste::router())
        .merge(notifications::router())
        .merge(streams::router(app, heartbeat))
        .merge(preferences::router())
        .merge(devices::router().merge(push::router()).layer(Extension(channels.clone())))
        .with_state(app.clone())
        .merge(home::router().with_state(home))
        .merge(feeds::router().with_state(feeds.clone()))
        .merge(post_recommendations::router().with_state(recommender.clone()))
        .merge(unsubscribe::router().with_state(LinkState { app: app.clone(), links: links.clone() }));
    Ok(Features {
        routes,
        root: backfill::internal().merge(system_messages::internal()).with_state(app.clone()),
        subscriptions: joined::joined(subscriptions()),
        jobs: vec![
            profiles::schedulers::job(app, settings.engagement_cron),
            notifications::schedulers::job(app),
            push::schedulers::job(app),
            digests::schedulers::job(app, links.clone()),
            system_messages::schedulers::job(app),
            post_recommendations::similar::schedulers::job(app, settings.similar_posts_cron),
            post_recommendations::digest::schedulers::job(app, settings.post_digest_cron),
            post_recommendations::schedulers::job(app),
            recommended_people::schedulers::job(app, settings.recommended_people_cron),
        ],
        background: Some(Box::new(move |app| {
            let outlets: Vec<Box<dyn Outlet>> =
                vec![Box::new(MailOutlet { links }), Box::new(PushOutlet(channels.clone()))];
            app.start("backfill", Backfill::new(app).with_graph_view(settings.graph_view_url));
            app.start_after_commits("feeds", FeedWorker(feeds.clone()));
            app.start("watch of the Redis of feeds", RedisWatch::new(feeds.clone()));
            app.start("backlog of feeds", FeedBacklogGauges(feeds));
            app.start("editions of explore", EditionWorker(app.clone()));
            app.start_after_commits("dispatcher of notifications", Dispatcher::new(app, outlets));
            app.start_after_commits("announcer for streams", Announcer(app.clone()));
            app.start_after_commits("system messages", MessageWriter(app.clone()));
            app.start("similar posts", SimilarPostFinder::new(app));
            app.start("digests of recommendations", RecommendationDigester(recommender));
            app.start("recommender of people", PeopleRecommender::new(app));
            app.start("fetcher of tastes", TasteFetcher { app: app.clone(), source });
            app.start_after_commits("matcher of tastes", TasteMatcher::new(app));
            push::schedulers::start(app, &channels);
        })),
    })
}

/// What the features consume. The order is that of locks: profiles, the counts of posts, the jobs of feeds, the readers of
/// notifications; and what a later one reads, an earlier one has written.
fn subscriptions() -> Vec<Vec<Subscription>> {
    vec![
        profiles::events::consumers::subscriptions(),
        people::events::consumers::subscriptions(),
        follows::events::consumers::subscriptions(),
        blocks::events::subscriptions(),
        posts::events::consumers::subscriptions(),
        comments::events::consumers::subscriptions(),
        mentions::events::consumers::subscriptions(),
        reactions::events::consumers::subscriptions(),
        comment_reactions::events::consumers::subscriptions(),
        backfill::events::subscriptions(),
        devices::events::consumers::subscriptions(),
        feeds::events::consumers::subscriptions(),
        post_recommendations::seen::events::consumers::subscriptions(),
        moderated_posts::events::consumers::subscriptions(),
        notifications::events::consumers::subscriptions(),
        system_messages::events::consumers::subscriptions(),
        taste::events::consumers::subscriptions(),
        recommended_people::events::consumers::subscriptions(),
    ]
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = SERVICE.arguments()?;
    match Settings::from_arg_matches(&arguments)?.command {
        None => serve::run(&SERVICE, &arguments).await,
        Some(Command::Rebuild) => {
            telemetry::start(SERVICE.name, &Base::from_arg_matches(&arguments)?)?;
            backfill::commands::rebuild(&SERVICE.open(&arguments, telemetry::meters::start()?)?).await
        }
        Some(Command::ImportTastes) => {
            telemetry::start(SERVICE.name, &Base::from_arg_matches(&arguments)?)?;
            let app = SERVICE.open(&arguments, telemetry::meters::start()?)?;
            taste::commands::import(&app, std::io::stdin().lock()).await.map(drop)
        }
    }
}
