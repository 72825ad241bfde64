//! Items in the database: all of the SQL of this feature.
use std::collections::HashMap;

use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::ItemKind;

/// An item as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: Uuid,
    pub kind: ItemKind,
    pub external_id: Option<String>,
    pub url: String,
    pub title: String,
    pub artists: Vec<String>,
    pub site: Option<String>,
    pub picture_url: Option<String>,
}

impl Item {
    /// What it says: its title, those who made it, and where it is.
    pub fn words(&self) -> Vec<&str> {
        let texts = [self.title.as_str()].into_iter().chain(self.artists.iter().map(String::as_str));
        texts.chain(self.site.as_deref()).collect()
    }

    /// Gives a post this item, in place of any other: the one of the catalogue when it is there. It is locked until the transaction
    /// ends, so that it is not swept meanwhile.
    pub async fn attach(&self, tx: &mut PgTransaction<'_>, post: Uuid) -> sqlx::Result<()> {
        // Each of the two keys of the catalogue needs a statement that names it.
        let item = if self.external_id.is_some() {
            sqlx::query_scalar!(
                "insert into item (id, kind, external_id, url, title, artists, site, picture_url)
                values ($1, $2, $3, $4, $5, $6, $7, $8)
                on conflict (kind, external_id) where external_id is not null do update set used_at = now()
                returning id",
                self.id,
                self.kind as ItemKind,
                self.external_id,
                self.url,
                self.title,
                &self.artists,
                self.site,
                self.picture_url
            )
            .fetch_one(&mut **tx)
            .await?
        } else {
            sqlx::query_scalar!(
                "insert into item (id, kind, url, title, artists, site, picture_url) values ($1, $2, $3, $4, $5, $6, $7)
                on conflict (kind, url) where external_id is null do update set used_at = now()
                returning id",
                self.id,
                self.kind as ItemKind,
                self.url,
                self.title,
                &self.artists,
                self.site,
                self.picture_url
            )
            .fetch_one(&mut **tx)
            .await?
        };
        // Words that no post says to all users, but hidden ones, drafts and archived ones, are not those of the next author: they
        // are said anew.
        sqlx::query!(
            "update item set url = $2, title = $3, artists = $4, site = $5, picture_url = $6
            where id = $1 and id <> $7 and not exists (
                select from post_item join post on post.id = post_id
                where item_id = $1 and status = 'POSTED' and hidden_at is null)",
            item,
            self.url,
            self.title,
            &self.artists,
            self.site,
            self.picture_url,
            self.id
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "insert into post_item (post_id, item_id) values ($1, $2)
            on conflict (post_id) do update set item_id = excluded.item_id",
            post,
            item
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Takes the item of a post away.
    pub async fn detach(tx: &mut PgTransaction<'_>, post: Uuid) -> sqlx::Result<()> {
        // A day from now on it may be of no post.
        sqlx::query!(
            "update item set used_at = now() where id = (select item_id from post_item where post_id = $1)",
            post
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!("delete from post_item where post_id = $1", post).execute(&mut **tx).await?;
        Ok(())
    }

    /// An item of a post that the viewer may see.
    pub async fn find_visible(db: impl PgExecutor<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, kind as "kind: ItemKind", external_id, url, title, artists, site, picture_url from item
            where id = $1 and exists (
                select from post_item join post on post.id = post_id where item_id = item.id and visible(post, $2))"#,
            id,
            viewer
        )
        .fetch_optional(db)
        .await
    }

    /// The items of posts.
    pub async fn list(db: impl PgExecutor<'_>, posts: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Self>> {
        let rows = sqlx::query!(
            r#"select post_id, id, kind as "kind: ItemKind", external_id, url, title, artists, site, picture_url
            from post_item join item on item.id = item_id where post_id = any($1)"#,
            posts
        )
        .fetch_all(db)
        .await?;
        let items = rows.into_iter().map(|row| {
            let item = Self {
                id: row.id,
                kind: row.kind,
                external_id: row.external_id,
                url: row.url,
                title: row.title,
                artists: row.artists,
                site: row.site,
                picture_url: row.picture_url,
            };
            (row.post_id, item)
        });
        Ok(items.collect())
    }

    /// The items of an author's posts.
    pub async fn list_by_author(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<Vec<Uuid>> {
        let query = sqlx::query_scalar!(
            "select distinct item_id from post_item join post on post.id = post_id where created_by = $1",
            author
        );
        query.fetch_all(&mut **tx).await
    }

    /// Deletes those of these items that no post has any more.
    pub async fn delete_unused(tx: &mut PgTransaction<'_>, items: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "delete from item where id in (
                select id from item where id = any($1) and not exists (select from post_item where item_id = item.id)
                order by id for update skip locked
            )",
            items
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes up to `rows` items that no post has had for a day; how many they were.
    pub async fn sweep(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<u64> {
        let swept = sqlx::query!(
            "delete from item where id in (
                select id from item where used_at < now() - interval '1 day'
                    and not exists (select from post_item where item_id = item.id)
                order by used_at limit $1 for update skip locked
            )",
            rows
        );
        Ok(swept.execute(db).await?.rows_affected())
    }
}
