//! What every page has around its content: the language, the colours, who is signed in, and a word about what was done.
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::people::{Card, Me};
use crate::ground::assets;
use crate::ground::words::{encoded, fill};
use crate::session::cookies::{self, LANGUAGE, THEME};
use crate::texts::{DE, EN, Texts};

/// What a browser has chosen, or what it says it likes.
#[derive(Clone, Copy, Debug)]
pub struct Choices {
    pub texts: &'static Texts,
    /// `light` or `dark`, where it is not left to the system.
    pub theme: &'static str,
}

impl Choices {
    pub fn of(parts: &Parts) -> Self {
        Self::of_headers(&parts.headers)
    }

    pub fn of_headers(headers: &HeaderMap) -> Self {
        let chosen = cookies::read(headers, LANGUAGE);
        let liked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let texts = match chosen.as_deref() {
            Some("de") => &DE,
            Some("en") => &EN,
            _ => preferred(liked),
        };
        let theme = match cookies::read(headers, THEME).as_deref() {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "auto",
        };
        Self { texts, theme }
    }
}

/// The language of a browser's list that it likes most and that there is; English when there is none.
fn preferred(list: &str) -> &'static Texts {
    let mut best: (f32, &'static Texts) = (0.0, &EN);
    for entry in list.split(',') {
        let (range, weight) = entry.split_once(";q=").unwrap_or((entry, "1"));
        let texts = match range.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("de") => &DE,
            Some("en") => &EN,
            _ => continue,
        };
        let weight = weight.trim().parse().unwrap_or(0.0);
        if weight > best.0 {
            best = (weight, texts);
        }
    }
    best.1
}

/// The frame of one page.
#[derive(Clone, Debug)]
pub struct Frame {
    pub t: &'static Texts,
    pub theme: &'static str,
    pub me: Option<Me>,
    /// Unread notifications; none while they are not to be had.
    pub unread: i64,
    pub notice: Option<&'static str>,
    /// Whether a script asks for what is in the page alone, to show it in a dialog over another one.
    pub is_part: bool,
    uri: Uri,
    now: DateTime<Utc>,
}

/// How many notifications were not viewed.
#[derive(Deserialize)]
pub struct Unread {
    pub unread: i64,
}

/// A value, or a reference to one, or one to that: templates pass whichever they have.
pub trait Held<T> {
    fn held(&self) -> &T;
}

macro_rules! held {
    ($($kind:ty),+) => {$(
        impl Held<$kind> for $kind {
            fn held(&self) -> &$kind {
                self
            }
        }

        impl<T: Held<$kind>> Held<$kind> for &T {
            fn held(&self) -> &$kind {
                (*self).held()
            }
        }
    )+};
}
held!(Card, DateTime<Utc>, i64);

#[expect(clippy::unused_self, reason = "templates have the page alone, and ask it for everything")]
impl Frame {
    pub fn new(choices: Choices, uri: Uri) -> Self {
        let done = uri.query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("done=")));
        let notice = done.and_then(|done| choices.texts.done(done));
        let (t, theme, now) = (choices.texts, choices.theme, Utc::now());
        Self { t, theme, me: None, unread: 0, notice, is_part: false, uri, now }
    }

    /// The frame of what a form or a part of a page is answered with: its links lead back to the page around that.
    pub fn answering(choices: Choices, page: Uri) -> Self {
        Self { notice: None, ..Self::new(choices, page) }
    }

    /// Asks who is signed in, and how many notifications wait for them.
    pub async fn load(&mut self, caller: &Caller) -> Result<(), Failure> {
        let unread = caller.get::<Unread>(&["me", "notifications", "unread-count"], &[]);
        let (me, unread) = futures::future::join(caller.me(), unread).await;
        self.me = Some(me?);
        // A page without the number is better than none.
        self.unread = unread.map_or(0, |count| count.unread);
        Ok(())
    }

    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The address of this page, for forms that lead back here.
    pub fn here(&self) -> String {
        let query = self.uri.query().unwrap_or_default();
        let kept: Vec<_> = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("done=")).collect();
        if kept.is_empty() { self.path().to_owned() } else { format!("{}?{}", self.path(), kept.join("&")) }
    }

    /// The same page at another cursor.
    pub fn at(&self, cursor: &str) -> String {
        let query = self.uri.query().unwrap_or_default();
        let aside = ["done=", "cursor="];
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !aside.iter().any(|name| pair.starts_with(name)));
        let cursor = format!("cursor={}", encoded(cursor));
        format!("{}?{}", self.path(), kept.chain([cursor.as_str()]).collect::<Vec<_>>().join("&"))
    }

    /// `page` where a link leads to the page that is shown.
    pub fn current(&self, path: impl AsRef<str>) -> &'static str {
        let path = path.as_ref();
        if self.path() == path || (path != "/" && self.path().starts_with(&format!("{path}/"))) {
            "page"
        } else {
            "false"
        }
    }

    pub fn is_me(&self, card: impl Held<Card>) -> bool {
        self.me.as_ref().is_some_and(|me| me.profile.card.id == card.held().id)
    }

    pub fn my_id(&self) -> uuid::Uuid {
        self.me.as_ref().map(|me| me.profile.card.id).unwrap_or_default()
    }

    pub fn moderates(&self) -> bool {
        self.me.as_ref().is_some_and(Me::moderates)
    }

    pub fn administers(&self) -> bool {
        self.me.as_ref().is_some_and(Me::administers)
    }

    /// Their name, or a word where they have none.
    pub fn name(&self, card: impl Held<Card>) -> String {
        let name = card.held().name();
        if name.is_empty() { self.t.no_name.to_owned() } else { name }
    }

    pub fn author(&self, card: Option<&Card>) -> Card {
        card.cloned().unwrap_or_default()
    }

    pub fn ago(&self, time: impl Held<DateTime<Utc>>) -> String {
        self.t.ago(*time.held(), self.now)
    }

    pub fn moment(&self, time: impl Held<DateTime<Utc>>) -> String {
        self.t.moment(*time.held())
    }

    pub fn day(&self, time: impl Held<DateTime<Utc>>) -> String {
        self.t.day(*time.held())
    }

    pub fn iso(&self, time: impl Held<DateTime<Utc>>) -> String {
        time.held().format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The pages of the settings.
    pub fn settings_tabs(&self) -> [(&'static str, &'static str); 7] {
        [
            ("/settings", self.t.profile),
            ("/settings/password", self.t.password),
            ("/settings/sessions", self.t.sessions),
            ("/settings/accounts", self.t.linked_accounts),
            ("/settings/people", self.t.blocks_mutes),
            ("/settings/notifications", self.t.notifications),
            ("/settings/data", self.t.your_data),
        ]
    }

    /// A sentence with one gap, filled.
    #[expect(clippy::needless_pass_by_value, reason = "templates pass values as well as references")]
    pub fn with(&self, sentence: &str, value: impl ToString) -> String {
        fill(sentence, &[&value.to_string()])
    }

    /// A number with its noun.
    pub fn count(&self, number: impl Held<i64>, one: &str, many: &str) -> String {
        let number = *number.held();
        fill(if number == 1 { one } else { many }, &[&number.to_string()])
    }

    /// `99+` at most, so that a badge stays small.
    pub fn badge(&self) -> String {
        if self.unread > 99 { "99+".to_owned() } else { self.unread.to_string() }
    }

    pub fn style(&self) -> &'static str {
        &assets::STYLE.path
    }

    pub fn icon(&self) -> &'static str {
        &assets::ICON.path
    }

    /// The one script of a page; a guest's has nothing that is live.
    pub fn script(&self) -> &'static str {
        if self.me.is_some() { &assets::MEMBERS.path } else { &assets::CLIENT.path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_that_which_the_browser_likes_most() {
        for (list, wanted) in [
            ("", "en"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("fr, en;q=0.4, de;q=0.5", "de"),
            ("tr,en", "en"),
            ("de;q=x", "en"),
        ] {
            assert_eq!(preferred(list).lang, wanted, "{list}");
        }
    }

    #[test]
    fn a_next_page_keeps_what_was_searched() {
        let frame =
            Frame::new(Choices { texts: &EN, theme: "auto" }, "/search?q=a%20b&done=saved&cursor=1".parse().unwrap());
        assert_eq!(frame.at("x/y"), "/search?q=a%20b&cursor=x%2Fy");
        assert_eq!(frame.here(), "/search?q=a%20b&cursor=1");
        assert_eq!(frame.notice, Some(EN.done_saved));
        assert_eq!((frame.current("/search"), frame.current("/")), ("page", "false"));
    }
}
