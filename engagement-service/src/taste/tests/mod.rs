//! Tastes, through their routes, with an auth service and a Spotify on this machine.
mod spotify;

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use uuid::Uuid;

use self::spotify::{Spotify, Trouble};
use super::commands::import;
use super::events::LINKED_ACCOUNT_CHANGED;
use super::models::Taste;
use super::schedulers::{TasteFetcher, TasteMatcher, source};
use super::settings::TasteSettings;
use crate::SERVICE;
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::people::events::{USER_REGISTERED, USER_UPDATED};

/// The service, and a Spotify whose tokens an auth service hands out.
async fn start(database: PgConnectOptions) -> (Platform, Spotify, TasteFetcher) {
    let spotify = Spotify::start().await;
    let producer = format!("auth-service={}", spotify.url);
    let platform = Platform::start(&SERVICE, database, &["--producers", &producer]).await;
    let settings = TasteSettings { spotify_api_url: spotify.url.parse().unwrap() };
    let fetcher = TasteFetcher { app: platform.app.clone(), source: source(&settings).unwrap() };
    (platform, spotify, fetcher)
}

async fn join(platform: &Platform, name: &str) -> (String, Uuid) {
    let (token, id) = new_user();
    platform.consume(USER_REGISTERED, &json!({ "id": id, "username": name, "status": "ACTIVE" })).await;
    (token, id)
}

async fn change_link(platform: &Platform, person: Uuid, linked: bool, second: u32) {
    let change = json!({ "user_id": person, "provider": "spotify", "linked": linked,
        "at": format!("2026-11-20T12:00:{second:02}Z") });
    platform.consume(LINKED_ACCOUNT_CHANGED, &change).await;
}

async fn ask(platform: &Platform, method: &str, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
    let reply = platform.call(method, path, Some(token), body).await;
    (reply.status.as_u16(), reply.body)
}

/// The names of the artists that a reader sees of a person; none where they see nothing.
async fn artists(platform: &Platform, reader: &str, person: Uuid) -> Option<Vec<String>> {
    let (status, list) = ask(platform, "GET", &format!("/users/{person}/top-items?kind=artists"), reader, None).await;
    assert!(status == 200 || list["detail"] == "No top items", "{status} {list}");
    let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
    (status == 200).then(|| list.as_array().unwrap().iter().map(name).collect())
}

#[sqlx::test(migrations = false)]
async fn a_taste_begins_and_ends_with_its_link_and_is_private_until_it_is_shared(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, spotify, mut fetcher) = start(database).await;
    let [(anna, her), (bert, _)] = [join(&platform, "anna").await, join(&platform, "bert").await];
    assert_eq!(ask(&platform, "GET", "/me/taste", &anna, None).await.1["linked"], false);
    spotify.listens(her, 60, &["Adele", "Bach"]);
    change_link(&platform, her, true, 2).await;
    assert!(matches!(fetcher.step().await.unwrap(), Outcome::Idle(_)));
    let own = ask(&platform, "GET", "/me/taste", &anna, None).await.1;
    let numbers = [&own["tracks"], &own["artists"], &own["genres"], &own["shared"]];
    assert_eq!(numbers, [&json!(60), &json!(2), &json!(2), &json!(false)], "both pages of tracks");
    // All 60 tracks are of the first artist: 8 and 3 for each of them.
    let all = ask(&platform, "GET", &format!("/users/{her}/top-items?limit=1"), &anna, None).await.1;
    assert_eq!(all, json!([{ "id": "Adele", "name": "Adele", "weight": 188.0 }]));

    assert_eq!(artists(&platform, &bert, her).await, None);
    let share = |shared| Some(json!({ "shared": shared }));
    assert_eq!(ask(&platform, "PATCH", "/me/taste", &anna, share(true)).await.1["shared"], true);
    assert_eq!(artists(&platform, &bert, her).await.unwrap(), ["Adele", "Bach"]);
    assert_eq!(ask(&platform, "PATCH", "/me/taste", &bert, share(true)).await.0, 404);
    for body in [json!({}), json!({ "shared": null }), json!({ "shared": "x" }), json!({ "shared": true, "more": 1 })] {
        assert_eq!(ask(&platform, "PATCH", "/me/taste", &anna, Some(body)).await.0, 422);
    }
    assert_eq!(ask(&platform, "GET", &format!("/users/{her}/top-items?kind=x"), &anna, None).await.0, 422);
    let held = platform.personal_data_of(her, "tastes").await;
    assert_eq!(held[0]["items"]["artists"][0]["name"], "Adele");

    // An older end changes nothing; the end deletes all of it, in whatever order the events come.
    change_link(&platform, her, false, 1).await;
    assert!(artists(&platform, &bert, her).await.is_some());
    change_link(&platform, her, false, 3).await;
    assert_eq!((artists(&platform, &anna, her).await, artists(&platform, &bert, her).await), (None, None));
    change_link(&platform, her, true, 2).await;
    assert_eq!(ask(&platform, "GET", "/me/taste", &anna, None).await.1["linked"], false);
    assert!(!platform.finds("Adele").await.iter().any(|place| place.contains("taste")), "no table has it");

    // A new link begins anew, private; who wants it forgotten has it forgotten until the next link.
    change_link(&platform, her, true, 4).await;
    fetcher.step().await.unwrap();
    assert_eq!((artists(&platform, &anna, her).await.is_some(), artists(&platform, &bert, her).await), (true, None));
    // So does one whose predecessor's end is only known with it, or not at all.
    assert_eq!(ask(&platform, "PATCH", "/me/taste", &anna, share(true)).await.1["shared"], true);
    change_link(&platform, her, true, 5).await;
    fetcher.step().await.unwrap();
    assert_eq!((artists(&platform, &anna, her).await.is_some(), artists(&platform, &bert, her).await), (true, None));
    for _ in 0..2 {
        assert_eq!(ask(&platform, "DELETE", "/me/taste", &anna, None).await.0, 204);
    }
    platform.app.db.execute("update taste set due_at = now()").await.unwrap();
    let asked = spotify.calls();
    fetcher.step().await.unwrap();
    assert_eq!((spotify.calls(), artists(&platform, &anna, her).await), (asked, None));
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00Z" })).await;
    platform.erase(her).await;
    assert!(platform.personal_data_of(her, "tastes").await.is_empty());
}

#[sqlx::test(migrations = false)]
async fn a_source_in_trouble_costs_time_and_nothing_else(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, spotify, mut fetcher) = start(database).await;
    let (anna, her) = join(&platform, "anna").await;
    spotify.listens(her, 3, &["Adele"]);
    change_link(&platform, her, true, 1).await;
    let wait = async || {
        let due = "select extract(epoch from due_at - now())::double precision from taste";
        let wait: f64 = platform.app.db.fetch_one(due).await.unwrap().get(0);
        platform.app.db.execute("update taste set due_at = now()").await.unwrap();
        wait
    };
    spotify.trouble(Some(Trouble::TooMany));
    fetcher.step().await.unwrap();
    let waited = wait().await;
    assert!((60.0..=77.0).contains(&waited), "{waited}");
    // The limit is the application's: whatever is due waits, in all replicas.
    let other_replica = platform.beside(&[]).app;
    let mut other_fetcher = TasteFetcher { app: other_replica, source: fetcher.source.clone() };
    let asked = spotify.calls();
    for fetcher in [&mut fetcher, &mut other_fetcher] {
        assert!(matches!(fetcher.step().await.unwrap(), Outcome::Idle(_)));
    }
    assert_eq!(spotify.calls(), asked);
    let end_pause = "update taste_pause set not_before = now()";
    platform.app.db.execute(end_pause).await.unwrap();
    // So does what the auth service says of the provider.
    spotify.trouble(Some(Trouble::TooManyTokens));
    other_fetcher.step().await.unwrap();
    let waited = wait().await;
    assert!((40.0..=55.0).contains(&waited), "{waited}");
    spotify.trouble(None);
    fetcher.step().await.unwrap();
    assert_eq!((spotify.calls(), artists(&platform, &anna, her).await), (asked, None));
    platform.app.db.execute(end_pause).await.unwrap();
    for (trouble, least) in [
        (Trouble::Status(503), 250.0),
        (Trouble::Text, 500.0),
        (Trouble::ElsewhereNext, 1_000.0),
        (Trouble::Huge, 2_000.0),
        (Trouble::Status(403), 4_000.0),
    ] {
        spotify.trouble(Some(trouble));
        fetcher.step().await.unwrap();
        let waited = wait().await;
        assert!(waited > least, "{trouble:?}: each failure waits longer: {waited}");
        assert_eq!(artists(&platform, &anna, her).await, None);
    }
    // A token that has ended on the way is asked for once more, and no third time.
    spotify.trouble(Some(Trouble::OldToken));
    fetcher.step().await.unwrap();
    assert_eq!(artists(&platform, &anna, her).await.unwrap(), ["Adele"]);
    let before = spotify.calls();
    platform.app.db.execute("update taste set due_at = now()").await.unwrap();
    spotify.trouble(Some(Trouble::Status(401)));
    fetcher.step().await.unwrap();
    assert_eq!(spotify.calls() - before, 2);
    assert_eq!(artists(&platform, &anna, her).await.unwrap(), ["Adele"], "what was known stays");
    // A 404 that is not about the link ends nothing: of a provider that is not configured, and of a route that is not there.
    for detail in ["Provider not found", "Not Found"] {
        spotify.trouble(Some(Trouble::NotFound(detail)));
        platform.app.db.execute("update taste set due_at = now()").await.unwrap();
        fetcher.step().await.unwrap();
        assert_eq!(artists(&platform, &anna, her).await.unwrap(), ["Adele"], "{detail}");
        assert!(wait().await > 500.0, "{detail}: it is tried again later");
    }
    // An auth service that knows of no link ends the taste.
    spotify.trouble(None);
    spotify.forgets(her);
    platform.app.db.execute("update taste set due_at = now()").await.unwrap();
    fetcher.step().await.unwrap();
    assert_eq!(artists(&platform, &anna, her).await, None);
}

/// What is at hand in a process that dies comes again after ten minutes; all else comes again after a week, one person at a time.
#[sqlx::test(migrations = false)]
async fn tastes_come_in_turn_each_week_and_survive_a_crash(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, spotify, mut fetcher) = start(database).await;
    let [(anna, her), (bert, his)] = [join(&platform, "anna").await, join(&platform, "bert").await];
    for person in [her, his] {
        spotify.listens(person, 1, &["Adele"]);
        change_link(&platform, person, true, 1).await;
    }
    let at_hand = Taste::claim(&platform.app.db).await.unwrap().unwrap();
    assert_eq!(at_hand.person_id, her, "who waits longest");
    let [pace, poll] = [Duration::from_millis(500), Duration::from_secs(5)];
    // One call for artists, and one for tracks.
    for (outcome, calls) in [(Outcome::Idle(pace), 2), (Outcome::Idle(poll), 2)] {
        assert_eq!((fetcher.step().await.unwrap(), spotify.calls()), (outcome, calls));
    }
    assert_eq!((artists(&platform, &anna, her).await, artists(&platform, &bert, his).await.is_some()), (None, true));
    let wait = async |person: Uuid| {
        let query =
            format!("select extract(epoch from due_at - now())::float8 from taste where person_id = '{person}'");
        platform.app.db.fetch_one(sqlx::AssertSqlSafe(query)).await.unwrap().get::<f64, _>(0)
    };
    let left = wait(her).await;
    assert!((500.0..=600.0).contains(&left), "{left}");
    let later = format!("update taste set due_at = now() where person_id = '{her}'");
    platform.app.db.execute(sqlx::AssertSqlSafe(later)).await.unwrap();
    assert_eq!((fetcher.step().await.unwrap(), spotify.calls()), (Outcome::Idle(pace), 4));
    assert!(artists(&platform, &anna, her).await.is_some());
    for person in [her, his] {
        let days = wait(person).await / 86_400.0;
        assert!((6.99..=8.0).contains(&days), "{days}");
    }
    assert_eq!((fetcher.step().await.unwrap(), spotify.calls()), (Outcome::Idle(poll), 4), "nothing is due");
}

/// What is shared is hidden from one of two who have blocked each other, and with a banned account, and is there again afterwards.
#[sqlx::test(migrations = false)]
async fn a_block_of_either_side_or_a_ban_hides_a_shared_taste(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _, _) = start(database).await;
    let [(anna, her), (_, his)] = [join(&platform, "anna").await, join(&platform, "bert").await];
    let line = json!({ "person_id": his, "shared": true, "artists": [{ "id": "a", "name": "Adele" }] });
    assert_eq!(import(&platform.app, line.to_string().as_bytes()).await.unwrap(), 1);
    let is_seen = async || artists(&platform, &anna, his).await.is_some();
    assert!(is_seen().await);
    for (user, target) in [(her, his), (his, her)] {
        for (stream, hour, expected) in [(USER_BLOCKED, 13, false), (USER_UNBLOCKED, 14, true)] {
            let block = json!({ "user_id": user, "target_id": target, "at": format!("2026-11-20T{hour}:00:00Z") });
            platform.consume(stream, &block).await;
            assert_eq!(is_seen().await, expected, "{stream} by {user}");
        }
    }
    platform.consume(USER_UPDATED, &json!({ "id": his, "status": "BANNED" })).await;
    assert!(!is_seen().await);
}

#[sqlx::test(migrations = false)]
async fn who_listens_to_the_same_is_recommended_if_they_share_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, spotify, mut fetcher) = start(database).await;
    let [(anna, her), (bert, him), (_, other)] =
        [join(&platform, "anna").await, join(&platform, "bert").await, join(&platform, "carl").await];
    for (person, artists) in [(her, &["Adele", "Bach"]), (him, &["Adele", "Bach"]), (other, &["Adele", "Cher"])] {
        spotify.listens(person, 1, artists);
        change_link(&platform, person, true, 1).await;
        fetcher.step().await.unwrap();
    }
    let mut matcher = TasteMatcher::new(&platform.app);
    let mut recommended = async || {
        platform.app.db.execute("update taste set matched = false").await.unwrap();
        while matcher.step().await.unwrap() == Outcome::Busy {}
        platform.app.db.execute("delete from recommended_people").await.unwrap();
        let (_, list) = ask(&platform, "GET", "/me/recommendations/people", &anna, None).await;
        let one = |one: &Value| {
            (one["user"]["username"].as_str().unwrap().to_owned(), one["reason"].as_str().unwrap().to_owned())
        };
        list.as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    let person = |name: &str, reason: &str| (name.to_owned(), reason.to_owned());
    let [same, new] = ["Listens to the same music", "New to you"];
    assert_eq!(recommended().await, [person("carl", new), person("bert", new)], "what is private leads to no one");
    ask(&platform, "PATCH", "/me/taste", &bert, Some(json!({ "shared": true }))).await;
    assert_eq!(recommended().await, [person("bert", same), person("carl", new)]);
    let (_, seen) = ask(&platform, "GET", &format!("/me/compatibility/{him}"), &anna, None).await;
    // The same artists and genres; each has a track of their own.
    assert_eq!(
        seen["taste"],
        json!({ "percent": 60, "tracks": [], "artists": ["Adele", "Bach"], "genres": ["Adele's", "Bach's"] })
    );
    assert_eq!(seen["top_items"]["artists"], json!(["Adele", "Bach"]));
    let (_, seen) = ask(&platform, "GET", &format!("/me/compatibility/{other}"), &anna, None).await;
    assert_eq!((&seen["taste"], &seen["top_items"]["artists"]), (&Value::Null, &Value::Null));
}

/// A person whose matches cannot be saved holds up those of no other one.
#[sqlx::test(migrations = false)]
async fn a_person_who_fails_holds_no_matching_up(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _, _) = start(database).await;
    let mut people = Vec::new();
    let mut lines = String::new();
    for name in ["anna", "bert", "carl", "dora", "emil"] {
        let (_, person) = join(&platform, name).await;
        let taste = json!({ "person_id": person, "shared": true, "artists": [{ "id": "a", "name": "Adele" }] });
        lines = format!("{lines}{taste}\n");
        people.push(person);
    }
    assert_eq!(import(&platform.app, lines.as_bytes()).await.unwrap(), 5);
    let check = format!("alter table taste_match add check (person_id <> '{}')", people[2]);
    platform.app.db.execute(sqlx::AssertSqlSafe(check)).await.unwrap();
    let mut matcher = TasteMatcher::new(&platform.app);
    // What fails is tried again by the loop around the steps.
    for _ in 0..20 {
        matcher.step().await.ok();
    }
    let count = async |query: &'static str| platform.app.db.fetch_one(query).await.unwrap().get::<i64, _>(0);
    assert_eq!(count("select count(*) from taste where not matched").await, 0);
    assert_eq!(count("select count(distinct person_id) from taste_match").await, 4);
    assert_eq!(count("select count(*) from taste_match").await, 16, "four others each");
    assert!(matches!(matcher.step().await.unwrap(), Outcome::Idle(_)));
}

#[sqlx::test(migrations = false)]
async fn an_import_takes_the_place_of_a_source(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, spotify, _) = start(database).await;
    let [(anna, her), (bert, his)] = [join(&platform, "anna").await, join(&platform, "bert").await];
    let line = |person: Uuid, artist: &str, shared: bool| {
        json!({ "person_id": person, "shared": shared, "artists": [{ "id": artist, "name": artist, "genres": ["pop"] }],
            "tracks": [{ "id": "t1", "name": "Hello", "artists": [[artist, artist]] }] })
    };
    let lines = format!("{}\n\n{}\n", line(her, "Adele", true), line(his, "Adele", false));
    for _ in 0..2 {
        assert_eq!(import(&platform.app, lines.as_bytes()).await.unwrap(), 2, "again and again");
    }
    assert_eq!(artists(&platform, &bert, her).await.unwrap(), ["Adele"]);
    assert_eq!(artists(&platform, &anna, his).await, None, "it is not shared");
    let mut matcher = TasteMatcher::new(&platform.app);
    matcher.step().await.unwrap();
    let mut commits = platform.app.commits.subscribe();
    commits.mark_unchanged();
    assert!(matches!(matcher.step().await.unwrap(), Outcome::Idle(_)));
    assert!(!commits.has_changed().unwrap(), "a step that found nothing wakes no worker");
    let own = ask(&platform, "GET", "/me/taste", &bert, None).await.1;
    assert_eq!((&own["linked"], &own["tracks"], &own["genres"]), (&json!(true), &json!(1), &json!(1)));
    assert_eq!(spotify.calls(), 0);

    assert_eq!(ask(&platform, "DELETE", "/me/taste", &bert, None).await.0, 204);
    assert_eq!(import(&platform.app, lines.as_bytes()).await.unwrap(), 1, "who wants it forgotten is left out");
    let silent = json!({ "person_id": her, "artists": [{ "id": "Adele", "name": "Adele" }] }).to_string();
    import(&platform.app, silent.as_bytes()).await.unwrap();
    assert_eq!(artists(&platform, &bert, her).await.unwrap(), ["Adele"], "it is shared as before");

    let wrong = format!("{}\n{{\"person_id\": 7}}\n", line(her, "Bach", true));
    let error = format!("{:#}", import(&platform.app, wrong.as_bytes()).await.unwrap_err());
    assert!(error.starts_with("line 2 is not a taste: "), "{error}");
    assert_eq!(artists(&platform, &bert, her).await.unwrap(), ["Bach"], "what stands before it is saved");
}
