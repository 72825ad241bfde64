//! A browser without a window: Chromium, driven by `chromedriver`, with a profile that goes with it.
//!
//! Chromium stays in the process group of the driver, which this value ends as a whole: after a test that failed, too, no
//! process and no file of it is left.

use std::io::ErrorKind;
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long the driver and the browser may take to start, on a machine that does much else.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// The arguments of Chromium: no window, no calls home, no proxy of the environment. Its sandbox needs rights that containers
/// do not give; it reads pages of this machine alone.
const ARGUMENTS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--lang=en",
];

/// The width and the height of a page on a desktop, in pixels.
const DESKTOP: (u32, u32) = (1280, 900);

/// A running browser with one tab.
#[derive(Debug)]
pub struct Browser {
    /// The tab, as `WebDriver` has it.
    pub tab: Client,
    driver: Driver,
}

/// The driver, the group of its processes, and the folder of the browser's profile.
#[derive(Debug)]
struct Driver {
    child: Child,
    _profile: TempDir,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = self.child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        // An error means that the group has ended already.
        group.map(|group| killpg(group, Signal::SIGKILL)).transpose().unwrap_or_default();
    }
}

/// A command that `chromedriver` has beside those of `WebDriver`.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Browser {
    /// Starts one that runs the scripts of pages, or none, as people choose in the settings of a browser.
    pub async fn start(scripts: bool) -> Result<Browser> {
        let profile = tempfile::Builder::new().prefix("browser-").tempdir().context("no folder for a profile")?;
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("TMPDIR", profile.path()).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => anyhow!("chromedriver is not installed; on Debian: apt-get install chromium-driver"),
            _ => anyhow!(error).context("chromedriver cannot be run"),
        })?;
        let mut driver = Driver { child, _profile: profile };
        let url = timeout(START_TIMEOUT, address(&mut driver.child)).await.context("chromedriver does not start")??;
        let mut options = json!({ "args": ARGUMENTS });
        if !scripts {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        let wishes = json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let Value::Object(wishes) = wishes else { bail!("the wishes are no object") };
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut builder = ClientBuilder::new(connector);
        let opening = builder.capabilities(wishes);
        let tab = timeout(START_TIMEOUT, opening.connect(&url)).await.context("Chromium does not start")??;
        let browser = Browser { tab, driver };
        browser.size(DESKTOP.0, DESKTOP.1).await?;
        browser.prefer("light").await?;
        Ok(browser)
    }

    /// Sends a command that only `chromedriver` has to the session.
    pub async fn command(&self, path: &'static str, body: Value) -> Result<Value> {
        self.tab.issue_cmd(Extension { path, body }).await.with_context(|| format!("{path} is not answered"))
    }

    /// Sends a command of the developer tools to the tab.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Result<Value> {
        let answer = self.command("goog/cdp/execute", json!({ "cmd": method, "params": parameters })).await;
        answer.with_context(|| format!("{method} failed"))
    }

    /// Makes the page as wide and as high as this, in pixels.
    pub async fn size(&self, width: u32, height: u32) -> Result<()> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await.map(drop)
    }

    /// Has the system prefer `light` or `dark`, and pages that keep still.
    pub async fn prefer(&self, scheme: &str) -> Result<()> {
        let still = json!({ "name": "prefers-reduced-motion", "value": "reduce" });
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }, still] });
        self.devtools("Emulation.setEmulatedMedia", features).await.map(drop)
    }

    /// Ends it.
    pub async fn close(mut self) -> Result<()> {
        self.tab.close().await.context("the browser does not end")?;
        self.driver.child.start_kill().context("chromedriver does not end")
    }
}

/// The address that the driver writes when it is ready.
async fn address(driver: &mut Child) -> Result<String> {
    let output = driver.stdout.take().context("chromedriver has no output")?;
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, port)) = line.split_once("successfully on port ") {
            // Kept open: a program whose output leads nowhere is ended.
            driver.stdout = Some(lines.into_inner().into_inner());
            return Ok(format!("http://127.0.0.1:{}", port.trim_end_matches('.')));
        }
    }
    bail!("chromedriver has ended before it was ready")
}
