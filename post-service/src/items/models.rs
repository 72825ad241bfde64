//! Items in the database: all of the SQL of this feature.
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::ItemKind;
use crate::core::api::pagination::Cursor;
use crate::core::doors::personal_data::PersonalDataItem;

/// What a post says about its item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemWords {
    pub url: String,
    pub title: String,
    pub artists: Vec<String>,
    pub site: Option<String>,
    pub picture_url: Option<String>,
}

/// An item, as a post has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: Uuid,
    pub kind: ItemKind,
    pub external_id: Option<String>,
    pub said: ItemWords,
}

/// The same as it comes from the database.
struct ItemRow {
    id: Uuid,
    kind: ItemKind,
    external_id: Option<String>,
    said: Json<ItemWords>,
}

impl From<ItemRow> for Item {
    fn from(row: ItemRow) -> Self {
        Self { id: row.id, kind: row.kind, external_id: row.external_id, said: row.said.0 }
    }
}

impl Item {
    /// What is read of it: its title, those who made it, and where it is.
    pub fn words(&self) -> Vec<&str> {
        let texts = [self.said.title.as_str()].into_iter().chain(self.said.artists.iter().map(String::as_str));
        texts.chain(self.said.site.as_deref()).collect()
    }

    /// Gives a post this item, in place of any other: the one of the catalogue when it is there. It is locked until the transaction
    /// ends, so that it is not swept meanwhile, and so that posts get it one after the other.
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
                self.said.url,
                self.said.title,
                &self.said.artists,
                self.said.site,
                self.said.picture_url
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
                self.said.url,
                self.said.title,
                &self.said.artists,
                self.said.site,
                self.said.picture_url
            )
            .fetch_one(&mut **tx)
            .await?
        };
        sqlx::query!("delete from post_item where post_id = $1", post).execute(&mut **tx).await?;
        sqlx::query!(
            "insert into post_item (post_id, item_id, words) values ($1, $2, $3)",
            post,
            item,
            json!(self.said)
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Lets a post say about its item what another post says that all users may read. Where there is none, the post keeps its words, and
    /// gives them to the catalogue if all users may read it. What other posts say stays as it is.
    pub async fn settle(tx: &mut PgTransaction<'_>, post: Uuid, is_public: bool) -> sqlx::Result<()> {
        let item = sqlx::query_scalar!(
            "select id from item where id = (select item_id from post_item where post_id = $1) for update",
            post
        );
        let Some(item) = item.fetch_optional(&mut **tx).await? else { return Ok(()) };
        let agrees = sqlx::query!(
            "update post_item set words = agreed.words
            from (
                select coalesce(shown.words, item_words(item)) as words
                from post_item as shown join post on post.id = shown.post_id join item on item.id = shown.item_id
                where shown.item_id = $2 and shown.post_id <> $1 and post.status = 'POSTED' and post.hidden_at is null
                limit 1
            ) as agreed
            where post_item.post_id = $1",
            post,
            item
        )
        .execute(&mut **tx)
        .await?;
        if agrees.rows_affected() == 1 || !is_public {
            return Ok(());
        }
        // Posts of an earlier release say what the row of the item says, and go on saying it.
        sqlx::query!(
            "update post_item set words = item_words(item) from item
            where item.id = $1 and item_id = $1 and words is null and post_id <> $2",
            item,
            post
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "update item set url = words ->> 'url', title = words ->> 'title',
                artists = array(select jsonb_array_elements_text(words -> 'artists')), site = words ->> 'site',
                picture_url = words ->> 'picture_url'
            from post_item where post_id = $1 and item.id = item_id and words is not null",
            post
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

    /// An item of a post that the viewer may see, as those say that all users may read, or else the viewer's own.
    pub async fn find_visible(db: impl PgExecutor<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<Option<Self>> {
        let row = sqlx::query_as!(
            ItemRow,
            r#"(select item.id as "id!", kind as "kind!: ItemKind", external_id,
                    coalesce(words, item_words(item)) as "said!: Json<ItemWords>"
                from item join post_item on item_id = item.id join post on post.id = post_id
                where item.id = $1 and status = 'POSTED' and visible(post, $2) limit 1)
            union all
            (select item.id, kind, external_id, coalesce(words, item_words(item))
                from item join post_item on item_id = item.id join post on post.id = post_id
                where item.id = $1 and created_by = $2 and visible(post, $2) limit 1)
            limit 1"#,
            id,
            viewer
        );
        Ok(row.fetch_optional(db).await?.map(Self::from))
    }

    /// The items of posts, as each of them says.
    pub async fn list(db: impl PgExecutor<'_>, posts: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Self>> {
        let rows = sqlx::query!(
            r#"select post_id, id, kind as "kind: ItemKind", external_id,
                coalesce(words, item_words(item)) as "said!: Json<ItemWords>"
            from post_item join item on item.id = item_id where post_id = any($1)"#,
            posts
        )
        .fetch_all(db)
        .await?;
        let items = rows.into_iter().map(|row| {
            let item = Self { id: row.id, kind: row.kind, external_id: row.external_id, said: row.said.0 };
            (row.post_id, item)
        });
        Ok(items.collect())
    }

    /// Locks the items that posts have until the transaction ends, and returns them. Locks are taken in one order: posts, then their items,
    /// then their pictures. So a transaction that changes several posts locks all of their items before it touches the first picture.
    pub async fn lock_of_posts(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "select id from item where id in (select item_id from post_item where post_id = any($1)) order by id for update",
            posts
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Forgets what deleted posts have said about these items, which this transaction has locked: one that no post has any more is deleted,
    /// and one that other posts have, none of which all users may read, says what one of these does.
    pub async fn forget(tx: &mut PgTransaction<'_>, items: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "delete from item where id = any($1) and not exists (select from post_item where item_id = item.id)",
            items
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "update item set url = words ->> 'url', title = words ->> 'title',
                artists = array(select jsonb_array_elements_text(words -> 'artists')), site = words ->> 'site',
                picture_url = words ->> 'picture_url'
            from unnest($1::uuid[]) as kept (id) cross join lateral (
                select words from post_item where item_id = kept.id and words is not null limit 1) as said
            where item.id = kept.id and not exists (
                select from post_item join post on post.id = post_id
                where item_id = item.id and status = 'POSTED' and hidden_at is null)",
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

    /// The items of a user's posts for the export of personal data, those of the newest posts first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select post.created_at as at, post.id,
                jsonb_build_object('post_id', post.id, 'kind', kind, 'external_id', external_id)
                    || coalesce(words, item_words(item)) as "thing!"
            from post join post_item on post_id = post.id join item on item.id = item_id
            where created_by = $1 and (post.created_at, post.id) < ($2, $3)
            order by post.created_at desc, post.id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
