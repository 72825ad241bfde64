//! The audit: who did what, for actions that may have to be accounted for. Rows are added, in the transaction of what
//! they record, and never changed; a trigger refuses it.
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::core::doors::client_ip::Client;
use crate::core::ground::telemetry::trace;

/// What was done.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The person; none is an operator, or, where the action is a sign-in, an unknown person.
    pub who: Option<Uuid>,
    /// A word for it, in the past tense: `role_changed`.
    pub action: &'a str,
    /// What it was done to.
    pub target: Option<Uuid>,
    /// How it ended, or what it was changed to. Never a name, an address, a secret or a user's words.
    pub result: &'a str,
}

/// Adds an entry, with the network and the id of the request at hand.
pub async fn record(db: impl PgExecutor<'_>, entry: Entry<'_>) -> sqlx::Result<()> {
    let query = sqlx::query!(
        "insert into audit (id, who, action, target, result, address_prefix, request_id)
        values ($1, $2, $3, $4, $5, $6, $7)",
        Uuid::now_v7(),
        entry.who,
        entry.action,
        entry.target,
        entry.result,
        Client::current().map(Client::network),
        trace::trace_id()
    );
    query.execute(db).await.map(drop)
}
