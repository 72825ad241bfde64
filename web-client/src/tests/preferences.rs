//! What a person is notified of, and when: devices and quiet hours.
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Client;
use crate::texts::EN;

const FORM: &str = "kinds=USER_MENTIONED&in_app=USER_MENTIONED&mail-USER_MENTIONED=DIGEST&time_zone=UTC&digest_hour=7";
const CALL: &str = "PATCH /me/notification-preferences";

/// Both times are sent, or that there are none; what the page of an older release has no fields for, stays as it is.
#[tokio::test]
async fn quiet_hours_and_pushes_are_chosen() {
    let client = Client::new().await;
    let chosen = json!({ "types": { "USER_MENTIONED": { "in_app": true, "mail": "DIGEST", "push": true } }, "time_zone": "UTC",
        "digest_hour": 7, "quiet_hours": { "from": "22:00", "to": "07:00" } });
    client.stub.answer("GET /me/notification-preferences", 200, chosen);
    let page = client.get("/settings/notifications").await.text;
    for shown in ["name=\"push\" value=\"USER_MENTIONED\"", "value=\"22:00\"", "value=\"07:00\""] {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
    let sent = async |more: &str| {
        let saved = client.post("/settings/notifications", &format!("{FORM}{more}")).await;
        assert_eq!(saved.header("location"), "/settings/notifications?done=saved", "{}", saved.text);
        client.stub.calls(CALL).pop().unwrap().body
    };
    let body = sent("&has=push&push=USER_MENTIONED&quiet_from=22%3A00&quiet_to=07%3A00").await;
    assert_eq!(body["quiet_hours"], json!({ "from": "22:00", "to": "07:00" }));
    assert_eq!(body["types"]["USER_MENTIONED"], json!({ "in_app": true, "mail": "DIGEST", "push": true }));
    let none = sent("&has=push&quiet_from=&quiet_to=").await;
    assert_eq!(
        (none.get("quiet_hours"), &none["types"]["USER_MENTIONED"]["push"]),
        (Some(&Value::Null), &json!(false))
    );
    let older = sent("").await;
    assert_eq!((older.get("quiet_hours"), older["types"]["USER_MENTIONED"].get("push")), (None, None));
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A time without the other one is refused at its field, and stands there again.
#[tokio::test]
async fn quiet_hours_that_are_refused_come_back() {
    let client = Client::new().await;
    let msg = "value is not a time of the day, such as 22:00";
    let fault = json!([{ "loc": ["body", "quiet_hours", "to"], "msg": msg, "type": "value_error.time" }]);
    client.stub.answer(CALL, 422, json!({ "detail": fault }));
    let refused = client.post("/settings/notifications", &format!("{FORM}&quiet_from=22%3A00&quiet_to=")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(client.stub.calls(CALL)[0].body["quiet_hours"], json!({ "from": "22:00", "to": "" }));
    for shown in ["value=\"22:00\" aria-invalid=\"true\" aria-describedby=\"quiet_hours-error\"", EN.fault_day_time] {
        assert!(refused.text.contains(shown), "{shown} is not in {}", refused.text);
    }
}
