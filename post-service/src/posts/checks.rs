//! Asks moderation about all that other users will read of a post, before they do, where `PRE_PUBLISH` says so: its title, its content,
//! what its item says, and the descriptions of its pictures, as moderation reads them afterwards.
use std::future::ready;
use std::sync::Arc;

use sqlx::PgPool;
use uuid::Uuid;

use super::Status;
use super::models::{Draft, Post};
use crate::core::api::errors::Error;
use crate::core::ground::settings::Base;
use crate::items::models::Item;
use crate::items::schemas::ItemChange;
use crate::media::attachments::models::{is_on_public_post, list_post_media};
use crate::media::models::Media;
use crate::pre_publish::{PrePublish, PrePublishSettings, Switch};

/// The check of posts and descriptions.
pub struct PublicationCheck {
    moderation: PrePublish,
    /// Without it nothing is read for the question.
    is_on: bool,
}

impl PublicationCheck {
    /// The check that the settings describe; it makes no call yet.
    pub fn new(settings: &PrePublishSettings, base: &Base) -> anyhow::Result<Arc<Self>> {
        let is_on = settings.pre_publish == Switch::On;
        Ok(Arc::new(Self { moderation: PrePublish::new(settings, base)?, is_on }))
    }

    /// Refuses a new post that moderation would hide.
    pub async fn created(
        &self,
        db: &PgPool,
        author: Uuid,
        draft: &Draft<'_>,
        media: Option<&[Uuid]>,
    ) -> Result<(), Error> {
        if !self.is_on || !draft.will_be_public() {
            return Ok(());
        }
        let alts = descriptions(db, author, media.unwrap_or_default()).await?;
        self.ask("content", &text(draft.title, draft.content, &draft.item, &alts)).await
    }

    /// Refuses an update of an author's post that moderation would hide. What the update leaves as it is, other users will read, too: of
    /// a draft that is published by it, none of that was asked about. Returns whether the post was taken for one that they do not
    /// read, so that nothing was asked.
    pub async fn updated(
        &self,
        db: &PgPool,
        (id, author): (Uuid, Uuid),
        draft: &Draft<'_>,
        item: &ItemChange,
        media: Option<&[Uuid]>,
    ) -> Result<bool, Error> {
        if !self.is_on {
            return Ok(false);
        }
        let stored = Post::find_visible(db, id, author).await?.filter(|post| post.created_by == author);
        let stays_public = draft.status.is_none() && stored.as_ref().is_some_and(|post| post.status == Status::Posted);
        let Some(stored) = stored.filter(|_| stays_public || draft.will_be_public()) else { return Ok(true) };
        let kept = match item {
            ItemChange::Kept => Item::list(db, &[id]).await?.remove(&id),
            ItemChange::Removed | ItemChange::Replaced(_) => None,
        };
        let item = kept.as_ref().map_or_else(|| draft.item.clone(), Item::words);
        let alts = match media {
            Some(media) => descriptions(db, author, media).await?,
            None => shown_descriptions(db, id).await?,
        };
        let title = draft.title.or(stored.title.as_deref());
        self.ask("content", &text(title, draft.content, &item, &alts)).await.map(|()| false)
    }

    /// Refuses a draft that is due and that moderation would hide.
    pub async fn due(&self, db: &PgPool, post: &Post) -> Result<(), Error> {
        if !self.is_on {
            return Ok(());
        }
        let item = Item::list(db, &[post.id]).await?.remove(&post.id);
        let item = item.as_ref().map(Item::words).unwrap_or_default();
        let alts = shown_descriptions(db, post.id).await?;
        self.ask("content", &text(post.title.as_deref(), &post.content, &item, &alts)).await
    }

    /// Refuses a description that moderation would hide, of a picture that other users see.
    pub async fn described(&self, db: &PgPool, media: Uuid, alt: &str) -> Result<(), Error> {
        if !self.is_on || !is_on_public_post(db, media).await? {
            return Ok(());
        }
        self.ask("alt", alt).await
    }

    async fn ask(&self, field: &str, text: &str) -> Result<(), Error> {
        self.moderation.check(field, text, ready(Ok(true))).await
    }
}

/// All that is read of a post, as moderation puts it together when it is published.
fn text(title: Option<&str>, content: &str, item: &[&str], alts: &[String]) -> String {
    let lines = title.into_iter().chain([content]).chain(item.iter().copied());
    let pictures = alts.iter().map(String::as_str).filter(|alt| !alt.is_empty());
    lines.chain(pictures).collect::<Vec<_>>().join("\n")
}

/// How a person describes pictures of theirs, in this order.
async fn descriptions(db: &PgPool, owner: Uuid, media: &[Uuid]) -> sqlx::Result<Vec<String>> {
    if media.is_empty() {
        return Ok(Vec::new());
    }
    let loaded = Media::load(db, media).await?;
    let of = |id: &Uuid| loaded.iter().find(|media| media.id == *id && media.created_by == owner);
    Ok(media.iter().filter_map(of).map(|media| media.alt.clone()).collect())
}

/// How the pictures are described that a post shows.
async fn shown_descriptions(db: &PgPool, post: Uuid) -> sqlx::Result<Vec<String>> {
    Ok(list_post_media(db, &[post]).await?.into_iter().map(|media| media.alt).collect())
}
