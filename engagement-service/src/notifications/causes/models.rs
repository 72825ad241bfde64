//! The causes of notifications and the rows of their actors in the database.
use chrono::NaiveDate;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::notifications::causes::{Cause, Group, Pair, PostActor, Standing};
use crate::notifications::numbers::models::{Change, number_changes};
use crate::notifications::{Type, kept_since};

/// The row of a person behind a group, with the columns of the group.
struct ActorRow {
    user_id: Uuid,
    r#type: Type,
    subject_id: Uuid,
    day: Option<NaiveDate>,
    actor_id: Uuid,
    stands: bool,
    at: Timestamp,
    newest: Timestamp,
}

impl From<ActorRow> for Standing {
    fn from(row: ActorRow) -> Self {
        let ActorRow { user_id, r#type, subject_id, day, actor_id, stands, at, newest } = row;
        Self { group: Group { user_id, r#type, subject_id, day }, actor_id, stands, at, newest, is_news: false }
    }
}

/// A cause on a post as it is read: what a person did there, and who is notified of it.
pub struct PostCause {
    pub r#type: Type,
    pub post_id: Uuid,
    pub actor_id: Uuid,
    /// The reader.
    pub user_id: Uuid,
    pub at: Timestamp,
}

impl From<PostCause> for Cause {
    fn from(cause: PostCause) -> Self {
        let PostCause { user_id, r#type, post_id, actor_id, at } = cause;
        Self { group: Group { user_id, r#type, subject_id: post_id, day: None }, actor_id, at }
    }
}

/// The connection of a person to a reader as it is read.
pub struct ConnectionCause {
    /// The reader.
    pub target_id: Uuid,
    pub user_id: Uuid,
    pub at: Timestamp,
}

impl From<ConnectionCause> for Cause {
    fn from(cause: ConnectionCause) -> Self {
        let ConnectionCause { target_id, user_id, at } = cause;
        Self { group: connections_of(target_id, at.0.date_naive()), actor_id: user_id, at }
    }
}

/// The causes on posts for these readers: those of the given people.
pub async fn list_causes(
    tx: &mut PgTransaction<'_>,
    interactions: &[PostActor],
    readers: &[Uuid],
) -> sqlx::Result<Vec<Cause>> {
    let rows = sqlx::query_as!(
        PostCause,
        r#"with cause as (
            select touched.*, type, at, reader_id from unnest($1::uuid[], $2::uuid[]) as touched (post_id, actor_id)
            cross join lateral causes(touched.post_id, touched.actor_id)
        )
        select cause.type as "type!: Type", post_id as "post_id!", actor_id as "actor_id!",
            coalesce(reader_id, user_id) as "user_id!", max(at) as "at!: Timestamp"
        from cause join post_card on post_card.id = post_id
        where deleted_at is null and coalesce(reader_id, user_id) = any($3)
            and may_notify(coalesce(reader_id, user_id), actor_id)
            and (reader_id is null or not hidden(reader_id, user_id))
        group by cause.type, post_id, actor_id, coalesce(reader_id, user_id)"#,
        &interactions.iter().map(|touched| touched.post_id).collect::<Vec<_>>(),
        &interactions.iter().map(|touched| touched.actor_id).collect::<Vec<_>>(),
        readers
    );
    Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(Cause::from).collect())
}

/// The stored rows of people behind groups of posts of these readers.
pub async fn list_actors(
    tx: &mut PgTransaction<'_>,
    interactions: &[PostActor],
    readers: &[Uuid],
) -> sqlx::Result<Vec<Standing>> {
    let rows = sqlx::query_as!(
        ActorRow,
        "select notification.user_id, type, subject_id, day, notification_actor.actor_id, stands, at, newest
        from unnest($1::uuid[], $2::uuid[]) as touched (post_id, actor_id)
        join notification on subject_id = touched.post_id and notification.user_id = any($3)
            and type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED', 'USER_MENTIONED', 'COMMENT_REPLY',
                'COMMENT_REACTION_RECEIVED')
        join notification_actor on notification_id = notification.id and notification_actor.actor_id = touched.actor_id",
        &interactions.iter().map(|touched| touched.post_id).collect::<Vec<_>>(),
        &interactions.iter().map(|touched| touched.actor_id).collect::<Vec<_>>(),
        readers
    );
    Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(Standing::from).collect())
}

/// The connections of people to readers, each in the group of its day.
pub async fn list_connections(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<Vec<Cause>> {
    let rows = sqlx::query_as!(
        ConnectionCause,
        "select target_id, follow.user_id, at from unnest($1::uuid[], $2::uuid[]) as pair (user_id, actor_id)
        join follow on target_id = pair.user_id and follow.user_id = pair.actor_id and stands
        where may_notify(target_id, follow.user_id)",
        &pairs.iter().map(|pair| pair.user_id).collect::<Vec<_>>(),
        &pairs.iter().map(|pair| pair.actor_id).collect::<Vec<_>>()
    );
    Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(Cause::from).collect())
}

/// The stored rows of people behind groups of connections.
pub async fn list_connected(tx: &mut PgTransaction<'_>, pairs: &[Pair]) -> sqlx::Result<Vec<Standing>> {
    let rows = sqlx::query_as!(
        ActorRow,
        "select notification.user_id, type, subject_id, day, notification_actor.actor_id, stands, at, newest
        from unnest($1::uuid[], $2::uuid[]) as pair (user_id, actor_id)
        join notification on notification.user_id = pair.user_id and type = 'USER_CONNECTED' and subject_id = pair.user_id
        join notification_actor on notification_id = notification.id and notification_actor.actor_id = pair.actor_id",
        &pairs.iter().map(|pair| pair.user_id).collect::<Vec<_>>(),
        &pairs.iter().map(|pair| pair.actor_id).collect::<Vec<_>>()
    );
    Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(Standing::from).collect())
}

/// The group of the connections to a reader of one day.
fn connections_of(user_id: Uuid, day: NaiveDate) -> Group {
    Group { user_id, r#type: Type::UserConnected, subject_id: user_id, day: Some(day) }
}

/// Some groups in which a person stands.
pub async fn list_actors_of(tx: &mut PgTransaction<'_>, actor: Uuid, rows: i64) -> sqlx::Result<Vec<Standing>> {
    let rows = sqlx::query_as!(
        ActorRow,
        "select notification.user_id, type, subject_id, day, actor_id, stands, at, newest
        from notification_actor join notification on notification.id = notification_id
        where actor_id = $1 order by notification_id limit $2",
        actor,
        rows
    );
    Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(Standing::from).collect())
}

/// Deletes the rows of a person behind groups.
pub async fn delete_actor(tx: &mut PgTransaction<'_>, actors: &[Standing]) -> sqlx::Result<()> {
    let groups = Columns::of(actors);
    sqlx::query!(
        "delete from notification_actor using notification,
            unnest($1::uuid[], $2::text[], $3::uuid[], $4::date[], $5::uuid[]) as gone (user_id, type, subject_id, day, actor_id)
        where notification.id = notification_id and notification.user_id = gone.user_id and notification.type = gone.type
            and notification.subject_id = gone.subject_id and notification.day is not distinct from gone.day
            and notification_actor.actor_id = gone.actor_id",
        &groups.users,
        &groups.types,
        &groups.subjects,
        &groups.days as &[Option<NaiveDate>],
        &actors.iter().map(|actor| actor.actor_id).collect::<Vec<_>>()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The columns of groups, as lists.
struct Columns {
    users: Vec<Uuid>,
    types: Vec<String>,
    subjects: Vec<Uuid>,
    days: Vec<Option<NaiveDate>>,
}

impl Columns {
    fn of(actors: &[Standing]) -> Self {
        Self {
            users: actors.iter().map(|actor| actor.group.user_id).collect(),
            types: actors.iter().map(|actor| actor.group.r#type.word().to_owned()).collect(),
            subjects: actors.iter().map(|actor| actor.group.subject_id).collect(),
            days: actors.iter().map(|actor| actor.group.day).collect(),
        }
    }
}

/// Writes rows of actors, and what follows for their groups: count, times, and whether they are news. This transaction has locked
/// the readers. A group whose causes are all older than what is kept does not begin.
pub async fn save_actors(tx: &mut PgTransaction<'_>, actors: &[Standing]) -> sqlx::Result<()> {
    if actors.is_empty() {
        return Ok(());
    }
    let groups = Columns::of(actors);
    sqlx::query!(
        "insert into notification (id, user_id, type, subject_id, day, withheld, created_at, updated_at)
        select distinct on (seen.user_id, seen.type, seen.subject_id, seen.day)
            seen.id, seen.user_id, seen.type, seen.subject_id, seen.day,
            post_card.id is not null and not is_public(post_card), seen.at, seen.at
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::date[], $6::timestamptz[], $7::boolean[])
            as seen (id, user_id, type, subject_id, day, at, stands)
        left join post_card on post_card.id = seen.subject_id
        where seen.stands and seen.at > $8
        on conflict on constraint notification_group_key do nothing",
        &actors.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>(),
        &groups.users,
        &groups.types,
        &groups.subjects,
        &groups.days as &[Option<NaiveDate>],
        &actors.iter().map(|actor| actor.at).collect::<Vec<_>>() as &[Timestamp],
        &actors.iter().map(|actor| actor.stands).collect::<Vec<_>>(),
        kept_since() as Timestamp
    )
    .execute(&mut **tx)
    .await?;
    let changes = sqlx::query_as!(
        Change,
        r#"with seen as (
            select notification.id, shown, actor.actor_id, actor.stands, actor.at, actor.newest, actor.is_news,
                coalesce(before.stands, false) as stood
            from unnest($1::uuid[], $2::text[], $3::uuid[], $4::date[], $5::uuid[], $6::boolean[], $7::timestamptz[],
                $8::timestamptz[], $9::boolean[])
                as actor (user_id, type, subject_id, day, actor_id, stands, at, newest, is_news)
            join notification on notification.user_id = actor.user_id and notification.type = actor.type
                and notification.subject_id = actor.subject_id and notification.day is not distinct from actor.day
            left join notification_actor as before on before.notification_id = notification.id
                and before.actor_id = actor.actor_id
        ), saved as (
            insert into notification_actor (notification_id, actor_id, stands, at, newest)
            select id, actor_id, stands, at, newest from seen
            on conflict (notification_id, actor_id) do update
            set stands = excluded.stands, at = excluded.at, newest = excluded.newest
        ), moved as (
            select id, shown, bool_or(is_news) as is_news,
                count(*) filter (where stands) - count(*) filter (where stood) as causes
            from seen group by id, shown
        )
        update notification set causes = notification.causes + moved.causes,
            status = case when is_news then 'GENERATED' else status end,
            viewed_at = case when is_news then null else viewed_at end,
            deleted_at = case when is_news then null else deleted_at end,
            gathered = notification.gathered and not is_news,
            due_at = case when is_news then greatest(now(), dispatched_at + make_interval(mins => 60)) else due_at end
        from moved where notification.id = moved.id
        returning notification.id, moved.shown as "was_shown!", notification.shown as "is_shown!""#,
        &groups.users,
        &groups.types,
        &groups.subjects,
        &groups.days as &[Option<NaiveDate>],
        &actors.iter().map(|actor| actor.actor_id).collect::<Vec<_>>(),
        &actors.iter().map(|actor| actor.stands).collect::<Vec<_>>(),
        &actors.iter().map(|actor| actor.at).collect::<Vec<_>>() as &[Timestamp],
        &actors.iter().map(|actor| actor.newest).collect::<Vec<_>>() as &[Timestamp],
        &actors.iter().map(|actor| actor.is_news).collect::<Vec<_>>()
    )
    .fetch_all(&mut **tx)
    .await?;
    // After the rows above: a statement does not see what it writes itself.
    sqlx::query!(
        "update notification set
            created_at = coalesce((select at from notification_actor
                where notification_id = id and stands order by at limit 1), created_at),
            updated_at = coalesce((select at from notification_actor
                where notification_id = id and stands order by at desc limit 1), updated_at)
        where id = any($1)",
        &changes.iter().map(|change| change.id).collect::<Vec<_>>()
    )
    .execute(&mut **tx)
    .await?;
    number_changes(tx, &changes).await
}
