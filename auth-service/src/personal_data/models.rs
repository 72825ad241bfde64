//! What is held about people, and who has erased it, in the database: all of the SQL of this feature.
use serde::Serialize;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// A list per kind of things: each query answers `at`, `id` and the `thing` of a person (`$1`) that come after a place
/// (`$2`, `$3`), so many (`$4`) at most.
macro_rules! personal_data {
    ($($(#[$doc:meta])* $name:ident = $sql:tt;)*) => {$(
        $(#[$doc])*
        pub async fn $name(db: &PgPool, person: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<PersonalDataItem>> {
            sqlx::query_as!(PersonalDataItem, $sql, person, before.at, before.id, rows).fetch_all(db).await
        }
    )*};
}

personal_data! {
    /// The person's account, less the proof of their password.
    accounts =
        r#"select created_at as "at!", id as "id!", to_jsonb(account) - array['password_hash', 'username_skeleton', 'email_key', 'signed_up_by'] as "thing!" from account
        where id = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#;

    // What others claim by a sign-up with the same address is not theirs, and is not in here.
    /// What can be taken back of changes of their address and password, less the proof of a password.
    account_changes =
        r#"select changed_at as "at!", id as "id!",
            to_jsonb(account_change) - array['password_hash', 'email_key'] as "thing!"
        from account_change
        where user_id = $1 and (changed_at, id) < ($2, $3) order by changed_at desc, id desc limit $4"#;

    /// Their connections.
    connections =
        r#"select connected_at as "at!", target_id as "id!", to_jsonb(connection) as "thing!" from connection
        where user_id = $1 and (connected_at, target_id) < ($2, $3) order by connected_at desc, target_id desc limit $4"#;

    /// Who is connected to them.
    followers =
        r#"select connected_at as "at!", user_id as "id!", to_jsonb(connection) as "thing!" from connection
        where target_id = $1 and (connected_at, user_id) < ($2, $3) order by connected_at desc, user_id desc limit $4"#;

    /// Their blocks; not those of others against them.
    blocks =
        r#"select blocked_at as "at!", target_id as "id!", to_jsonb(block) as "thing!" from block
        where user_id = $1 and (blocked_at, target_id) < ($2, $3) order by blocked_at desc, target_id desc limit $4"#;

    /// Suggestions that they dismissed.
    dismissed_suggestions =
        r#"select dismissed_at as "at!", target_id as "id!", to_jsonb(dismissed_suggestion) as "thing!"
        from dismissed_suggestion
        where user_id = $1 and (dismissed_at, target_id) < ($2, $3) order by dismissed_at desc, target_id desc limit $4"#;

    /// Their sessions, with devices and networks.
    sessions =
        r#"select created_at as "at!", id as "id!", to_jsonb(session) as "thing!" from session
        where user_id = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#;

    // A place has no id of its own; any that is the same each time puts those of one moment in an order.
    /// From where they have signed in.
    places =
        r#"select first_seen_at as "at!", md5(device || address_prefix)::uuid as "id!",
            to_jsonb(place) as "thing!"
        from place where user_id = $1 and (first_seen_at, md5(device || address_prefix)::uuid) < ($2, $3)
        order by first_seen_at desc, md5(device || address_prefix)::uuid desc limit $4"#;

    /// Accounts elsewhere that they have linked, without the tokens.
    linked_accounts =
        r#"select linked_at as "at!", id as "id!",
            to_jsonb(linked_account) - array['tokens', 'key_id', 'refreshing_until', 'token_version'] || jsonb_build_object(
                'issuer', (select issuer from provider_identity where link_id = linked_account.id)) as "thing!" from linked_account
        where user_id = $1 and (linked_at, id) < ($2, $3) order by linked_at desc, id desc limit $4"#;

    /// Mails to them: those that wait, and what is left of those that were sent or given up.
    mails =
        r#"select created_at as "at!", id as "id!", to_jsonb(mail) as "thing!" from mail
        where user_id = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#;

    /// Decisions about them, without the deciding user.
    decisions =
        r#"select at as "at!", id as "id!", to_jsonb(decision) - 'decided_by' as "thing!" from decision
        where user_id = $1 and (at, id) < ($2, $3) order by at desc, id desc limit $4"#;

    /// What moderation has decided about their account.
    standings =
        r#"select at as "at!", user_id as "id!", to_jsonb(standing) as "thing!" from standing
        where user_id = $1 and (at, user_id) < ($2, $3) order by at desc limit $4"#;

    /// What the audit says that was done to them.
    audit =
        r#"select at as "at!", id as "id!", to_jsonb(audit) - 'who' as "thing!" from audit
        where target = $1 and (at, id) < ($2, $3) order by at desc, id desc limit $4"#;
}

/// How far the erasure of a person is.
#[derive(Serialize)]
pub struct ErasureProgress {
    pub person: Uuid,
    pub asked_at: Timestamp,
    /// The services that hold nothing any more.
    pub confirmed: Vec<String>,
}

impl ErasureProgress {
    /// The erasure of a person; none when it was not requested.
    pub async fn of(db: impl PgExecutor<'_>, person: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select person, asked_at,
                array(select service from erasure_confirmation as confirmation
                    where confirmation.person = erasure.person
                    union all select 'auth-service' where erasure.confirmed_at is not null
                    order by 1) as "confirmed!"
            from erasure where person = $1"#,
            person
        )
        .fetch_optional(db)
        .await
    }
}

/// Notes that a service holds nothing any more of these people.
pub async fn confirm(tx: &mut PgTransaction<'_>, service: &str, people: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into erasure_confirmation (person, service) select distinct person, $2 from unnest($1::uuid[]) as told (person)
        on conflict (person, service) do nothing",
        people,
        service
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes which erasures all these services have confirmed, and this one; for how many seconds the oldest other one has
/// waited, 0 when there is none.
pub async fn complete_erasures(db: &PgPool, services: &[String]) -> sqlx::Result<f64> {
    let update = sqlx::query!(
        "update erasure set complete_at = now() where complete_at is null and confirmed_at is not null
        and $1::text[] <@ array(select service from erasure_confirmation where person = erasure.person)",
        services
    );
    update.execute(db).await?;
    let query = sqlx::query_scalar!(
        r#"select coalesce(extract(epoch from now() - min(asked_at)), 0)::float8 as "seconds!"
        from erasure where complete_at is null"#
    );
    query.fetch_one(db).await
}
