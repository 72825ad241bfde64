//! The post service: posts with their counters of views, comments and reactions, and their NFT records.
mod blocks;
mod core;
mod drafts;
mod facets;
mod history;
mod items;
mod joined;
mod media;
mod nfts;
mod personal_data;
mod posts;
mod pre_publish;
mod quotas;
mod read_model;
mod search;
mod settings;
mod tag_names;
mod tags;
mod token_check;

#[cfg(test)]
mod matrix;

use std::sync::Arc;

use axum::Extension;
use clap::{Args, FromArgMatches};
use tokio::sync::Semaphore;

use crate::core::serve::{self, Features, Service};
use crate::drafts::schedulers::DraftPublisher;
use crate::media::blobs::schedulers::Sweeper;
use crate::media::library::MediaLibrary;
use crate::media::processing::schedulers::{AT_ONCE, MediaWorker};
use crate::media::republication::schedulers::PostRepublisher;
use crate::nfts::hidden_comments::schedulers::HiddenCommentChecker;
use crate::nfts::state::Nfts;
use crate::personal_data::schedulers::ErasureConfirmer;
use crate::posts::checks::PublicationCheck;
use crate::posts::lists::backfill::schedulers::ListingBackfiller;
use crate::quotas::Quota;
use crate::search::schedulers::{PostIndexer, SearchBackfill, SearchGauges};
use crate::settings::{Command, Settings};
use crate::tags::schedulers::TagBackfiller;

/// The migrations of a later release are no fault: while that one is rolled out, or back, processes of this one start on its tables.
static MIGRATIONS: sqlx::migrate::Migrator = {
    let mut migrations = sqlx::migrate!();
    migrations.ignore_missing = true;
    // `core::ground::database` locks them itself.
    migrations.locking = false;
    migrations
};

static SERVICE: Service = Service {
    name: "post-service",
    description: "Posts with their counters of views, comments and reactions, and their NFT records.",
    port: 8001,
    schema: "post",
    group: "post_group",
    publishes: &[
        posts::events::POST_CREATED,
        posts::events::POST_UPDATED,
        posts::events::POST_DELETED,
        posts::events::POST_DELETE_COMPLETED,
        media::events::MEDIA_READY,
        media::events::MEDIA_DELETED,
        media::pictures::events::PROFILE_PICTURE_CHANGED,
        nfts::events::NFT_PINNED,
        nfts::events::NFT_MINTED,
        personal_data::USER_ERASED,
    ],
    migrations: &MIGRATIONS,
    scheme: token_check::scheme,
    limits: &[
        posts::LIST_POSTS_LIMIT,
        posts::CREATE_POST_LIMIT,
        posts::CHANGE_POST_LIMIT,
        tags::LIST_TAGS_LIMIT,
        items::READ_ITEM_LIMIT,
        drafts::LIST_DRAFTS_LIMIT,
        history::HISTORY_LIMIT,
        search::SEARCH_POSTS_LIMIT,
        search::SUGGEST_LIMIT,
        media::LIST_MEDIA_LIMIT,
        media::UPLOAD_LIMIT,
        media::CHANGE_MEDIA_LIMIT,
        nfts::READ_NFTS_LIMIT,
        nfts::READ_METADATA_LIMIT,
        nfts::MINT_LIMIT,
        nfts::tokens::TOKEN_LIMIT,
    ],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        let library = MediaLibrary::open(&settings.media, &app.settings)?;
        let quota = Quota::new(&settings.quota, &app.settings);
        let check = PublicationCheck::new(&settings.pre_publish, &app.settings)?;
        let of_drafts = check.clone();
        let nfts = Nfts::open(app, &settings.nfts)?;
        Ok(Features {
            routes: posts::router()
                .merge(drafts::router())
                .merge(history::router())
                .merge(search::router())
                .merge(media::router(&library))
                .merge(tags::router())
                .merge(nfts::router())
                .layer(Extension(quota))
                .layer(Extension(check))
                .layer(Extension(library.clone()))
                .layer(Extension(nfts.clone()))
                .merge(items::router())
                .with_state(app.clone()),
            root: read_model::internal()
                .merge(media::internal().layer(Extension(library.clone())))
                .with_state(app.clone()),
            subscriptions: joined::joined(vec![
                posts::events::consumers::subscriptions(app),
                nfts::events::consumers::subscriptions(),
                blocks::events::subscriptions(),
                personal_data::events::subscriptions(),
            ]),
            jobs: vec![
                quotas::schedulers::job(app),
                tags::schedulers::job(app),
                items::schedulers::job(app),
                media::blobs::schedulers::job(app, &library),
                media::blobs::schedulers::incoming_job(app, &library),
            ],
            background: Some(Box::new(move |app| {
                let threads = Arc::new(Semaphore::new(AT_ONCE));
                for number in 1..=AT_ONCE {
                    app.start_after_commits(format!("pictures {number}"), MediaWorker::new(app, &library, &threads));
                }
                app.start_after_commits("files", Sweeper { app: app.clone(), library });
                app.start_after_commits("posts of changed pictures", PostRepublisher(app.clone()));
                app.start("confirmation of erasures", ErasureConfirmer(app.clone()));
                nfts::schedulers::start(app, &nfts);
                nfts::chain::schedulers::start(app, &nfts);
                app.start("comments that were hidden before", HiddenCommentChecker { app: app.clone(), nfts });
                app.start("tags of older posts", TagBackfiller(app.clone()));
                app.start("lists of older posts", ListingBackfiller(app.clone()));
                app.start_after_commits("search index", PostIndexer::new(app));
                app.start("search gauges", SearchGauges(app.clone()));
                app.start("search backfill", SearchBackfill(app.clone()));
                app.start("publication of drafts", DraftPublisher { app: app.clone(), check: of_drafts });
            })),
        })
    },
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = SERVICE.arguments()?;
    let settings = Settings::from_arg_matches(&arguments)?;
    match settings.command {
        None => serve::run(&SERVICE, &arguments).await,
        Some(Command::DeployContract(options)) => {
            nfts::chain::commands::deploy(&settings.nfts.chain, &options, &mut std::io::stdout()).await
        }
    }
}
