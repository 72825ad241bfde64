//! What two people have in common in the database.
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::notifications::models::ActorCard;

/// Connections of each that are compared, the latest.
const COMPARED: i64 = 1_000;
/// Connections in common that are named.
const NAMED: i64 = 10;

/// A person, as they are compared.
pub struct ComparedPerson {
    pub id: Uuid,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub avatar_url: Option<String>,
    pub interests: Vec<String>,
}

impl ComparedPerson {
    /// A person who exists for a reader, or the reader. Who is banned exists for none.
    pub async fn find(db: impl PgExecutor<'_>, reader: Uuid, person: Uuid) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as!(
            Self,
            "select id, username, first_name, last_name, avatar_url, interests from person
            where id = $2 and status <> 'BANNED' and not hidden($1, $2)",
            reader,
            person
        );
        query.fetch_optional(db).await
    }
}

/// The connections of two people.
pub struct SharedConnections {
    /// How many are of both, and how many of one of them at least, of the latest thousand of each.
    pub common: i64,
    pub all: i64,
    /// Some of those of both, without those who do not exist for the reader.
    pub people: Json<Vec<ActorCard>>,
}

impl SharedConnections {
    /// The connections of a reader and another person.
    pub async fn find(db: &PgPool, reader: Uuid, other: Uuid) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"with own as materialized (
                select target_id from follow where user_id = $1 and stands order by at desc, target_id limit $3
            ), theirs as materialized (
                select target_id from follow where user_id = $2 and stands order by at desc, target_id limit $3
            ), common as materialized (select target_id from own intersect select target_id from theirs)
            select (select count(*) from common) as "common!",
                (select count(*) from (select target_id from own union select target_id from theirs) as either) as "all!",
                coalesce((select jsonb_agg(jsonb_build_object('id', id, 'username', username, 'first_name', first_name,
                    'last_name', last_name, 'avatar_url', avatar_url) order by id) from (
                        select person.* from common join person on person.id = target_id
                        where not hidden($1, person.id) and status <> 'BANNED' order by person.id limit $4
                    ) as named), '[]') as "people!: Json<Vec<ActorCard>>""#,
            reader,
            other,
            COMPARED,
            NAMED
        )
        .fetch_one(db)
        .await
    }
}
