//! A person at a browser: opens pages, reads, fills fields, clicks and types; each step waits for what the page shows.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use crate::browser_host::Browser;
use crate::platform::PASSWORD;

/// How long an effect may take before it counts as lost.
const EFFECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a page is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often a page is opened anew: each time costs the platform a page.
const OPEN_EVERY: Duration = Duration::from_millis(300);

pub struct Visitor {
    pub browser: Browser,
    origin: String,
}

impl Visitor {
    pub async fn new(browser: Browser, origin: &str) -> Result<Visitor> {
        let visitor = Visitor { browser, origin: origin.to_owned() };
        visitor.open("/").await?;
        Ok(visitor)
    }

    pub async fn open(&self, path: &str) -> Result<()> {
        let url = format!("{}{path}", self.origin);
        self.browser.tab.goto(&url).await.with_context(|| format!("{path} is not opened"))
    }

    /// The path of the page that is shown.
    pub async fn path(&self) -> Result<String> {
        Ok(self.browser.tab.current_url().await?.path().to_owned())
    }

    /// Waits for an element.
    pub async fn sees(&self, css: &str) -> Result<Element> {
        let wait = self.browser.tab.wait().at_most(EFFECT_TIMEOUT).every(LOOK_EVERY);
        let found = wait.for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => Ok(element),
            Err(error) => Err(error).with_context(|| format!("{css} is not shown")).context(self.shown().await),
        }
    }

    /// Waits for a text.
    pub async fn reads(&self, text: &str) -> Result<()> {
        self.finds(&xpath(text)).await.map(drop)
    }

    /// Opens a page until it shows a text.
    pub async fn opens_until(&self, path: &str, text: &str) -> Result<()> {
        self.opens_until_there(path, &xpath(text)).await
    }

    /// Opens a page until it has an element.
    pub async fn opens_until_there(&self, path: &str, sought: &str) -> Result<()> {
        self.opens_within(EFFECT_TIMEOUT, path, sought).await
    }

    /// The same, for what may take longer.
    pub async fn opens_within(&self, limit: Duration, path: &str, sought: &str) -> Result<()> {
        let (began, mut turns) = (Instant::now(), interval(OPEN_EVERY));
        loop {
            turns.tick().await;
            self.open(path).await?;
            if !self.browser.tab.find_all(Locator::XPath(sought)).await?.is_empty() {
                return Ok(());
            }
            ensure!(began.elapsed() < limit, "{path} does not show {sought}: {}", self.shown().await);
        }
    }

    /// What people click who read these words: a button of the content, else a link or a fold of it, else one around it.
    pub async fn control(&self, words: &str) -> Result<Element> {
        let named = format!("[.//text()[normalize-space(.)=\"{words}\"]]");
        let (began, mut turns) = (Instant::now(), interval(LOOK_EVERY));
        loop {
            turns.tick().await;
            for among in ["//main//button", "//main//*[self::a or self::summary]", "//*[self::a or self::button]"] {
                let found = self.browser.tab.find_all(Locator::XPath(&format!("{among}{named}"))).await?;
                for element in found {
                    // A page that was left meanwhile has none of its elements.
                    if element.is_displayed().await.unwrap_or(false) {
                        return Ok(element);
                    }
                }
            }
            ensure!(began.elapsed() < EFFECT_TIMEOUT, "{words:?} cannot be clicked: {}", self.shown().await);
        }
    }

    /// Clicks what these words name.
    pub async fn follows(&self, words: &str) -> Result<()> {
        self.control(words).await?.click().await.with_context(|| format!("{words:?} cannot be clicked"))
    }

    /// Enters a text into the field that these words label.
    pub async fn enters(&self, words: &str, text: &str) -> Result<()> {
        let label = format!("//main//label[text()[normalize-space(.)=\"{words}\"]]");
        let label = self.finds(&label).await?;
        let id = label.attr("for").await?.with_context(|| format!("{words:?} labels no field"))?;
        let field = self.sees(&format!("main [id='{id}']")).await?;
        field.clear().await?;
        field.send_keys(text).await.with_context(|| format!("{words:?} cannot be filled"))
    }

    /// Waits for an element, by its path.
    pub async fn finds(&self, path: &str) -> Result<Element> {
        let wait = self.browser.tab.wait().at_most(EFFECT_TIMEOUT).every(LOOK_EVERY);
        let found = wait.for_element(Locator::XPath(path)).await;
        match found {
            Ok(element) => Ok(element),
            Err(error) => Err(error).with_context(|| format!("{path} is not there")).context(self.shown().await),
        }
    }

    pub async fn clicks_xpath(&self, path: &str) -> Result<()> {
        self.finds(path).await?.click().await.with_context(|| format!("{path} cannot be clicked"))
    }

    /// Waits for a page with this heading.
    pub async fn sees_heading(&self, words: &str) -> Result<()> {
        self.finds(&format!("//main//h1[normalize-space(.)=\"{words}\"]")).await.map(drop)
    }

    pub async fn click(&self, css: &str) -> Result<()> {
        self.sees(css).await?.click().await.with_context(|| format!("{css} cannot be clicked"))
    }

    /// Enters a text into the field with this name.
    pub async fn fill(&self, name: &str, text: &str) -> Result<()> {
        let field = self.sees(&format!("main [name={name}]")).await?;
        field.clear().await?;
        field.send_keys(text).await.with_context(|| format!("{name} cannot be filled"))
    }

    /// Signs in, and waits until the front page is theirs.
    pub async fn signs_in(&self, email: &str) -> Result<()> {
        self.open("/signin").await?;
        self.fill("email", email).await?;
        self.fill("password", PASSWORD).await?;
        self.click("form[action='/signin'] button").await?;
        self.sees("form[action='/signout']").await.map(drop)
    }

    /// Presses a key on whatever has the focus.
    pub async fn presses(&self, key: Key) -> Result<()> {
        self.types(&char::from(key).to_string()).await
    }

    /// Types on whatever has the focus.
    pub async fn types(&self, text: &str) -> Result<()> {
        let strokes = text.chars().flat_map(|value| [KeyAction::Down { value }, KeyAction::Up { value }]);
        let keys = strokes.fold(KeyActions::new("keyboard".to_owned()), KeyActions::then);
        self.browser.tab.perform_actions(keys).await.context("the keyboard fails")
    }

    /// Whether the focus is on an element that this selector has.
    pub async fn is_at(&self, css: &str) -> Result<bool> {
        let script = "return document.activeElement.matches(arguments[0])";
        Ok(self.runs(script, vec![json!(css)]).await? == json!(true))
    }

    /// Runs a script of the test's in the page.
    pub async fn runs(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        self.browser.tab.execute(script, arguments).await.context("a script of the test fails")
    }

    /// The warnings and errors of the console since it was read last: each violation of a policy and each error of a script.
    pub async fn console(&self) -> Result<Vec<String>> {
        let entries = self.browser.command("se/log", json!({ "type": "browser" })).await?;
        let entries = entries.as_array().context("the console has no list")?;
        let bad = entries.iter().filter(|entry| matches!(entry["level"].as_str(), Some("WARNING" | "SEVERE")));
        Ok(bad.map(Value::to_string).collect())
    }

    /// The page as it is, for messages.
    async fn shown(&self) -> String {
        let (url, source) = (self.browser.tab.current_url().await, self.browser.tab.source().await);
        format!("at {url:?}: {}", source.unwrap_or_default())
    }

    pub async fn leaves(self) -> Result<()> {
        self.browser.close().await
    }
}

/// The smallest elements that have the text.
fn xpath(text: &str) -> String {
    format!("//body[contains(normalize-space(.), \"{text}\")]")
}
