//! The ledger: random histories through the database, the chain and its faults, the log in its formats.
use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use tower::ServiceExt;
use uuid::Uuid;

use super::NewEntry;
use super::events::MODERATION_DECIDED;
use super::models::{LogFilter, StoredEntry};
use super::signals::record;
use crate::core::testing::{Platform, new_user};
use crate::decisions::tests::{decided, new_content, new_moderator, start, subject};
use crate::decisions::{NewDecision, signals};
use crate::strikes::services::Ladder;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, Change, Ended};
use crate::subjects::histories::new_subject;
use crate::subjects::reasons::Reason;
use crate::subjects::state::Subject;
use crate::subjects::{SubjectKey, SubjectType};

/// Histories of a run, each of a few subjects, and the steps of all.
const SUBJECTS: usize = 12;
const STEPS: usize = 150;

async fn verify(platform: &Platform) -> Value {
    let reply = platform.call("GET", "/moderation/log/verify", Some(&new_moderator().0), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

fn ladder() -> Ladder {
    let rungs = ["1:warn", "3:mute:24", "5:mute:168", "8:ban:720", "12:ban"];
    Ladder { strike_ladder: rungs.map(|rung| rung.parse().unwrap()).to_vec(), strike_days: 180 }
}

/// A decision of a machine or a moderator about a content.
fn decision(dice: &mut StdRng, key: SubjectKey, author: Uuid, moderators: &[Uuid]) -> NewDecision {
    let by_machine = dice.random_bool(0.4);
    let mild = [Action::Label { label: "spam".into() }, Action::Limit, Action::Hold, Action::Hide, Action::Allow];
    let strict = [
        Action::Hide,
        Action::Remove,
        Action::Restore,
        Action::Dismiss,
        Action::Warn,
        Action::Mute { hours: 2 },
        Action::Ban { hours: None },
        Action::Limit,
    ];
    let action = if by_machine { mild.choose(dice) } else { strict.choose(dice) };
    let actor = if by_machine { Actor::Machine } else { Actor::Moderator(*moderators.choose(dice).unwrap()) };
    NewDecision {
        key,
        author,
        actor,
        actions: vec![action.unwrap().clone()],
        reason: Reason::ALL.choose(dice).unwrap().1,
        policy: None,
        analysis: None,
        means: None,
        internal_note: dice.random_bool(0.5).then(|| "a note, with \"quotes\"\nand lines".to_owned()),
        public_note: None,
        hours: dice.random_bool(0.3).then_some(5),
        strikes: None,
        abusive: false,
        seen: None,
    }
}

/// What happened, as a change.
fn change(entry: &StoredEntry) -> Change {
    let mut fields: Map<String, Value> = serde_json::from_str(entry.details.as_ref().unwrap()).unwrap();
    if let Some(words) = &entry.words {
        fields.extend(serde_json::from_str::<Map<String, Value>>(words).unwrap());
    }
    fields.insert("kind".into(), json!(entry.kind));
    serde_json::from_value(Value::Object(fields)).unwrap()
}

/// Every subject is the fold of its entries, and every change of what others see was published in order.
async fn check(platform: &Platform, seed: u64) {
    let entries = StoredEntry::list_after(&platform.app.db, &LogFilter::default(), 0, i64::MAX).await.unwrap();
    let mut folded: BTreeMap<SubjectKey, Subject> = BTreeMap::new();
    for entry in &entries {
        let key = SubjectKey { r#type: entry.subject_type, id: entry.subject_id };
        let state = folded.entry(key).or_insert_with(|| new_subject(key, Uuid::nil()));
        state.apply(&change(entry), entry.at);
        assert_eq!(state.version, entry.version, "seed {seed}: {entry:?}");
    }
    assert!(folded.len() > SUBJECTS, "seed {seed}: accounts as well");
    let mut published: BTreeMap<String, Value> = BTreeMap::new();
    for event in platform.published(MODERATION_DECIDED).await {
        let before = published.insert(event["subject_id"].to_string(), event.clone());
        let (version, visibility) = before.map_or((0, json!("VISIBLE")), |before| {
            (before["version"].as_i64().unwrap(), before["visibility"].clone())
        });
        assert!(event["version"].as_i64().unwrap() > version, "seed {seed}: {event}");
        assert_eq!(event["previous_visibility"], visibility, "seed {seed}: {event}");
    }
    for (key, mut state) in folded {
        let stored = subject(platform, key).await;
        state.author = stored.author;
        assert!(
            (state.report_weight - stored.report_weight).abs() < 1e-9
                && (state.severity - stored.severity).abs() < 1e-9
        );
        (state.report_weight, state.severity) = (stored.report_weight, stored.severity);
        assert_eq!(state, stored, "seed {seed}");
        let last = published.get(&json!(key.id).to_string());
        let shown =
            last.map_or((json!("VISIBLE"), json!([])), |last| (last["visibility"].clone(), last["labels"].clone()));
        assert_eq!(shown, (json!(stored.visibility), json!(stored.labels)), "seed {seed}: {key:?}");
    }
}

#[sqlx::test(migrations = false)]
async fn subjects_are_the_fold_of_their_entries_and_the_chain_holds(_: PgPoolOptions, database: PgConnectOptions) {
    let seed: u64 = option_env!("HISTORIES_SEED").map_or_else(rand::random, |seed| seed.parse().unwrap());
    let mut dice = StdRng::seed_from_u64(seed);
    let platform = start(database).await;
    let authors: Vec<Uuid> = (0..3).map(|_| new_user().1).collect();
    let moderators: Vec<Uuid> = (0..2).map(|_| new_user().1).collect();
    let mut subjects = Vec::new();
    for number in 0..SUBJECTS {
        let r#type = if number % 2 == 0 { SubjectType::Post } else { SubjectType::Comment };
        let author = authors[number % authors.len()];
        subjects.push((new_content(&platform, r#type, author).await, author));
    }
    let mut made: Vec<Uuid> = Vec::new();
    for step in 0..STEPS {
        let (key, author) = *subjects.choose(&mut dice).unwrap();
        let mut tx = platform.app.db.begin().await.unwrap();
        if step < SUBJECTS || dice.random_bool(0.5) {
            let key = if step < SUBJECTS { subjects[step].0 } else { key };
            let author = if step < SUBJECTS { subjects[step].1 } else { author };
            let decision = decision(&mut dice, key, author, &moderators);
            let decided = if decision.is_by_person() {
                signals::moderate(&mut tx, &ladder(), decision).await
            } else {
                signals::decide(&mut tx, decision).await
            };
            made.push(decided.unwrap().id);
        } else if dice.random_bool(0.5) {
            let why = *[Ended::Expired, Ended::Reversed, Ended::Overturned].choose(&mut dice).unwrap();
            signals::end(&mut tx, *made.choose(&mut dice).unwrap(), why, Actor::Timer).await.unwrap();
        } else {
            let (severity, reason) = (dice.random_range(0.0..1.0), Reason::HateIdentity);
            let change = match dice.random_range(0..4) {
                0 => Change::Flagged { analysis: Uuid::now_v7(), severity, reason },
                1 => Change::Reported { report: Uuid::now_v7(), severity, weight: severity / 3.0, reason },
                2 => Change::Noted { note: "seen".to_owned() },
                _ => Change::Gone,
            };
            record(&mut tx, key, author, vec![NewEntry::new(Actor::Machine, change)]).await.unwrap();
        }
        platform.app.commit(tx).await.unwrap();
    }
    check(&platform, seed).await;
    let verified = verify(&platform).await;
    assert_eq!((&verified["valid"], &verified["complete"]), (&json!(true), &json!(true)), "seed {seed}: {verified}");
}

/// What is done to the ledger behind its triggers' back, and where that is found.
#[sqlx::test(migrations = false)]
async fn a_row_that_was_tampered_with_is_found_at_its_place(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    assert_eq!(verify(&platform).await["valid"], true, "an empty log");
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    for _ in 0..4 {
        let post = new_content(&platform, SubjectType::Post, her).await;
        decided(&platform, &moderator, post, json!([{ "action": "LIMIT" }]), "SPAM_LINK").await;
    }
    let verified = verify(&platform).await;
    assert_eq!((&verified["valid"], &verified["to"]), (&json!(true), &json!(4)), "{verified}");
    for statement in ["update ledger set kind = 'noted'", "delete from ledger", "truncate ledger"] {
        let refused = platform.app.db.execute(statement).await.unwrap_err().to_string();
        assert!(refused.contains("the ledger is append-only"), "{statement}: {refused}");
    }
    let tampered = [
        ("update ledger set details = replace(details, 'LIMIT', 'ALLOW') where seq = 2", 2, "DETAILS"),
        ("update ledger set words = '{}' where seq = 3", 3, "WORDS"),
        ("update ledger set actor_type = 'MACHINE' where seq = 3", 3, "ENTRY"),
        // Done with care: the entry fits itself, and the next one betrays it.
        (
            "update ledger set actor_type = 'TIMER', hash = entry_hash(jsonb_populate_record(ledger, '{\"actor_type\": \"TIMER\"}'))
            where seq = 3",
            4,
            "CHAIN",
        ),
        ("delete from ledger where seq = 2", 3, "MISSING"),
        ("delete from ledger where seq = 1", 2, "MISSING"),
        ("delete from ledger where seq = 4", 4, "HEAD"),
    ];
    for (statement, seq, fault) in tampered {
        let mut tx = platform.app.db.begin().await.unwrap();
        tx.execute("alter table ledger disable trigger user").await.unwrap();
        tx.execute("create table kept as select * from ledger").await.unwrap();
        assert_eq!(tx.execute(statement).await.unwrap().rows_affected(), 1);
        tx.commit().await.unwrap();
        let found = verify(&platform).await;
        assert_eq!(found["valid"], false, "{statement}");
        assert_eq!(found["fault"], json!({ "seq": seq, "fault": fault }), "{statement}");
        platform.app.db.execute("delete from ledger").await.unwrap();
        platform.app.db.execute("insert into ledger select * from kept").await.unwrap();
        platform.app.db.execute("drop table kept").await.unwrap();
        platform.app.db.execute("alter table ledger enable trigger user").await.unwrap();
        assert_eq!(verify(&platform).await["valid"], true, "{statement}");
    }
}

#[sqlx::test(migrations = false)]
async fn the_log_is_filtered_and_exported(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (moderator, id)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    decided(&platform, &moderator, post, json!([{ "action": "WARN" }]), "SPAM_LINK").await;
    let path = format!("/moderation/subjects/POST/{}/decisions", post.id);
    let body = json!({ "actions": [{ "action": "HIDE" }], "reason": "SPAM_LINK", "internal_note": "=1+1, \"quoted\"" });
    assert_eq!(platform.call("POST", &path, Some(&moderator), Some(body)).await.status, 201);
    let log = async |query: &str| {
        let reply = platform.call("GET", &format!("/moderation/log{query}"), Some(&moderator), None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        serde_json::from_value::<Vec<Value>>(reply.body).unwrap()
    };
    let all = log("").await;
    let seen: Vec<_> =
        all.iter().map(|entry| (entry["seq"].as_i64().unwrap(), entry["subject_type"].as_str().unwrap())).collect();
    // The warning, at the post and at its author; the post is hidden; and its strike warns the author.
    assert_eq!(seen, [(4, "USER"), (3, "POST"), (2, "USER"), (1, "POST")]);
    assert_eq!(all[1]["words"], json!({ "internal_note": "=1+1, \"quoted\"" }));
    assert_eq!(all[1]["details"]["reason"], "SPAM_LINK");
    assert_eq!(all[1]["details"].get("internal_note"), None, "what a person wrote is apart");
    assert_eq!(log(&format!("?subject_type=post&subject_id={}", post.id)).await.len(), 2);
    assert_eq!(log(&format!("?actor={id}&actor_type=MODERATOR&kind=decided&limit=3")).await.len(), 3);
    assert_eq!(log("?kind=ended").await, Vec::<Value>::new());
    let wrong = platform.call("GET", "/moderation/log?kind=x&actor=y&after=-1", Some(&moderator), None).await;
    let places: Vec<_> = wrong.body["detail"].as_array().unwrap().iter().map(|error| error["loc"][1].clone()).collect();
    assert_eq!((wrong.status.as_u16(), places), (422, vec![json!("actor"), json!("kind"), json!("after")]));
    assert_eq!(platform.call("GET", "/moderation/log", Some(&anna), None).await.status, 403);

    let export = async |accept: &str, query: &str| {
        let request = Request::get(format!("/api/v1/moderation/log{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {moderator}"))
            .header(header::ACCEPT, accept);
        let reply = platform.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let kind = reply.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        (kind, String::from_utf8(body.to_vec()).unwrap())
    };
    let (kind, csv) = export("text/csv, */*", "").await;
    assert!(kind.starts_with("text/csv"), "{kind}");
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 5, "{csv}");
    assert!(lines[0].starts_with("seq,id,at,") && lines[1].starts_with("1,"), "{csv}");
    assert!(lines[3].contains(r#""{""internal_note"":""=1+1, \""quoted\""""}""#), "{csv}");
    let (kind, lines) = export("application/jsonl", "?after=2&subject_type=USER").await;
    assert_eq!(kind, "application/jsonl");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, all[..1]);
}

/// However many entries a transaction appends, it moves the head of the chain once, so that each costs the same.
#[sqlx::test(migrations = false)]
async fn a_transaction_moves_the_head_of_the_chain_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (key, her) = (SubjectKey { r#type: SubjectType::Post, id: Uuid::now_v7() }, new_user().1);
    let seen = || NewEntry::new(Actor::Machine, Change::Noted { note: "seen".to_owned() });
    let mut tx = platform.app.db.begin().await.unwrap();
    record(&mut tx, key, her, (0..500).map(|_| seen()).collect()).await.unwrap();
    record(&mut tx, key, her, vec![seen()]).await.unwrap();
    tx.execute("set constraints all immediate").await.unwrap();
    let moved = "select pg_stat_get_xact_tuples_updated('moderation.ledger_head'::regclass)";
    assert_eq!(tx.fetch_one(moved).await.unwrap().get::<i64, _>(0), 1);
    platform.app.commit(tx).await.unwrap();
    let verified = verify(&platform).await;
    assert_eq!((&verified["valid"], &verified["to"]), (&json!(true), &json!(501)), "{verified}");
    let mut tx = platform.app.db.begin().await.unwrap();
    record(&mut tx, key, her, vec![seen()]).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = platform.app.db.begin().await.unwrap();
    record(&mut tx, key, her, vec![seen()]).await.unwrap();
    platform.app.commit(tx).await.unwrap();
    let verified = verify(&platform).await;
    assert_eq!(
        (&verified["valid"], &verified["to"]),
        (&json!(true), &json!(502)),
        "what was rolled back leaves no gap"
    );
}

#[sqlx::test(migrations = false)]
async fn concurrent_entries_are_one_chain(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (_, her) = new_user();
    let posts: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
    let note = async |id: &Uuid| {
        for _ in 0..5 {
            let mut tx = platform.app.db.begin().await.unwrap();
            let key = SubjectKey { r#type: SubjectType::Post, id: *id };
            let entry = NewEntry::new(Actor::Machine, Change::Noted { note: "seen".to_owned() });
            record(&mut tx, key, her, vec![entry]).await.unwrap();
            platform.app.commit(tx).await.unwrap();
        }
    };
    futures::future::join_all(posts.iter().map(note)).await;
    let verified = verify(&platform).await;
    assert_eq!((&verified["valid"], &verified["to"]), (&json!(true), &json!(30)), "{verified}");
    let erased = "update ledger set details = null, words = null where seq = 7";
    platform.app.db.execute(AssertSqlSafe(erased)).await.unwrap();
    let verified = verify(&platform).await;
    assert_eq!((&verified["valid"], &verified["erased"]), (&json!(true), &json!(1)), "what is erased breaks no chain");
}
