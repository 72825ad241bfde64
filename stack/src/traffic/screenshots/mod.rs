//! `cargo stack pictures`: draws every page of the web client of a running platform, in three widths and two schemes, for a person
//! to look at.
//!
//! A small scene is played through the API first, by new people each time, so that the pages have something to show; where the
//! platform's data are on this machine, the reader is a moderator, and the pages of moderation are drawn, too.

mod scene;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use fantoccini::Locator;
use reqwest::Url;
use serde_json::Value;

use self::scene::{PASSWORD, Scene};
use crate::client::Api;
use crate::host::browser::Browser;
use crate::host::console;
use crate::host::programs::{self, Program};
use crate::servers::folder::DataFolder;

/// The widths and the least heights, in pixels: a phone, a tablet, a desktop.
const SIZES: [(&str, u32, u32); 3] = [("phone", 390, 844), ("tablet", 820, 1180), ("desktop", 1280, 900)];
const SCHEMES: [&str; 2] = ["light", "dark"];
/// The most of a long page that is drawn, in pixels.
const MOST_HEIGHT: u64 = 6_000;
/// How long a page may take to be what it is.
const PAGE_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub struct Pictures {
    /// The address of the web client: that of its gateway
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// The folder that the pictures are written to
    #[arg(long, value_name = "FOLDER", default_value = "target/pictures")]
    into: PathBuf,
    #[command(flatten)]
    data: DataFolder,
}

/// Draws the pages; says where they are.
pub async fn pictures(options: Pictures) -> Result<ExitCode> {
    programs::provide(&[Program::Chromium, Program::ChromeDriver]).await?;
    let api = Api::new(&options.url, 0)?;
    let scene = scene::play(&api, &options.url, &options.data).await?;
    fs::create_dir_all(&options.into).with_context(|| format!("{} cannot be made", options.into.display()))?;
    let spinner = console::spinner("Drawing pages".to_owned());
    let browser = Browser::start(true).await?;
    let drawn = draw_all(&browser, &options, &scene).await;
    spinner.finish_and_clear();
    let drawn = drawn?;
    browser.close().await?;
    console::show(format_args!("{drawn} pictures are in {}", options.into.display()));
    Ok(ExitCode::SUCCESS)
}

async fn draw_all(browser: &Browser, options: &Pictures, scene: &Scene) -> Result<usize> {
    let mut drawn = 0;
    for (name, path) in Scene::pages_of_guests() {
        drawn += draw(browser, options, &name, &path).await?;
    }
    sign_in(browser, &options.url, &scene.email).await?;
    for (name, path) in scene.pages() {
        drawn += draw(browser, options, &name, &path).await?;
    }
    Ok(drawn)
}

async fn sign_in(browser: &Browser, url: &Url, email: &str) -> Result<()> {
    browser.tab.goto(url.join("/signin")?.as_str()).await?;
    let form = browser.tab.form(Locator::Css("form[action='/signin']")).await?;
    form.set_by_name("email", email).await?.set_by_name("password", PASSWORD).await?;
    form.submit_with(Locator::Css("button")).await?;
    let signed_in = browser.tab.wait().at_most(PAGE_TIMEOUT).for_element(Locator::Css("form[action='/signout']"));
    signed_in.await.context("the sign-in does not lead to a page").map(drop)
}

/// Draws a page in all sizes and schemes; how many pictures that is.
async fn draw(browser: &Browser, options: &Pictures, name: &str, path: &str) -> Result<usize> {
    for (size, width, height) in SIZES {
        browser.size(width, height).await?;
        for scheme in SCHEMES {
            browser.prefer(scheme).await?;
            browser
                .tab
                .goto(options.url.join(path)?.as_str())
                .await
                .with_context(|| format!("{path} is not opened"))?;
            let heading = browser.tab.wait().at_most(PAGE_TIMEOUT).for_element(Locator::Css("main h1")).await;
            heading.with_context(|| format!("{path} has no heading"))?;
            whole(browser, width, height).await?;
            let picture = browser.tab.screenshot().await.with_context(|| format!("{path} is not drawn"))?;
            write(&options.into, &format!("{name}-{size}-{scheme}.png"), &picture)?;
            browser.size(width, height).await?;
        }
    }
    Ok(SIZES.len() * SCHEMES.len())
}

/// Makes the page as high as its content, and waits for its pictures.
async fn whole(browser: &Browser, width: u32, height: u32) -> Result<()> {
    let measured = browser.tab.execute("return document.documentElement.scrollHeight", Vec::new()).await?;
    let long = measured.as_u64().context("the page has no height")?.min(MOST_HEIGHT);
    browser.size(width, u32::try_from(long)?.max(height)).await?;
    let loaded = "const done = arguments[0]; Promise.allSettled([...document.images].map((image) => image.decode())).then(() => done(true))";
    let loaded = browser.tab.execute_async(loaded, Vec::new()).await.context("the pictures of a page do not load")?;
    ensure!(loaded == Value::Bool(true), "the pictures of a page do not load");
    Ok(())
}

fn write(folder: &Path, name: &str, picture: &[u8]) -> Result<()> {
    let file = folder.join(name);
    fs::write(&file, picture).with_context(|| format!("{} cannot be written", file.display()))
}
