//! The web client in a real browser: what people do with it, with scripts, without them and by keyboard alone; and what every page
//! promises those who cannot see it, or who read what was written to harm them.
//!
//! One platform and one browser at a time serve all of it, since to start them takes longer than to use them. All waiting is for
//! what a page shows.

mod hostile;
mod keyboard;
mod newcomer;
mod pages;
mod session;
mod tutorial;
mod visitor;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use self::visitor::Visitor;
use crate::browser_host::Browser;
use crate::client::{Api, Person, To, eventually};
use crate::journey::mailbox::{letters, mailed_token};
use crate::platform::{PASSWORD, Platform};

/// The address of the first administrator.
const ROOT: &str = "root@example.org";
/// Where the test command installs `axe`.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/axe/node_modules/axe-core/axe.min.js");

/// What the journeys share.
struct World {
    platform: Platform,
    /// The address of the pages.
    origin: String,
    /// The API of the services, as programs use it: what goes through the gateway here comes from a browser.
    api: Api,
}

impl World {
    /// A person who has come by the API.
    async fn join(&self, email: &str, name: (&str, &str)) -> Result<Person> {
        self.api.join(email, PASSWORD, name, &["BOOKS"]).await
    }

    /// A browser at the front page.
    async fn visitor(&self, scripts: bool) -> Result<Visitor> {
        Visitor::new(Browser::start(scripts).await?, &self.origin).await
    }

    /// The token of the mail that leads this address to the pages.
    async fn mailed(&self, email: &str) -> Result<String> {
        self.mailed_to(email, "/activate").await
    }

    /// The token of the mail that leads this address to this page.
    async fn mailed_to(&self, email: &str, page: &str) -> Result<String> {
        let folder = self.platform.data().join("mail");
        let ask = async || {
            let mut mails = letters(&folder)?;
            mails.retain(|letter| letter.contains(email) && letter.contains(&format!("{page}?token=")));
            Ok(mailed_token(&mails, &format!("{page}?token")))
        };
        let (token, _) = eventually("a mail leads to the pages", ask, Option::is_some).await?;
        token.context("no token")
    }

    /// The first administrator, who becomes one by verifying the address.
    async fn administrator(&self) -> Result<Person> {
        let root = self.join(ROOT, ("Tim", "Root")).await?;
        let path = format!("/users/activate?activation_token={}", self.mailed(ROOT).await?);
        let active: Value = self.api.ask(Method::POST, To::Auth, &path, None).await?;
        ensure!(active["role"] == "ADMIN", "{active}");
        Ok(root)
    }
}

/// The path of `axe`, where there is a browser, too; without them nothing can be tested.
#[expect(
    clippy::disallowed_methods,
    reason = "CI and PATH are set by the machine that runs the tests; they are no settings of the platform"
)]
fn tools() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let missing = ["chromium", "chromedriver"]
        .into_iter()
        .find(|name| !std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
        .or_else(|| (!Path::new(AXE).is_file()).then_some("axe"));
    let Some(missing) = missing else { return Some(AXE.into()) };
    assert!(std::env::var_os("CI").is_none(), "{missing} is not installed, and CI is set");
    println!("skipped: {missing} is not installed; `cargo stack test` installs it");
    None
}

/// People use the client as they can, and no page shuts one of them out. It takes longer than others, five minutes, for it starts a
/// platform and a dozen browsers, plays the tutorial, and looks at every page at two widths and in two schemes.
#[tokio::test]
#[ignore = "five minutes, of a machine that does nothing else"]
async fn people_use_the_client_in_a_real_browser() -> Result<()> {
    let Some(axe) = tools() else { return Ok(()) };
    let first_admin = format!("auth-service.FIRST_ADMIN={ROOT}");
    let platform = Platform::up(&["--web", "--gateway-port", "0", "--set", &first_admin]);
    let origin = platform.addresses["gateway"].clone();
    let api = platform.api();
    let mut world = World { platform, origin, api };
    let root = world.administrator().await?;

    // First, while the only others are those of its demo.
    tutorial::is_played(&world).await.context("the tutorial")?;
    newcomer::comes_and_goes(&world, false).await.context("without scripts")?;
    newcomer::comes_and_goes(&world, true).await.context("with scripts")?;
    keyboard::writes(&world).await.context("by keyboard alone")?;
    keyboard::decides(&world, &root).await.context("cases by keyboard alone")?;
    session::lives_on(&world).await.context("a session")?;
    pages::are_for_all(&world, &root, &axe).await.context("the pages")?;
    hostile::is_text(&world).await.context("hostile text")?;
    world.platform.stop();
    Ok(())
}

/// Makes a person a moderator.
async fn promote(root: &Person, person: &Person) -> Result<()> {
    let role = json!({ "role": "MODERATOR", "reason": "A pair of eyes." });
    let path = format!("/admin/users/{}/role", person.id);
    root.api.ask::<Value>(Method::PUT, To::Auth, &path, Some(&role)).await?;
    Ok(())
}

/// Fails with the list, unless it is empty.
fn none(what: &str, found: &[String]) -> Result<()> {
    ensure!(found.is_empty(), "{what}:\n{}", found.join("\n"));
    Ok(())
}
