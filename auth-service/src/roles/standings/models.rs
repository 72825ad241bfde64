//! Standings in the database: all of the SQL of this feature.
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::app::identity::Status;
use crate::core::contract::timestamp::Timestamp;

/// What moderation says about an account.
#[derive(Clone, Debug)]
pub struct Standing {
    pub user_id: Uuid,
    pub version: i64,
    /// When moderation decided.
    pub at: Timestamp,
    pub status: Status,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    pub reason: Option<String>,
    /// Moderation's decision.
    pub moderation_id: Option<Uuid>,
    /// Whether it restricts staff.
    pub refused: bool,
}

impl Standing {
    /// Saves a standing of an account that this transaction has locked; false when one as new is stored.
    pub async fn save(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        let saved = sqlx::query!(
            "insert into standing (user_id, version, at, status, until, reason, moderation_id, refused)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (user_id) do update set version = excluded.version, at = excluded.at, status = excluded.status,
                until = excluded.until, reason = excluded.reason, moderation_id = excluded.moderation_id,
                refused = excluded.refused
            where standing.version < excluded.version",
            self.user_id,
            self.version,
            self.at as Timestamp,
            self.status as Status,
            self.until as Option<Timestamp>,
            self.reason,
            self.moderation_id,
            self.refused
        )
        .execute(&mut **tx)
        .await?;
        Ok(saved.rows_affected() > 0)
    }

    /// The standing of an account that holds for something, if moderation has decided about it.
    pub async fn find(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select user_id, version, at, status as "status: Status", until, reason, moderation_id, refused from standing
            where user_id = $1 and not refused"#,
            user
        )
        .fetch_optional(&mut **tx)
        .await
    }
}

/// The status of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountStatus {
    pub status: Status,
    pub until: Option<DateTime<Utc>>,
    /// Whether moderation has set it.
    pub moderated: bool,
}

/// The status of an account that exists, and what people decided last.
pub struct StatusByPeople {
    /// The time of the transaction, by the database's clock, by which what is over is found.
    pub now: Timestamp,
    pub account: AccountStatus,
    /// What it was set to, until when, and when that was decided.
    pub decided: Option<(AccountStatus, DateTime<Utc>)>,
}

impl StatusByPeople {
    /// Of an account that this transaction has locked.
    pub async fn find(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<Self> {
        let row = sqlx::query!(
            r#"select now() as "now!", account.status, status_until, status_moderated, decided.status as "decided?: Status",
                decided.until, decided.at as "at?"
            from account left join lateral (
                select status, until, at from decision
                where user_id = account.id and status is not null and decided_by is not null
                order by at desc, id desc limit 1
            ) as decided on true
            where account.id = $1"#,
            user
        )
        .fetch_one(&mut **tx)
        .await?;
        let until = row.status_until.map(|until| until.0);
        let account = AccountStatus { status: row.status, until, moderated: row.status_moderated };
        let decided = row.decided.zip(row.at).map(|(status, at)| {
            (AccountStatus { status, until: row.until.map(|until| until.0), moderated: false }, at.0)
        });
        Ok(Self { now: row.now, account, decided })
    }
}
