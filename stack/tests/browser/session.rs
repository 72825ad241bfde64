//! A session outlives its access token, in both of two tabs, and however much is asked for at once when that has ended.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{World, none};

/// The cookie that a browser forgets when the access token ends.
const ACCESS: &str = "web_access";
/// How often it ends.
const ENDS: usize = 3;

/// Asks for several pages at once, as two tabs do, and says what was shown, and where a redirect has led to.
const AT_ONCE: &str = r"
    const done = arguments[0];
    Promise.all(['/', '/explore', '/notifications', '/settings'].map((page) => fetch(page))).then(
        (answers) => done(answers.map((answer) => `${answer.status} ${new URL(answer.url).pathname}`)),
        (error) => done([String(error)]));
";

pub async fn lives_on(world: &World) -> Result<()> {
    let person = world.join("lee@example.org", ("Lee", "Long")).await?;
    let visitor = world.visitor(true).await?;
    visitor.signs_in(&person.email).await?;
    visitor.browser.tab.new_window(true).await.context("there is no second tab")?;
    let tabs = visitor.browser.tab.windows().await?;
    ensure!(tabs.len() == 2, "{} tabs", tabs.len());
    for end in 0..ENDS {
        visitor.browser.tab.switch_to_window(tabs[end % 2].clone()).await?;
        visitor.open("/").await?;
        visitor.sees("form[action='/signout']").await?;
        visitor.browser.tab.delete_cookie(ACCESS).await?;
        let shown = visitor.browser.tab.execute_async(AT_ONCE, vec![]).await.context("the pages are not asked for")?;
        let all = json!(["200 /", "200 /explore", "200 /notifications", "200 /settings"]);
        ensure!(shown == all, "after end {end}: {shown}");
        visitor.browser.tab.get_named_cookie(ACCESS).await.with_context(|| format!("end {end} renews nothing"))?;
        visitor.browser.tab.switch_to_window(tabs[(end + 1) % 2].clone()).await?;
        visitor.open("/notifications").await?;
        visitor.sees("form[action='/signout']").await?;
        none("the console", &visitor.console().await?)?;
    }
    visitor.leaves().await
}
