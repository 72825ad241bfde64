//! The interaction service: comments, reactions, views, and the NFT records of comments.
mod app;
mod blocks;
mod bookmarks;
mod comment_reactions;
mod comments;
mod connections;
mod core;
mod facets;
mod nfts;
mod personal_data;
mod post_service;
mod post_views;
mod posts;
mod pre_publish;
mod quotas;
mod reactions;
mod read_model;
mod removals;
mod settings;
mod tag_names;
mod token_check;

#[cfg(test)]
mod matrix;

use std::sync::Arc;

use axum::Extension;
use clap::{Args, FromArgMatches};

use crate::app::App;
use crate::connections::schedulers::ConnectionCopy;
use crate::core::serve::{self, Features, Service};
use crate::pre_publish::PrePublish;
use crate::quotas::Quota;
use crate::reactions::partitions::schedulers::PartitionMeter;
use crate::removals::schedulers::Remover;
use crate::settings::Settings;

/// The migrations of a later release are no fault: while that one is rolled out, or back, processes of this one start on its tables.
static MIGRATIONS: sqlx::migrate::Migrator = {
    let mut migrations = sqlx::migrate!();
    migrations.ignore_missing = true;
    // `core::ground::database` locks them itself.
    migrations.locking = false;
    migrations
};

static SERVICE: Service = Service {
    name: "interaction-service",
    description: "Comments, reactions, views, and the NFT records of comments.",
    port: 8002,
    schema: "interaction",
    group: "interaction_group",
    publishes: &[
        comments::events::COMMENT_CREATED,
        comments::events::COMMENT_UPDATED,
        comments::events::COMMENT_DELETED,
        comments::events::HIDDEN_COMMENT_DELETED,
        comments::events::COMMENT_DELETE_COMPLETED,
        reactions::events::REACTION_CREATED,
        reactions::events::REACTION_UPDATED,
        reactions::events::REACTION_DELETED,
        comment_reactions::events::COMMENT_REACTION_CREATED,
        comment_reactions::events::COMMENT_REACTION_UPDATED,
        comment_reactions::events::COMMENT_REACTION_DELETED,
        post_views::events::POST_VIEWED,
        personal_data::USER_ERASED,
    ],
    migrations: &MIGRATIONS,
    scheme: token_check::scheme,
    limits: &[
        comments::LIST_COMMENTS_LIMIT,
        comments::CREATE_COMMENT_LIMIT,
        comments::CHANGE_COMMENT_LIMIT,
        reactions::LIST_REACTIONS_LIMIT,
        reactions::CREATE_REACTION_LIMIT,
        reactions::CHANGE_REACTION_LIMIT,
        post_views::VIEW_LIMIT,
        bookmarks::LIST_BOOKMARKS_LIMIT,
        bookmarks::CHANGE_BOOKMARKS_LIMIT,
    ],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        let quota = Quota::new(&settings.quota, &app.settings);
        let pre_publish = Arc::new(PrePublish::new(&settings.pre_publish, &app.settings)?);
        let jobs = vec![
            post_views::schedulers::job(app, settings.views),
            quotas::schedulers::job(app),
            reactions::partitions::schedulers::job(app, settings.partitions),
        ];
        let partition_size = settings.partitions.bytes();
        let root = read_model::internal().merge(nfts::internal()).with_state(app.clone());
        let app = App::new(app, &settings.post_service)?;
        let (posts, comments) =
            (posts::events::consumers::subscriptions(), comments::events::consumers::subscriptions());
        Ok(Features {
            routes: comments::router()
                .merge(post_views::router())
                .merge(reactions::router())
                .merge(comment_reactions::router())
                .merge(bookmarks::router())
                .layer(Extension(quota))
                .layer(Extension(pre_publish))
                .layer(Extension(settings.views))
                .with_state(app),
            root,
            subscriptions: [
                posts,
                comments,
                nfts::events::consumers::subscriptions(),
                blocks::events::subscriptions(),
                connections::events::consumers::subscriptions(),
            ]
            .concat(),
            jobs,
            background: Some(Box::new(move |app| {
                app.start("copy of connections", ConnectionCopy(app.clone()));
                app.start("removals", Remover::new(app));
                if let Some(most) = partition_size {
                    app.start("sizes of partitions", PartitionMeter::new(app, most));
                }
            })),
        })
    },
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    serve::run(&SERVICE, &SERVICE.arguments()?).await
}
