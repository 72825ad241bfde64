//! Administrators: policies that are tried before they are saved, and the rules about domains.
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::markup::{parse, tree};
use super::pages::HOSTILE;
use super::stub::ID;
use super::{Client, markup};
use crate::ground::words::encoded;
use crate::texts::{DE, EN};

const TIME: &str = "2026-11-20T12:00:00Z";
const SIMULATE: &str = "POST /moderation/policies/simulate";

/// A policy with two rules, one of which has something that no field of the form is for.
fn policy() -> Value {
    json!({
        "id": ID, "name": "Contests", "version": 4, "mode": "SHADOW", "created_at": TIME, "updated_at": TIME,
        "rules": [
            { "name": "spam", "when": { "all": [{ "signal": "spam", "at_least": "label" }, { "audience": ["COMMENT"] }] },
              "outcome": "HOLD", "reason": "SPAM_COMMERCIAL", "severity": 0.5, "since": "May" },
            { "name": "odd", "when": { "signal": "links", "at_least": 2 }, "outcome": "LABEL", "reason": "OTHER_APPROVAL",
              "label": "links" },
        ],
        "versions": [{ "version": 4, "mode": "SHADOW", "rules": [], "at": TIME, "by": ID, "note": "Before the contest." }],
    })
}

fn trial() -> Value {
    json!({
        "contents": 990, "changed": 1, "outcomes_now": { "ALLOW": 990 }, "outcomes": { "ALLOW": 989, "HOLD": 1 },
        "hits": { "spam": 1 },
        "examples": [{ "content_type": "COMMENT", "content_id": ID, "analysis": ID, "at": TIME, "before": "ALLOW",
            "after": "HOLD", "labels_before": [], "labels_after": [], "rule": "spam", "excerpt": "Buy <b>" }],
    })
}

/// What a browser sends of the fields of a page's content, the checkboxes left as they are: empty.
fn entered(page: &str) -> Vec<(String, String)> {
    let (elements, errors) = parse(page);
    assert_eq!(errors, Vec::<String>::new());
    let mut fields: Vec<(String, String)> = Vec::new();
    let is_inside = |element: &&markup::Element| element.inside.iter().any(|around| around == "main");
    for element in elements.iter().filter(is_inside) {
        let name = element.get("name").unwrap_or_default().to_owned();
        let value = element.get("value").unwrap_or_default().to_owned();
        match element.name.as_str() {
            "input" if element.get("type") != Some("checkbox") => fields.push((name, value)),
            "textarea" => fields.push((name, element.text.clone())),
            // The first choice is sent unless another one is selected; all of ours begin with the empty one, or have one selected.
            "select" => fields.push((name, String::new())),
            "option" if element.get("selected").is_some() => fields.last_mut().unwrap().1 = value,
            _ => {}
        }
    }
    fields
}

fn with(fields: &[(String, String)], changed: &[(&str, &str)]) -> String {
    let kept = fields.iter().filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
    let all = kept.chain(changed.iter().copied());
    all.map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

async fn opened() -> (Client, String, Vec<(String, String)>) {
    let client = Client::new().await;
    client.stub.answer(&format!("GET /moderation/policies/{ID}"), 200, policy());
    client.stub.answer(SIMULATE, 200, trial());
    let path = format!("/moderation/policies/{ID}");
    let page = client.get(&path).await.text;
    let fields = entered(&page);
    (client, path, fields)
}

/// What is sent is what was read, a rule's unknown parts included; it is tried first, and saved as it was tried.
#[tokio::test]
async fn a_policy_is_tried_before_it_is_saved() {
    let (client, path, fields) = opened().await;
    let page = client.get(&path).await.text;
    for shown in ["<bdi>Contests</bdi>", "Before the contest.", "value=\"OTHER_APPROVAL\" selected", EN.try_hint] {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
    let tried = client.post(&path, &with(&fields, &[("note", "Why not")])).await;
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.text);
    let call = client.stub.calls(SIMULATE).pop().unwrap().body;
    assert_eq!((&call["policy"], &call["contents"]), (&json!(ID), &json!(1000)));
    assert_eq!(call["rules"], policy()["rules"], "nothing of a rule is lost, and a blank one is none");
    for shown in [
        "1 content would be treated differently",
        "<td>990</td><td>989</td>",
        EN.trial_in_shadow,
        "Buy &#60;b&#62;",
        &format!("href=\"/moderation/COMMENT/{ID}\""),
    ] {
        assert!(tried.text.contains(shown), "{shown} is not in {}", tried.text);
    }
    let put = format!("PUT {path}");
    assert!(client.stub.calls(&put).is_empty(), "it was only tried");

    let kept = entered(&tried.text);
    let again = client.post(&path, &with(&kept, &[("step", "edit")])).await;
    let wanted = fields.iter().map(|(name, value)| match name.as_str() {
        "note" => (name.clone(), "Why not".to_owned()),
        _ => (name.clone(), value.clone()),
    });
    assert_eq!(entered(&again.text), wanted.collect::<Vec<_>>(), "it can be edited again");
    let saved = client.post(&path, &with(&kept, &[("step", "save")])).await;
    assert_eq!(saved.header("location"), "/moderation/policies?done=saved", "{}", saved.text);
    let sent = client.stub.calls(&put).pop().unwrap().body;
    let wanted =
        json!({ "name": "Contests", "mode": "SHADOW", "note": "Why not", "version": 4, "rules": policy()["rules"] });
    assert_eq!(sent, wanted);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// Rules are put into order, added and taken out; what is switched off is tried without its rules.
#[tokio::test]
async fn rules_are_put_into_order_added_and_taken_out() {
    let (client, path, fields) = opened().await;
    let names = |call: &Value| {
        let rules = call["rules"].as_array().unwrap();
        rules.iter().map(|rule| rule["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let last = |name: &str, value: &str| {
        let mut changed = fields.clone();
        let found = changed.iter_mut().rev().find(|(field, _)| field == name).unwrap();
        value.clone_into(&mut found.1);
        changed
    };
    let mut added = last("rule_name", "new");
    for (name, value) in [("rule_when", "{\"signal\": \"links\", \"at_least\": 9}"), ("rule_place", "1")] {
        let found = added.iter_mut().rev().find(|(field, _)| field == name).unwrap();
        value.clone_into(&mut found.1);
    }
    client.post(&path, &with(&added, &[])).await;
    assert_eq!(names(&client.stub.calls(SIMULATE).pop().unwrap().body), ["spam", "new", "odd"]);
    client.post(&path, &with(&added, &[("rule_drop", "0")])).await;
    assert_eq!(names(&client.stub.calls(SIMULATE).pop().unwrap().body), ["new", "odd"]);
    let off = client.post(&path, &with(&fields, &[("mode", "OFF")])).await.text;
    assert_eq!(client.stub.calls(SIMULATE).pop().unwrap().body["rules"], json!([]));
    assert!(off.contains(EN.trial_off), "{off}");
}

/// What is wrong with a policy is said with all that was entered, each fault of a rule with its place; while nothing can be tried, a policy can
/// be switched off all the same.
#[tokio::test]
async fn a_policy_that_is_refused_comes_back() {
    let (client, path, fields) = opened().await;
    let broken = with(&fields, &[("rule_when", "{")]);
    let refused = client.post(&path, &broken).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("is not valid JSON") && refused.text.contains(">{</textarea>"), "{}", refused.text);

    let fault =
        json!([{ "loc": ["body", "rules", 1, "when", "signal"], "msg": "there is no such signal", "type": "x" }]);
    client.stub.answer(SIMULATE, 422, json!({ "detail": fault }));
    let refused = client.post(&path, &with(&fields, &[("name", "Other <b>")])).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for shown in ["rules: 2.when.signal: there is no such signal", "value=\"Other &#60;b&#62;\""] {
        assert!(refused.text.contains(shown), "{shown} is not in {}", refused.text);
    }

    client.stub.answer(SIMULATE, 503, json!({ "detail": "away" }));
    let untried = client.post(&path, &with(&fields, &[("mode", "OFF")])).await;
    assert!(untried.text.contains(EN.trial_away) && untried.text.contains("value=\"save\""), "{}", untried.text);
    let changed = "The policy was changed meanwhile: read it, and change its newest version";
    client.stub.answer(&format!("PUT {path}"), 409, json!({ "detail": changed }));
    let late = client.post(&path, &with(&entered(&untried.text), &[("step", "save")])).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(
        late.text.contains(EN.refused_policy_changed) && late.text.contains("value=\"OFF\" selected"),
        "{}",
        late.text
    );
    assert!(DE.refusal(changed).words.starts_with("Das Regelwerk"));
}

/// A new policy is on trial at first, and is made once; the form is for those alone who may see policies.
#[tokio::test]
async fn a_policy_is_made_once() {
    let client = Client::new().await;
    let page = client.get("/moderation/policies/new").await.text;
    let fields = entered(&page);
    assert!(fields.contains(&("mode".to_owned(), "SHADOW".to_owned())), "{fields:?}");
    let key = fields.iter().find(|(name, _)| name == "key").unwrap().1.clone();
    let form = with(
        &fields,
        &[("name", "New"), ("rule_name", "a"), ("rule_when", "{\"signal\": \"links\"}"), ("step", "save")],
    );
    let saved = client.post("/moderation/policies/new", &form).await;
    assert_eq!(saved.header("location"), "/moderation/policies?done=saved", "{}", saved.text);
    let call = client.stub.calls("POST /moderation/policies").pop().unwrap();
    assert_eq!(call.headers["idempotency-key"], key.as_str());
    assert_eq!((&call.body["version"], &call.body["rules"][0]["name"]), (&json!(0), &json!("a")));
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());

    client.stub.answer("GET /moderation/policies", 403, json!({ "detail": "Only administrators can do this" }));
    let refused = client.get("/moderation/policies/new").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains(EN.refused_administrators), "{}", refused.text);
}

/// What was found when a policy was tried is text.
#[tokio::test]
async fn what_a_trial_shows_is_text() {
    let client = Client::new().await;
    let mut trees = Vec::new();
    for text in ["plain", HOSTILE] {
        client.stub.write(text);
        let form = format!("name={}&mode=ENFORCE&version=1", encoded(text));
        let tried = client.post(&format!("/moderation/policies/{ID}"), &form).await;
        assert_eq!(tried.status, StatusCode::OK);
        assert!(tried.text.contains("value=\"save\""), "{}", tried.text);
        trees.push(tree(&tried.text));
    }
    assert_eq!(trees[0], trees[1]);
}

/// Rules about domains are listed page by page, set, of an address, too, and deleted; what is no domain comes back.
#[tokio::test]
async fn what_links_to_domains_mean_is_set() {
    let client = Client::new().await;
    let rule = |number: usize| json!({ "domain": format!("d{number}.example"), "verdict": "BLOCK", "note": "Counterfeit", "updated_at": TIME, "updated_by": ID });
    client.stub.answer("GET /moderation/domains", 200, json!((0..50).map(rule).collect::<Vec<_>>()));
    let page = client.get("/moderation/domains").await.text;
    for shown in ["<bdi>d0.example</bdi>", "<strong>blocked</strong>", "Counterfeit", "cursor=d49.example"] {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
    client.get("/moderation/domains?cursor=d49.example").await;
    let asked: Vec<_> = client.stub.calls("GET /moderation/domains").into_iter().map(|call| call.query).collect();
    assert_eq!(asked, ["limit=50", "limit=50&after=d49.example"]);

    let form = format!("domain={}&verdict=WARN&note=", encoded("https://spam.example/a?b"));
    let set = client.post("/moderation/domains", &form).await;
    assert_eq!(set.header("location"), "/moderation/domains?done=saved", "{}", set.text);
    let put = "PUT /moderation/domains/spam.example";
    assert_eq!(client.stub.calls(put)[0].body, json!({ "verdict": "WARN", "note": null }));
    let removed = client.post("/moderation/domains/remove", "domain=spam.example").await;
    assert_eq!(removed.header("location"), "/moderation/domains?done=deleted");
    assert_eq!(client.stub.calls("DELETE /moderation/domains/spam.example").len(), 1);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());

    let none = client.post("/moderation/domains", "domain=..&verdict=WARN&note=Kept").await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(none.text.contains(EN.fault_domain) && none.text.contains(">Kept</textarea>"), "{}", none.text);
    let fault =
        json!([{ "loc": ["path", "domain"], "msg": "value is not a domain name", "type": "value_error.domain" }]);
    client.stub.answer(put, 422, json!({ "detail": fault }));
    let refused = client.post("/moderation/domains", "domain=spam.example&verdict=ALLOW").await.text;
    assert!(refused.contains("id=\"domain-error\"") && refused.contains("value=\"ALLOW\" selected"), "{refused}");
}
