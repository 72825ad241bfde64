//! What a visit takes of a line, and how soon a page is there on a slow one, by what Chromium itself reports.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::reading::WebReading;
use crate::host::browser::Browser;
use crate::host::console;
use crate::platform::gateway;
use crate::proof::bench::report::{Measurement, row};

/// Slow 3G: milliseconds to an answer, and bytes per second in both directions (400 kbit/s).
const LATENCY: u32 = 400;
const THROUGHPUT: u32 = 50_000;
/// How much slower the processor of a phone is taken to be.
const SLOWER: u32 = 4;
/// How often a page is visited on a slow line; the median counts.
const TIMES: usize = 5;

/// Bytes of the bodies of all that a page has loaded, as they were sent, and the number of requests. The stream of notifications
/// does not end and is not among them.
const WEIGHT: &str = "
    const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    const of = (end) => all.filter((entry) => new URL(entry.name).pathname.endsWith(end))
        .reduce((sum, entry) => sum + entry.encodedBodySize, 0);
    const sum = all.reduce((sum, entry) => sum + entry.encodedBodySize, 0);
    const sent = all.reduce((sum, entry) => sum + entry.transferSize, 0);
    return { html: all[0].encodedBodySize, css: of('.css'), js: of('.js'), all: sum, sent, requests: all.length };";

/// What happened since the page was begun: the last largest paint, shifts without a cause, the longest task, in milliseconds.
const SPEED: &str = "
    const done = arguments[0], seen = { paint: 0, shift: 0, task: 0 };
    const watch = (type, add, more) =>
        new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type, buffered: true, ...more });
    watch('largest-contentful-paint', (entry) => { seen.paint = Math.max(seen.paint, entry.startTime); });
    watch('layout-shift', (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
    watch('longtask', (entry) => { seen.task = Math.max(seen.task, entry.duration); });
    setTimeout(() => done(seen), 500);";

#[derive(Deserialize)]
struct Weight {
    html: u64,
    css: u64,
    js: u64,
    all: u64,
    sent: u64,
    requests: u64,
}

#[derive(Deserialize)]
struct Speed {
    paint: f64,
    shift: f64,
    task: f64,
}

/// Visits each page with an empty cache, once on a line of this machine and some times on a slow one; and a second page after the first.
pub async fn measure(scene: &WebReading) -> Result<Measurement> {
    console::info("Visiting pages in Chromium");
    let browser = Browser::start(true).await?;
    let outcome = visit(&browser, scene).await;
    browser.close().await?;
    let description = format!(
        "Pages in Chromium, with scripts, through the gateway; bytes of bodies as they are sent (compressed), and of all with heads. A \
         first visit has an empty cache. Slow 3G is an answer after {LATENCY} ms and 400 kbit/s, with a processor {SLOWER} times as \
         slow, set by Chromium's developer tools; the median of {TIMES} visits. The goals of a home page of 20 posts are 10 KB \
         of HTML, 6 of CSS, 19 of scripts, 5 requests, 40 KB in all, a largest paint within 2.5 s, shifts of 0.02 at most and no task \
         of more than 50 ms; of a post with 20 comments as a second page 8 KB."
    );
    Ok(Measurement { title: "A visit in a browser".to_owned(), description, rows: outcome? })
}

async fn visit(browser: &Browser, scene: &WebReading) -> Result<Vec<Vec<String>>> {
    let origin = gateway::url(scene.front.gateway);
    browser.devtools("Network.enable", json!({})).await?;
    let cookie = json!({ "name": "web_access", "value": scene.token().await?, "url": origin });
    browser.devtools("Network.setCookie", cookie).await?;
    let head = [
        "page",
        "HTML",
        "CSS",
        "scripts",
        "all",
        "with heads",
        "requests",
        "3G: largest paint",
        "shifts",
        "longest task",
    ];
    let mut rows = vec![row(head)];
    let (home, post) = (format!("{origin}/"), format!("{origin}/posts/{}", scene.post));
    for (what, first, page) in [
        ("home, first visit", None, &home),
        ("a post, first visit", None, &post),
        ("a post, after home", Some(&home), &post),
    ] {
        let weight = weigh(browser, first, page).await.with_context(|| format!("{what}: what it weighs"))?;
        let speed = slowly(browser, first, page).await.with_context(|| format!("{what}: on a slow line"))?;
        let [html, css, js, all, sent] = [weight.html, weight.css, weight.js, weight.all, weight.sent].map(kilobytes);
        let (requests, paint) = (weight.requests.to_string(), format!("{:.2} s", speed.paint / 1000.0));
        let (shift, task) = (format!("{:.3}", speed.shift), longest(speed.task));
        rows.push(row([what, &html, &css, &js, &all, &sent, &requests, &paint, &shift, &task]));
    }
    Ok(rows)
}

/// Opens a page with an empty cache, or after another page.
async fn open(browser: &Browser, first: Option<&String>, page: &str) -> Result<()> {
    browser.devtools("Network.clearBrowserCache", json!({})).await?;
    for page in first.map(String::as_str).into_iter().chain([page]) {
        browser.tab.goto(page).await.with_context(|| format!("{page} is not opened"))?;
    }
    Ok(())
}

async fn weigh(browser: &Browser, first: Option<&String>, page: &str) -> Result<Weight> {
    open(browser, first, page).await?;
    let weight = browser.tab.execute(WEIGHT, Vec::new()).await.context("its entries are not read")?;
    serde_json::from_value(weight).context("its entries are not as expected")
}

/// The median of some visits on a slow line.
async fn slowly(browser: &Browser, first: Option<&String>, page: &str) -> Result<Speed> {
    let line = |latency: u32, throughput: i64| json!({ "offline": false, "latency": latency, "downloadThroughput": throughput, "uploadThroughput": throughput });
    browser.devtools("Network.emulateNetworkConditions", line(LATENCY, THROUGHPUT.into())).await?;
    browser.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": SLOWER })).await?;
    let (mut paints, mut shifts, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TIMES {
        open(browser, first, page).await?;
        let seen: Value = browser.tab.execute_async(SPEED, Vec::new()).await.context("its speed is not read")?;
        let speed: Speed = serde_json::from_value(seen).context("its speed is not as expected")?;
        paints.push(speed.paint);
        shifts.push(speed.shift);
        tasks.push(speed.task);
    }
    browser.devtools("Network.emulateNetworkConditions", line(0, -1)).await?;
    browser.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": 1 })).await?;
    Ok(Speed { paint: middle(paints), shift: middle(shifts), task: middle(tasks) })
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Chromium reports tasks of more than 50 ms.
fn longest(task: f64) -> String {
    if task > 0.0 { format!("{task:.0} ms") } else { "≤ 50 ms".to_owned() }
}

#[expect(clippy::cast_precision_loss, reason = "pages are far smaller than what a float counts")]
fn kilobytes(bytes: u64) -> String {
    format!("{:.1} KB", bytes as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_visits_is_no_outlier() {
        assert!((middle(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert_eq!(
            (kilobytes(9_950), longest(0.0), longest(80.4)),
            ("9.9 KB".to_owned(), "≤ 50 ms".to_owned(), "80 ms".to_owned())
        );
    }
}
