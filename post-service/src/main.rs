//! The post service: posts with their counters of views, comments and reactions, and their NFT records.
mod blocks;
mod core;
mod joined;
mod nfts;
mod personal_data;
mod posts;
mod pre_publish;
mod quotas;
mod read_model;
mod settings;
mod token_check;

#[cfg(test)]
mod matrix;

use std::sync::Arc;

use axum::Extension;
use clap::{Args, FromArgMatches};

use crate::core::serve::{self, Features, Service};
use crate::nfts::state::Nfts;
use crate::pre_publish::PrePublish;
use crate::quotas::Quota;
use crate::settings::Settings;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

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
        nfts::events::NFT_PINNED,
        personal_data::USER_ERASED,
    ],
    migrations: &MIGRATIONS,
    scheme: token_check::scheme,
    limits: &[
        posts::LIST_POSTS_LIMIT,
        posts::CREATE_POST_LIMIT,
        posts::CHANGE_POST_LIMIT,
        nfts::READ_NFTS_LIMIT,
        nfts::READ_METADATA_LIMIT,
        nfts::MINT_LIMIT,
    ],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        let quota = Quota::new(&settings.quota, &app.settings);
        let pre_publish = Arc::new(PrePublish::new(&settings.pre_publish, &app.settings)?);
        let nfts = Nfts::open(app, &settings.nfts)?;
        Ok(Features {
            routes: posts::router()
                .merge(nfts::router())
                .layer(Extension(quota))
                .layer(Extension(pre_publish))
                .layer(Extension(nfts.clone()))
                .with_state(app.clone()),
            root: read_model::internal().with_state(app.clone()),
            subscriptions: joined::joined(vec![
                posts::events::consumers::subscriptions(app),
                nfts::events::consumers::subscriptions(),
                blocks::events::subscriptions(),
            ]),
            jobs: vec![quotas::schedulers::job(app)],
            background: Some(Box::new(move |app| nfts::schedulers::start(app, &nfts))),
        })
    },
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    serve::run(&SERVICE, &SERVICE.arguments()?).await
}
