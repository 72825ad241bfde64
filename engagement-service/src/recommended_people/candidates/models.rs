//! Candidates in the database: the lists of people from which recommendations are computed.
use std::collections::HashMap;

use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::affinities::services::Weights;

/// How many connections of a person are followed, those that were made last.
pub const MAX_OWN: i64 = 300;
/// How many connections of each of them are looked at, those that were made last. What each gets of a person with more is a share below
/// a two hundredth; with a hundred, who is known by popular people alone was passed over.
const MAX_THEIRS: i64 = 200;
/// The number of connections above which no more are counted: the share of each is small enough then.
const MAX_COUNTED: i64 = 1_000;
/// How many of those who are connected to a person are looked at, those whose connections were made last.
const MAX_FOLLOWERS: i64 = 100;
/// How many of a tag's followers are looked at: its newest ones, and as many who began right before the person did. With the newest
/// alone, the same few would be recommended to all who follow a popular tag.
const MAX_PER_TAG: i64 = 15;
/// How many tags of a person are looked at, the latest.
const MAX_TAGS: i64 = 10;

/// What is known about a person who gets recommendations.
pub struct PersonAhead {
    pub user_id: Uuid,
    /// Their connections, the latest first.
    pub own: Vec<Uuid>,
    /// Those who are connected to them, the latest first.
    pub followers: Vec<Uuid>,
    /// Some who follow the same tags.
    pub like_minded: Vec<Uuid>,
    /// Those who listen to the same and share that, with how similar they are.
    pub similar: Vec<Uuid>,
    pub similarities: Vec<f64>,
    /// Those who are never recommended to them: dismissed, muted, blocked in either direction.
    pub excluded: Vec<Uuid>,
}

impl PersonAhead {
    /// What is known about people, leaving out those who are not here.
    pub async fn list(tx: &mut PgTransaction<'_>, people: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select person.id as user_id,
                array(select target_id from follow where user_id = person.id and stands
                    order by at desc, target_id) as "own!",
                array(select user_id from follow where target_id = person.id and stands
                    order by at desc, user_id limit $2) as "followers!",
                array(select distinct near.user_id from (
                        select tag, followed_at from tag_follow where user_id = person.id
                        order by followed_at desc, id desc limit $3
                    ) as followed cross join lateral (
                        (select user_id from tag_follow where tag_follow.tag = followed.tag
                            order by tag_follow.followed_at desc, user_id limit $4)
                        union all
                        (select user_id from tag_follow
                            where tag_follow.tag = followed.tag and tag_follow.followed_at < followed.followed_at
                            order by tag_follow.followed_at desc, user_id limit $4)
                    ) as near where near.user_id <> person.id) as "like_minded!",
                alike.people as "similar!", alike.similarities as "similarities!",
                array(select person_id from dismissed_person where user_id = person.id
                    union all select target_id from mute where user_id = person.id
                    union all select target_id from block where user_id = person.id and stands
                    union all select user_id from block where target_id = person.id and stands) as "excluded!"
            from person cross join lateral (
                select coalesce(array_agg(other_id), '{}') as people, coalesce(array_agg(similarity), '{}') as similarities
                from taste_match join taste on taste.person_id = other_id
                where taste_match.person_id = person.id and shared
            ) as alike where id = any($1)"#,
            people,
            MAX_FOLLOWERS,
            MAX_TAGS,
            MAX_PER_TAG
        )
        .fetch_all(&mut **tx)
        .await
    }
}

/// A person by whose connections others are reached.
pub struct Between {
    pub id: Uuid,
    /// Their connections, those that were made last.
    pub reached: Vec<Uuid>,
    /// How many connections they have, up to a thousand.
    pub degree: i64,
}

impl Between {
    /// The connections of people.
    pub async fn list(db: impl PgExecutor<'_>, people: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Self>> {
        let all = sqlx::query_as!(
            Self,
            // Most have fewer connections than are looked at: these are counted already. The offset keeps the list from being read
            // once for each mention of it.
            r#"select id as "id!", reached as "reached!",
                case when cardinality(reached) < $2 then cardinality(reached)::bigint else (
                    select count(*) from (select from follow where user_id = near.id and stands limit $3) as few
                ) end as "degree!"
            from unnest($1::uuid[]) as near (id) cross join lateral (
                select array(select target_id from follow where user_id = near.id and stands
                    order by at desc, target_id limit $2) as reached offset 0
            ) as latest"#,
            people,
            MAX_THEIRS,
            MAX_COUNTED
        );
        Ok(all.fetch_all(db).await?.into_iter().map(|between| (between.id, between)).collect())
    }
}

/// What is known about a person that two people can have in common.
pub struct Traits {
    pub id: Uuid,
    pub interests: Vec<String>,
    pub weights: Option<Json<Weights>>,
}

impl Traits {
    /// The traits of people; those who are not here and those who are banned are left out.
    pub async fn list(db: impl PgExecutor<'_>, people: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Self>> {
        let all = sqlx::query_as!(
            Self,
            r#"select id as "id!", interests as "interests!", weights as "weights?: Json<Weights>" from person
            left join affinity on person_id = id where id = any($1) and status <> 'BANNED'"#,
            people
        );
        Ok(all.fetch_all(db).await?.into_iter().map(|traits| (traits.id, traits)).collect())
    }
}
