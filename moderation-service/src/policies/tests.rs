//! Policies, through their routes and on events.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use uuid::Uuid;

use super::models::{fold_hits, load_policies};
use super::rules::{Rule, RuleOutcome};
use crate::SERVICE;
use crate::core::testing::{Platform, Reply, new_user};
use crate::decisions::events::COMMENT_DELETE_REQUESTED;
use crate::ledger::events::MODERATION_DECIDED;
use crate::moderations::events::COMMENT_CREATED;

/// The policy that every platform begins with.
const DEFAULT: &str = "019aa0c6-0000-7000-8000-000000000001";

fn staff(role: &str) -> String {
    format!("{}:ACTIVE:{role}", Uuid::now_v7())
}

async fn call(platform: &Platform, method: &str, path: &str, body: Option<Value>) -> Reply {
    platform.call(method, &format!("/moderation/policies{path}"), Some(&staff("ADMIN")), body).await
}

fn rule(name: &str, when: &Value, outcome: &str) -> Value {
    json!({ "name": name, "when": when, "outcome": outcome, "reason": "SPAM_COMMERCIAL" })
}

/// Consumes a comment of a new user; its id.
async fn write(platform: &Platform, content: &str) -> Uuid {
    let (id, at) = (Uuid::now_v7(), "2026-11-20T12:00:00+00:00");
    let comment = json!({ "id": id, "created_at": at, "created_by": new_user().1, "updated_at": at, "updated_by": null,
        "post_id": Uuid::now_v7(), "content": content });
    platform.consume(COMMENT_CREATED, &comment).await;
    id
}

async fn hidden(platform: &Platform) -> Vec<Value> {
    let requested = platform.published(COMMENT_DELETE_REQUESTED).await;
    requested.into_iter().map(|mut case| case["content_id"].take()).collect()
}

/// The state of a subject in words; empty when nothing has happened to it.
async fn state(platform: &Platform, id: Uuid) -> String {
    let query = format!(
        "select concat_ws(' ', visibility, review, array_to_string(labels, ',')) from subject where id = '{id}'"
    );
    let row = platform.app.db.fetch_optional(sqlx::AssertSqlSafe(query)).await.unwrap();
    row.map(|row| row.get::<String, _>(0).trim_end().to_owned()).unwrap_or_default()
}

/// The rules that the migration brings are understood by the service that comes with it.
#[sqlx::test(migrations = false)]
async fn the_default_policy_is_understood_and_enforced(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let policies = load_policies(&platform.app.db).await.unwrap();
    assert_eq!((policies.len(), policies[0].version), (3, 2), "one about texts, and two about pictures");
    assert_eq!(policies[0].id.to_string(), DEFAULT);
    let shown = call(&platform, "GET", &format!("/{DEFAULT}"), None).await.body;
    assert_eq!(
        (&shown["name"], &shown["mode"], &shown["updated_by"]),
        (&json!("Default"), &json!("ENFORCE"), &Value::Null)
    );
    assert_eq!(shown["versions"][0]["rules"], shown["rules"]);
    assert_eq!(policies[0].rules.len(), shown["rules"].as_array().unwrap().len());
}

/// Every change is a version that stays readable, and is audited; a change of an old version is refused.
#[sqlx::test(migrations = false)]
async fn a_change_is_a_version(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let rules = json!([rule("links", &json!({ "signal": "links", "at_least": 3 }), "REVIEW")]);
    let body = |name: &str, mode: &str, version: i32| json!({ "name": name, "mode": mode, "rules": rules, "version": version, "note": "a test" });
    let created = call(&platform, "POST", "", Some(body("Links", "SHADOW", 0))).await;
    assert_eq!((created.status.as_u16(), &created.body["version"]), (201, &json!(1)), "{created:?}");
    let path = format!("/{}", created.body["id"].as_str().unwrap());
    let changed = call(&platform, "PUT", &path, Some(body("Links", "ENFORCE", 1))).await;
    assert_eq!((changed.status.as_u16(), &changed.body["version"]), (200, &json!(2)), "{changed:?}");
    let late = call(&platform, "PUT", &path, Some(body("Links", "OFF", 1))).await;
    assert_eq!(late.status, 409, "{late:?}");
    let taken = call(&platform, "PUT", &path, Some(body("Default", "OFF", 2))).await;
    assert_eq!((taken.status.as_u16(), &taken.body["detail"]), (409, &json!("Another policy has this name")));
    assert_eq!(call(&platform, "POST", "", Some(body("Links", "OFF", 0))).await.status, 409);
    let unknown = format!("/{}", Uuid::now_v7());
    assert_eq!(call(&platform, "PUT", &unknown, Some(body("Else", "OFF", 1))).await.status, 404);
    assert_eq!(call(&platform, "GET", &unknown, None).await.status, 404);
    let shown = call(&platform, "GET", &path, None).await.body;
    let versions: Vec<_> =
        shown["versions"].as_array().unwrap().iter().map(|version| (&version["version"], &version["mode"])).collect();
    assert_eq!(versions, [(&json!(2), &json!("ENFORCE")), (&json!(1), &json!("SHADOW"))]);
    assert_eq!(shown["versions"][0]["note"], "a test");
    let audited = platform.app.db.fetch_all("select action || ' ' || result from audit order by at, id").await.unwrap();
    let audited: Vec<String> = audited.iter().map(|row| row.get(0)).collect();
    assert_eq!(audited, ["policy_created version 1 Shadow", "policy_changed version 2 Enforce"]);
}

/// What a newer release has written, and this one does not understand, is left out, and everything else is judged as ever.
#[sqlx::test(migrations = false)]
async fn a_rule_of_a_newer_release_is_left_out(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let newer = r#"insert into policy (id, name, version, mode, rules) values (gen_random_uuid(), 'Newer', 1, 'ENFORCE', '[
        {"name": "new", "when": {"signal": "telepathy", "at_least": 1}, "outcome": "HIDE", "reason": "OTHER_RULES"},
        {"name": "old", "when": {"signal": "links", "at_least": 1}, "outcome": "HIDE", "reason": "OTHER_RULES"}
    ]')"#;
    sqlx::Executor::execute(&platform.app.db, newer).await.unwrap();
    let policies = load_policies(&platform.app.db).await.unwrap();
    let names: Vec<_> = policies.last().unwrap().rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!((policies.len(), names), (4, vec!["old"]));
}

/// Faults are reported at their places, all at once, and nothing is stored.
#[sqlx::test(migrations = false)]
async fn faults_of_a_policy_are_named_with_their_places(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let when = json!({ "all": [{ "signal": "spam", "at_least": "hide" }, { "signal": "spm", "at_least": 1 }] });
    let body = json!({ "name": "", "mode": "ON", "rules": [rule("r", &when, "BAN")], "version": -1 });
    let refused = call(&platform, "POST", "", Some(body)).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let places: Vec<_> = refused.body["detail"].as_array().unwrap().iter().map(|fault| fault["loc"].clone()).collect();
    let expected = [
        json!(["body", "name"]),
        json!(["body", "mode"]),
        json!(["body", "rules", 0, "when", "all", 1, "signal"]),
        json!(["body", "rules", 0, "outcome"]),
        json!(["body", "version"]),
    ];
    assert_eq!(places, expected);
    let refused = call(&platform, "POST", "", Some(json!({}))).await;
    assert_eq!(refused.body["detail"].as_array().unwrap().len(), 3, "{refused:?}");
    assert_eq!(call(&platform, "GET", "", None).await.body.as_array().unwrap().len(), 3);
}

/// A shadow policy is counted, and leads to nothing; the same policy enforced does. Labels, limits and holds do what they say,
/// and a rule that allows ends its policy.
#[sqlx::test(migrations = false)]
async fn the_mode_of_a_policy_decides_whether_it_has_consequences(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--analyser", "off"]).await;
    let mentions = |count: i32| json!({ "signal": "mentions", "at_least": count });
    let mut label = rule("one", &mentions(1), "LABEL");
    label["label"] = json!("mentions");
    let rules = json!([
        rule("ten", &mentions(10), "ALLOW"),
        label,
        rule("two", &mentions(2), "LIMIT"),
        rule("three", &mentions(3), "HOLD"),
        rule("four", &mentions(4), "HIDE"),
    ]);
    let body =
        |mode: &str, version: i32| json!({ "name": "Mentions", "mode": mode, "rules": rules, "version": version });
    let created = call(&platform, "POST", "", Some(body("SHADOW", 0))).await;
    let path = format!("/{}", created.body["id"].as_str().unwrap());
    let text = |mentions: usize| format!("look {}", "@anna ".repeat(mentions));
    for mentions in [0, 1, 4, 10] {
        assert_eq!(state(&platform, write(&platform, &text(mentions)).await).await, "");
    }
    let changed = call(&platform, "PUT", &path, Some(body("ENFORCE", 1))).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let mut states = Vec::new();
    for mentions in [0, 1, 2, 3, 4, 10] {
        let id = write(&platform, &text(mentions)).await;
        states.push(state(&platform, id).await);
    }
    // No feed has a comment, so that a limit leaves it as it is.
    let expected =
        ["", "VISIBLE NONE mentions", "VISIBLE NONE mentions", "HELD OPEN mentions", "HIDDEN NONE mentions", ""];
    assert_eq!(states, expected);
    let labels = "select distinct rule from decision where jsonb_array_length(actions) = 1 and actions -> 0 ->> 'action' = 'LABEL'";
    let labels = platform.app.db.fetch_all(labels).await.unwrap();
    let rules: Vec<String> = labels.iter().map(|row| row.get(0)).collect();
    assert_eq!(rules, ["one"], "a label follows from the rule that labels, and from no limit beside it");
    assert_eq!(hidden(&platform).await.len(), 2);
    let hits = async || {
        let hits = call(&platform, "GET", &format!("{path}/hits?days=7"), None).await.body;
        let hits = hits.as_array().unwrap().clone();
        hits.iter()
            .map(|hit| format!("{} {} {}", hit["rule"], hit["mode"], hit["hits"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    let expected = [
        "four ENFORCE 1",
        "four SHADOW 1",
        "one ENFORCE 4",
        "one SHADOW 2",
        "ten ENFORCE 1",
        "ten SHADOW 1",
        "three ENFORCE 2",
        "three SHADOW 1",
        "two ENFORCE 3",
        "two SHADOW 1",
    ];
    assert_eq!(hits().await, expected);
    // What the night makes one row of counts as before, and what is old goes.
    platform.app.db.execute("update rule_hit set day = day - 1").await.unwrap();
    fold_hits(&platform.app.db).await.unwrap();
    assert_eq!(hits().await, expected);
    let rows = platform.app.db.fetch_one("select count(*) from rule_hit").await.unwrap().get::<i64, _>(0);
    assert_eq!(rows, 10);
    platform.app.db.execute("update rule_hit set day = day - 100").await.unwrap();
    fold_hits(&platform.app.db).await.unwrap();
    assert_eq!(hits().await, [""; 0]);
}

/// What a rule calls spam by a score of its own is deleted for good, without a moderator; it is stated as what it is. Other spam
/// is hidden as ever.
#[sqlx::test(migrations = false)]
async fn spam_alone_is_removed_by_a_rule(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let when = json!({ "signal": "spam", "at_least": 0.99 });
    let mut remove = rule("prizes", &when, "REMOVE");
    remove["reason"] = json!("SPAM_COMMERCIAL");
    let body = |mode: &str, version| json!({ "name": "Prizes", "mode": mode, "rules": [remove], "version": version });
    let created = call(&platform, "POST", "", Some(body("SHADOW", 0))).await;
    assert_eq!(created.status, 201, "{created:?}");
    let text = "WINNER!! You have won a 1000 pound prize, call 09061701461 now to claim. Text STOP to end";
    let before = write(&platform, text).await;
    assert_eq!(state(&platform, before).await, "HIDDEN NONE");
    let path = format!("/{}", created.body["id"].as_str().unwrap());
    assert_eq!(call(&platform, "PUT", &path, Some(body("ENFORCE", 1))).await.status, 200);
    let after = write(&platform, text).await;
    assert_eq!(state(&platform, after).await, "REMOVED NONE");
    assert_eq!(hidden(&platform).await, [json!(before), json!(after)]);
    let decided = platform.published(MODERATION_DECIDED).await;
    let [.., last] = &decided[..] else { panic!("nothing was decided") };
    assert_eq!((&last["subject_id"], &last["visibility"]), (&json!(after), &json!("REMOVED")));
    assert_eq!((&last["decision"]["automated"], &last["decision"]["rule"]), (&json!(true), &json!("prizes")));
    // Without it both are hidden, as the policy that came with the service has it.
    let body = json!({ "policy": created.body["id"], "rules": [], "contents": 10 });
    let simulated = call(&platform, "POST", "/simulate", Some(body)).await.body;
    assert_eq!(simulated["outcomes_now"], json!({ "REMOVE": 2 }));
    assert_eq!((&simulated["outcomes"], &simulated["changed"]), (&json!({ "HIDE": 2 }), &json!(2)));
}

/// A text in a language that the model has not learned is for a person, whatever its heads say: by the policy that comes with the
/// service, which says so itself, and by one of an administrator that does not. A rule about that language is one.
#[sqlx::test(migrations = false)]
async fn what_the_model_cannot_read_is_for_a_person(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let policies = load_policies(&platform.app.db).await.unwrap();
    let restricts = |rule: &&Rule| rule.outcome > RuleOutcome::Review && !rule.name.contains("lexicon");
    let named: Vec<_> = policies[0].rules.iter().filter(restricts).map(|rule| format!("{:?}", rule.when)).collect();
    let by_score: Vec<_> = named.iter().filter(|when| when.contains("Head(")).collect();
    assert!(by_score.len() >= 7 && by_score.iter().all(|when| when.contains("Language")), "{named:#?}");

    // Whatever the model says of it, `toxic` is at least that.
    let any = json!({ "signal": "toxic", "at_least": 0.0 });
    let body = |when: &Value, version| json!({ "name": "All", "mode": "ENFORCE", "rules": [rule("all", when, "HIDE")], "version": version });
    let created = call(&platform, "POST", "", Some(body(&any, 0))).await;
    assert_eq!(created.status, 201, "{created:?}");
    let russian = "Сегодня хорошая погода, пойдём гулять.";
    let foreign = write(&platform, russian).await;
    assert_eq!(state(&platform, foreign).await, "VISIBLE OPEN");
    let english = write(&platform, "The weather is good today, so let us go for a walk.").await;
    assert_eq!(state(&platform, english).await, "HIDDEN NONE");
    let path = format!("/{}", created.body["id"].as_str().unwrap());
    let named = json!({ "all": [any, { "language": ["rus"] }] });
    assert_eq!(call(&platform, "PUT", &path, Some(body(&named, 1))).await.status, 200);
    let asked_for = write(&platform, russian).await;
    assert_eq!(state(&platform, asked_for).await, "HIDDEN NONE");
    assert_eq!(hidden(&platform).await, [json!(english), json!(asked_for)]);
}

/// A simulation judges past contents by rules together with the other policies that are enforced, or in the place of one of them; it
/// says what would be different from now, and changes nothing.
#[sqlx::test(migrations = false)]
async fn a_simulation_says_what_would_be_different(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", "off"]).await;
    let bad = write(&platform, "kill yourself").await;
    let linked = write(&platform, "see https://example.com and www.example.org").await;
    write(&platform, "a nice day").await;
    let links = json!({ "signal": "links", "at_least": 2 });
    let rules = json!([rule("links", &links, "HOLD")]);
    let simulate = async |body: Value| {
        let reply = call(&platform, "POST", "/simulate", Some(body)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    };
    let examples = |found: &Value| -> Vec<Value> {
        let names = ["content_id", "before", "after", "policy", "rule"];
        let examples = found["examples"].as_array().unwrap().iter();
        examples.map(|example| names.iter().map(|name| example[*name].clone()).collect()).collect()
    };
    // Beside all policies: what is hidden by another one stays so.
    let found = simulate(json!({ "rules": rules })).await;
    assert_eq!((&found["contents"], &found["changed"]), (&json!(3), &json!(1)));
    assert_eq!(found["outcomes_now"], json!({ "ALLOW": 2, "HIDE": 1 }));
    assert_eq!(found["outcomes"], json!({ "ALLOW": 1, "HIDE": 1, "HOLD": 1 }));
    assert_eq!(found["hits"], json!({ "links": 1 }));
    assert_eq!(examples(&found), [json!([linked, "ALLOW", "HOLD", null, "links"])]);
    // In the place of the policy that comes with the service: what that has hidden would be visible.
    let found = simulate(json!({ "policy": DEFAULT, "rules": rules })).await;
    assert_eq!((&found["changed"], &found["outcomes"]), (&json!(2), &json!({ "ALLOW": 2, "HOLD": 1 })));
    let expected = [json!([linked, "ALLOW", "HOLD", DEFAULT, "links"]), json!([bad, "HIDE", "ALLOW", null, null])];
    assert_eq!(examples(&found), expected);
    assert_eq!(found["examples"][1]["excerpt"], "kill yourself");

    // What is in shadow counts as enforced where it is tried, and not where another one is.
    let shadow = json!({ "name": "Links", "mode": "SHADOW", "rules": [rule("any", &links, "HIDE")] });
    let shadow = call(&platform, "POST", "", Some(shadow)).await.body["id"].clone();
    let found = simulate(json!({ "policy": shadow, "rules": [rule("any", &links, "HIDE")] })).await;
    assert_eq!(examples(&found), [json!([linked, "ALLOW", "HIDE", shadow, "any"])]);
    // What would follow is what does when it is enforced: no feed has a comment, so that a limit changes nothing.
    let found = simulate(json!({ "rules": [rule("any", &links, "LIMIT")] })).await;
    assert_eq!((&found["changed"], &found["hits"]), (&json!(0), &json!({ "any": 1 })));
    // A label is a difference, too, whatever else follows.
    let mut label = rule("labelled", &links, "LABEL");
    label["label"] = json!("linked");
    let found = simulate(json!({ "rules": [label] })).await;
    assert_eq!((&found["changed"], &found["examples"][0]["labels_before"]), (&json!(1), &json!([])));
    assert_eq!(found["examples"][0]["labels_after"], json!(["linked"]));

    assert_eq!(simulate(json!({ "rules": rules, "contents": 1 })).await["contents"], 1);
    for contents in [json!(0), json!(10_001), json!("many")] {
        let refused = call(&platform, "POST", "/simulate", Some(json!({ "rules": rules, "contents": contents }))).await;
        assert_eq!(refused.status, 422, "{contents}");
    }
    for (policy, status) in [(json!(Uuid::now_v7()), 404), (json!("Default"), 422)] {
        let refused = call(&platform, "POST", "/simulate", Some(json!({ "policy": policy, "rules": rules }))).await;
        assert_eq!(refused.status, status, "{policy}");
    }
    assert_eq!(hidden(&platform).await, [json!(bad)]);
    assert_eq!(call(&platform, "GET", "", None).await.body.as_array().unwrap().len(), 4);
}
