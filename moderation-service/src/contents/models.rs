//! Contents in the database: all of the SQL of this feature.
use std::collections::HashMap;

use serde_json::value::RawValue;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::subjects::{SubjectKey, SubjectType};

/// Rows erased in one statement.
const BATCH: i64 = 500;

/// A version of a post or comment, as it was published.
#[derive(Debug)]
pub struct Content {
    pub key: SubjectKey,
    pub author: Uuid,
    /// The time of its last change; grows with every change.
    pub version: Timestamp,
    pub created_at: Timestamp,
    /// The post of a comment.
    pub post_id: Option<Uuid>,
    /// The title and the text; none when other users cannot read it.
    pub text: Option<String>,
    /// Views, comments and reactions, as the version has them.
    pub reach: i64,
    /// Whether this version is the one that a moderator has restored.
    pub is_restored: bool,
    /// Whether it was restored because no decision made here hides it any more.
    pub follows_decision: bool,
    /// As it was published; none when other users cannot read it.
    pub raw: Option<Box<RawValue>>,
}

/// What is read of a content again, to be analysed anew; the version is that of its text.
#[derive(Debug)]
pub struct StoredContent {
    pub id: Uuid,
    pub kind: SubjectType,
    pub author: Uuid,
    pub version: Timestamp,
    pub text: String,
}

// The statements below lock contents in the order of their ids: several streams do this at once, and locks taken in
// one order cannot deadlock. A transaction changes what follows from a content only while it has locked it.

/// Saves versions of contents, each content once. Returns the contents for which they are new, and whether their text is: not deleted,
/// and not known in this version or a later one. The profile of a user whose data is erased is no content any more.
pub async fn save_versions(tx: &mut PgTransaction<'_>, contents: &[Content]) -> sqlx::Result<HashMap<Uuid, bool>> {
    fn column<T>(contents: &[Content], of: impl Fn(&Content) -> T) -> Vec<T> {
        contents.iter().map(of).collect()
    }
    let rows = sqlx::query!(
        r#"insert into content (id, version, text_version, type, author, created_at, post_id, text, reach, restored, raw)
        select id, version, version, type, author, created_at, post_id, text, reach, restored, raw::json
        from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[], $5::timestamptz[], $6::uuid[], $7::text[],
                $8::bigint[], $9::boolean[], $10::text[])
            as received (id, version, type, author, created_at, post_id, text, reach, restored, raw)
        where type <> 'USER' or not exists (select from erasure where person = author)
        order by id
        on conflict (id) do update set version = excluded.version, type = excluded.type, author = excluded.author,
            created_at = excluded.created_at, post_id = excluded.post_id, text = excluded.text, reach = excluded.reach,
            text_version = case when content.text is distinct from excluded.text then excluded.version
                else coalesce(content.text_version, content.version) end,
            restored = excluded.restored or (content.restored and content.text is not distinct from excluded.text),
            raw = excluded.raw
        where content.gone_at is null and (content.version is null or content.version < excluded.version)
        returning id, text_version = version as "is_new_text!""#,
        &column(contents, |content| content.key.id),
        &column(contents, |content| content.version) as &[Timestamp],
        &column(contents, |content| content.key.r#type.word().to_owned()),
        &column(contents, |content| content.author),
        &column(contents, |content| content.created_at) as &[Timestamp],
        &column(contents, |content| content.post_id) as &[Option<Uuid>],
        &column(contents, |content| content.text.clone()) as &[Option<String>],
        &column(contents, |content| content.reach),
        &column(contents, |content| content.is_restored),
        &column(contents, |content| content.raw.as_ref().map(|raw| raw.get().to_owned())) as &[Option<String>]
    );
    Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(|row| (row.id, row.is_new_text)).collect())
}

/// Locks contents until the transaction ends.
pub async fn lock(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("select id from content where id = any($1) order by id for update", contents)
        .fetch_all(&mut **tx)
        .await?;
    Ok(())
}

/// Saves that contents were deleted, whether they were known or not. Their texts go, but for those that a decision is in force
/// about: an appeal needs them.
pub async fn save_deletions(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into content (id, gone_at) select distinct id, now() from unnest($1::uuid[]) as gone (id) order by id
        on conflict (id) do update set gone_at = coalesce(content.gone_at, excluded.gone_at)",
        contents
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "update content set text = null, raw = null where id = any($1) and (text is not null or raw is not null)
            and not exists (select from subject where subject.type = content.type and subject.id = content.id
                and subject.active <> '[]')",
        contents
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The type and author of those among these contents that are known.
pub async fn list_keys(db: impl PgExecutor<'_>, contents: &[Uuid]) -> sqlx::Result<Vec<(SubjectKey, Uuid)>> {
    let rows = sqlx::query!(
        r#"select id, type as "type!: SubjectType", author as "author!" from content
        where id = any($1) and type is not null and author is not null order by id"#,
        contents
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    Ok(rows.map(|row| (SubjectKey { r#type: row.r#type, id: row.id }, row.author)).collect())
}

/// Of these versions, each with the hash of its text, the contents to which they would bring a new text, as [`save_versions`] has it.
pub async fn list_new_texts(
    db: impl PgExecutor<'_>,
    ids: &[Uuid],
    versions: &[Timestamp],
    hashes: &[Vec<u8>],
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"select received.id as "id!"
        from unnest($1::uuid[], $2::timestamptz[], $3::bytea[]) as received (id, version, hash)
        left join content on content.id = received.id
        where content.id is null or content.gone_at is null
            and (content.version is null or content.version < received.version)
            and (content.text is null or sha256(convert_to(content.text, 'UTF8')) <> received.hash)"#,
        ids,
        versions as &[Timestamp],
        hashes
    )
    .fetch_all(db)
    .await
}

/// The contents with a text that come after an id.
pub async fn list_texts_after(db: impl PgExecutor<'_>, after: Uuid, rows: i64) -> sqlx::Result<Vec<StoredContent>> {
    sqlx::query_as!(
        StoredContent,
        r#"select id, type as "kind!: SubjectType", author as "author!", coalesce(text_version, version) as "version!", text as "text!"
        from content where id > $1 and text is not null and gone_at is null and not restored
        order by id limit $2"#,
        after,
        rows
    )
    .fetch_all(db)
    .await
}

/// Locks those of these contents that have a text still, and returns them as they are now. What is locked by another transaction is being
/// changed and analysed by it.
pub async fn lock_texts(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<StoredContent>> {
    sqlx::query_as!(
        StoredContent,
        r#"select id, type as "kind!: SubjectType", author as "author!", coalesce(text_version, version) as "version!", text as "text!"
        from content where id = any($1) and text is not null and gone_at is null and not restored
        order by id for update"#,
        ids
    )
    .fetch_all(&mut **tx)
    .await
}

/// How many contents have a text.
pub async fn count_texts(db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from content where text is not null and gone_at is null and not restored"#
    )
    .fetch_one(db)
    .await
}

/// Erases a batch of an author's contents: of each remains that it is gone. True when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<bool> {
    let erased = sqlx::query!(
        "update content set author = null, text = null, raw = null, post_id = null, created_at = null, reach = 0,
            gone_at = coalesce(gone_at, now())
        where id in (select id from content where author = $1 order by id limit $2 for update)",
        author,
        BATCH
    );
    Ok(erased.execute(&mut **tx).await?.rows_affected() > 0)
}

/// An author's contents for the export of personal data, newest first.
pub async fn list_personal_data(
    db: &PgPool,
    author: Uuid,
    before: Cursor,
    rows: i64,
) -> sqlx::Result<Vec<PersonalDataItem>> {
    sqlx::query_as!(
        PersonalDataItem,
        r#"select created_at as "at!", id, to_json(held) as "thing!" from (
            select id, type, author, created_at, version, post_id, text, reach, gone_at
            from content where author = $1 and created_at is not null and (created_at, id) < ($2, $3)
            order by created_at desc, id desc limit $4
        ) as held order by created_at desc, id desc"#,
        author,
        before.at,
        before.id,
        rows
    )
    .fetch_all(db)
    .await
}
