//! Swagger UI's "Try it out": what the five documents give as examples is sent as it stands, by an administrator, to which no
//! operation is closed. The answer is a success or a refusal that the document names, and never that the input is invalid.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::{Map, Value};

use super::mailbox::{letters, mailed_token};
use crate::client::{self, Api, Person, To, eventually};
use crate::platform::{PASSWORD, Platform, SERVICES};

const ROOT: &str = "root@example.org";
/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// One operation of a document.
struct Operation<'a> {
    service: u16,
    document: &'a Value,
    method: Method,
    path: &'a str,
    description: &'a Value,
}

#[tokio::test]
async fn every_operation_can_be_tried_with_its_own_example() -> Result<()> {
    let mut platform = Platform::up(&["--set", &format!("auth-service.FIRST_ADMIN={ROOT}")]);
    let (api, http) = (platform.api(), client::http(ANSWER_TIMEOUT)?);
    let root = administrator(&platform, &api).await?;
    let post = root.write_post("A post", "To try things with.", &["NEWS"], "POSTED").await?.id;

    let documents = documents(&platform, &http).await?;
    let (mut breaches, mut statuses) = (Vec::new(), BTreeMap::new());
    for operation in operations(&documents) {
        let name = format!("{} {}", operation.method, operation.path);
        let status = operation.send(&platform, &http, &api, operation.body(), None).await?;
        let documented = operation.description["responses"].get(status.to_string()).is_some();
        if !documented || status == 422 || status >= 500 {
            breaches.push(format!("{name}: {status} for its own example"));
        }
        for (field, null, nullable) in operation.bodies_with_a_null() {
            let status = operation.send(&platform, &http, &api, Some(null), Some(&post)).await?;
            if (status == 422) == nullable {
                breaches.push(format!("{name}: {status} for a {field} that is null"));
            }
        }
        statuses.insert(name, status);
    }
    assert!(breaches.is_empty(), "\n  {}\n", breaches.join("\n  "));
    for (name, status) in [
        ("POST /api/v1/auth/signup", 201),
        ("POST /api/v1/auth/signin", 200),
        ("POST /api/v1/auth/token", 200),
        ("POST /api/v1/posts", 201),
        ("GET /api/v1/posts", 200),
        ("PATCH /api/v1/users/me", 200),
        ("GET /api/v1/admin/users", 200),
        ("GET /api/v1/me/moderations", 200),
        ("GET /api/v1/posts/{post_id}", 404),
        ("DELETE /api/v1/users/{user_id}", 403),
        ("POST /api/v1/users/activate", 401),
    ] {
        assert_eq!(statuses.get(name), Some(&status), "{name}");
    }
    platform.stop();
    Ok(())
}

/// Signs up the first administrator, who becomes one by verifying the address.
pub async fn administrator(platform: &Platform, api: &Api) -> Result<Person> {
    let person = api.join(ROOT, PASSWORD, ("Tim", "Root"), &["NEWS"]).await?;
    let mailbox = platform.data().join("mail");
    let ask = async || Ok(mailed_token(&letters(&mailbox)?, "activation_token"));
    let (token, _) = eventually("a mail to verify the address arrives", ask, Option::is_some).await?;
    let path = format!("/users/activate?activation_token={}", token.context("no token")?);
    let active: Value = api.ask(Method::POST, To::Auth, &path, None).await?;
    assert_eq!(active["role"], "ADMIN");
    Ok(person)
}

async fn documents(platform: &Platform, http: &Client) -> Result<Vec<Value>> {
    let mut documents = Vec::new();
    for service in 0..SERVICES.len() {
        let url = format!("{}/openapi.json", platform.url(0, u16::try_from(service)?));
        documents.push(http.get(url).send().await?.json().await?);
    }
    Ok(documents)
}

/// All operations, the sign-up first: the examples of a sign-in are of the person who signs up.
fn operations(documents: &[Value]) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (service, document) in (0..).zip(documents) {
        for (path, item) in document["paths"].as_object().unwrap() {
            operations.extend(item.as_object().unwrap().iter().map(|(method, description)| Operation {
                service,
                document,
                method: method.to_uppercase().parse().unwrap(),
                path,
                description,
            }));
        }
    }
    assert!(operations.len() > 50, "{}", operations.len());
    operations.sort_by_key(|operation| !operation.path.ends_with("/signup"));
    operations
}

fn example(parameter: &Value) -> Option<&Value> {
    let schema = &parameter["schema"];
    [&parameter["example"], &schema["example"], &schema["examples"][0], &schema["default"]]
        .into_iter()
        .find(|value| !value.is_null())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Operation<'_> {
    fn content(&self) -> Option<(&String, &Value)> {
        self.description["requestBody"]["content"].as_object()?.iter().next()
    }

    /// The schema of its body.
    fn schema(&self) -> Option<&Value> {
        let (_, content) = self.content()?;
        self.document.pointer(content["schema"]["$ref"].as_str()?.trim_start_matches('#'))
    }

    fn body(&self) -> Option<Map<String, Value>> {
        self.schema()?["examples"][0].as_object().cloned()
    }

    /// For each field of a JSON body: the field, the example with null for it, and whether the document allows that.
    fn bodies_with_a_null(&self) -> Vec<(String, Map<String, Value>, bool)> {
        let (Some((kind, _)), Some(schema), Some(body)) = (self.content(), self.schema(), self.body()) else {
            return vec![];
        };
        let fields = schema["properties"].as_object().into_iter().flatten().filter(|_| kind == "application/json");
        let with_null = |(field, schema): (&String, &Value)| {
            let mut body = body.clone();
            body.insert(field.clone(), Value::Null);
            let types = schema["type"].as_array().into_iter().flatten();
            let choices = schema["oneOf"].as_array().into_iter().flatten().map(|choice| &choice["type"]);
            (field.clone(), body, types.chain(choices).any(|kind| kind == "null"))
        };
        fields.map(with_null).collect()
    }

    /// Sends it with the examples of its parameters, in a session of its own, since it may end the session; the status of the
    /// answer.
    async fn send(
        &self,
        platform: &Platform,
        http: &Client,
        api: &Api,
        body: Option<Map<String, Value>>,
        post: Option<&str>,
    ) -> Result<u16> {
        let mut url: Url = platform.url(0, self.service).parse()?;
        let mut path = self.path.to_owned();
        for parameter in self.description["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            match (parameter["in"].as_str(), example(parameter).map(text)) {
                (Some("path"), value) => {
                    let value = post.filter(|_| name == "post_id").map(str::to_owned).or(value);
                    path = path.replace(&format!("{{{name}}}"), &value.with_context(|| format!("{name} of {path}"))?);
                }
                (Some("query"), Some(value)) => {
                    url.query_pairs_mut().append_pair(name, &value);
                }
                _ => {}
            }
        }
        url.set_path(&path);
        let mut request = http.request(self.method.clone(), url);
        if self.description.get("security").is_none() {
            let session = api.sign_in(ROOT, PASSWORD).await?;
            request = request.bearer_auth(session.api.access_token().await?.context("no session")?);
        }
        Ok(self.with_body(request, body).send().await?.status().as_u16())
    }

    fn with_body(&self, request: RequestBuilder, body: Option<Map<String, Value>>) -> RequestBuilder {
        match (self.content(), body) {
            (Some((kind, _)), Some(body)) if kind == "application/json" => request.json(&body),
            (_, Some(body)) => request.form(&body.iter().map(|(name, value)| (name, text(value))).collect::<Vec<_>>()),
            _ => request,
        }
    }
}
