//! Promises: every write that was answered with success is there, and none that was deleted with success.

use std::fmt::Write as _;

use crate::proof::chaos::acts::INSULT;
use crate::proof::chaos::checks::{Check, Kind, check};
use crate::proof::chaos::record::{Fate, Record};

/// The promises as tables of this session.
pub fn tables(record: &Record) -> String {
    let mut sql = String::new();
    let mut table = |name: &str, columns: &str, rows: Vec<String>| {
        writeln!(sql, "create temp table {name} ({columns});").unwrap_or_default();
        for rows in rows.chunks(1_000) {
            writeln!(sql, "insert into {name} values {};", rows.join(", ")).unwrap_or_default();
        }
    };
    let account = |(id, fate): (&String, &Fate)| format!("('{id}', {})", there(*fate));
    table("promised_account", "id uuid, there boolean", record.accounts.iter().map(account).collect());
    let connections = record
        .connections
        .iter()
        .filter_map(|((from, to), known)| known.map(|there| format!("('{from}', '{to}', {there})")));
    table("promised_connection", "user_id uuid, target_id uuid, there boolean", connections.collect());
    let posts = record.posts.iter().map(|(id, post)| {
        let status = post.status.map_or("null".to_owned(), |status| format!("'{status}'"));
        format!("('{id}', {}, {status}, {})", there(post.fate), post.insult)
    });
    table("promised_post", "id uuid, there boolean, status text, insult boolean", posts.collect());
    for (name, answers) in [("promised_comment", &record.comments), ("promised_reaction", &record.reactions)] {
        let rows = answers
            .iter()
            .map(|(id, answer)| format!("('{id}', '{}', {}, {})", answer.post, there(answer.fate), answer.insult));
        table(name, "id uuid, post_id uuid, there boolean, insult boolean", rows.collect());
    }
    let denied = record.denied.iter().map(|(what, id)| format!("('{what}', '{id}')"));
    table("denied", "what text, id uuid", denied.collect());
    let tallies = record
        .tallies
        .iter()
        .map(|((person, told), tally)| format!("('{person}', '{}', {}, {})", told.stream(), tally.ok, tally.unknown));
    table("tally", "person text, stream text, ok bigint, unknown bigint", tallies.collect());
    sql
}

fn there(fate: Fate) -> &'static str {
    match fate {
        Fate::There => "true",
        Fate::Gone => "false",
        Fate::Uncertain => "null",
    }
}

pub fn checks() -> Vec<Check> {
    let mut checks = vec![
        check(
            Kind::Lost,
            "select format('account %s', id) from promised_account
            where there and not exists (select from auth.account where account.id = promised_account.id)",
        ),
        check(
            Kind::Lost,
            "select format('the connection of %s to %s', user_id, target_id) from promised_connection
            join promised_account as one on one.id = user_id join promised_account as other on other.id = target_id
            where promised_connection.there and one.there and other.there and not exists (select from auth.connection
                where (connection.user_id, connection.target_id)
                    = (promised_connection.user_id, promised_connection.target_id))",
        ),
        check(
            Kind::Wrong,
            "select format('the connection of %s to %s is there again', user_id, target_id) from promised_connection
            where not there and exists (select from auth.connection
                where (connection.user_id, connection.target_id)
                    = (promised_connection.user_id, promised_connection.target_id))",
        ),
        // An insult may be gone, if moderation wanted it.
        check(
            Kind::Lost,
            format!(
                "select format('post %s', id) from promised_post
                where there and not exists (select from post.post where post.id = promised_post.id)
                    and not (insult and id in ({UNWANTED}))"
            ),
        ),
        check(
            Kind::Lost,
            "select format('the status %s of post %s, which is %s', promised_post.status, id, post.status)
            from promised_post join post.post using (id) where promised_post.status <> post.status",
        ),
        check(
            Kind::Lost,
            format!(
                "select format('the deletion of post %s, an insult', id) from post.post
                where content = '{INSULT}' and status = 'POSTED'
                union all
                select format('the deletion of comment %s, an insult', id) from interaction.comment
                where content = '{INSULT}'"
            ),
        ),
        // Every action is an event, once: as often as it succeeded, and at most so often more as it is unknown.
        check(
            Kind::Lost,
            format!(
                "select format('%s of %s: %s succeeded, %s were told', stream, person, ok, told) from ({TOLD}) as acts
            where told < ok"
            ),
        ),
        check(
            Kind::Doubled,
            format!(
                "select format('%s of %s: %s succeeded, %s are unknown, %s were told', stream, person, ok, unknown,
                told) from ({TOLD}) as acts where told > ok + unknown"
            ),
        ),
    ];
    // What was said about a post that is gone is gone too.
    for noun in ["comment", "reaction"] {
        checks.push(check(
            Kind::Lost,
            format!(
                "select format('{noun} %s on post %s', id, post_id) from promised_{noun}
                where there and exists (select from post.post where post.id = post_id)
                    and not exists (select from interaction.{noun} where {noun}.id = promised_{noun}.id)
                    and not (insult and id in ({UNWANTED}))"
            ),
        ));
    }
    let tables = [("account", "auth"), ("post", "post"), ("comment", "interaction"), ("reaction", "interaction")];
    for (noun, schema) in tables {
        checks.push(check(
            Kind::Wrong,
            format!(
                "select format('{noun} %s is there, and somebody was told that it is not', id)
                from denied join {schema}.{noun} using (id) where what = '{noun}'"
            ),
        ));
        checks.push(check(
            Kind::Wrong,
            format!(
                "select format('{noun} %s is there again', id) from promised_{noun} join {schema}.{noun} using (id)
                where not there"
            ),
        ));
    }
    checks
}

/// What moderation wanted gone. Its cases about somebody end when they leave; what it told stays.
const UNWANTED: &str = "select (message ->> 'content_id')::uuid from moderation.outbox
    where stream in ('post_delete_requested', 'moderation_post_comment_delete_requested')";

/// Every tally with the number of events that tell of it.
const TOLD: &str = "select person, tally.stream, ok, unknown, count(told.seq) as told from tally
    left join told on told.stream = tally.stream
        and person = case told.stream when 'post_viewed' then message ->> 'viewed_by' else message ->> 'created_by' end
    group by person, tally.stream, ok, unknown";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::chaos::record::{Outcome, Told};

    #[test]
    fn a_promise_is_a_row_and_what_is_unknown_is_null() {
        let mut record = Record::default();
        record.accounts.insert("a".to_owned(), Fate::There);
        record.accounts.insert("b".to_owned(), Fate::Uncertain);
        record.tally("a", Told::View, &Outcome::Unknown);
        let sql = tables(&record);
        assert!(sql.contains("insert into promised_account values ('a', true), ('b', null);"), "{sql}");
        assert!(sql.contains("insert into tally values ('a', 'post_viewed', 0, 1);"), "{sql}");
        assert!(!sql.contains("insert into promised_post"), "no rows, no statement: {sql}");
    }
}
