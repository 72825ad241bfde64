//! The words of mails, as text and as HTML: templates in files, checked when the service is built.
use askama::Template;
use chrono::{DateTime, Utc};

use super::MailTemplate;
use super::notifications::MailLine;

/// Where a mail leads its reader, and in whose name.
pub struct MailContext {
    /// The name of the platform, as in the From line.
    pub sender: String,
    /// Where people reach this service.
    pub api: String,
    /// Where the web client is, if there is one.
    pub web: Option<String>,
}

/// A mail in words.
pub struct RenderedMail {
    pub subject: &'static str,
    pub text: String,
    pub html: String,
}

#[derive(Template)]
#[template(path = "letter.txt", escape = "none")]
struct Text<'a> {
    letter: &'a MailTemplate,
    at: &'a str,
    token: &'a str,
    lines: &'a [MailLine],
    sender: &'a str,
    api: &'a str,
    web: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    subject: &'a str,
    letter: &'a MailTemplate,
    at: &'a str,
    token: &'a str,
    lines: &'a [MailLine],
    sender: &'a str,
    api: &'a str,
    web: Option<&'a str>,
}

/// What is found out for a mail in the moment in which it is sent.
#[derive(Default)]
pub struct MailContents {
    /// Empty where the mail brings none.
    pub token: String,
    /// The notifications that it is about, in words.
    pub lines: Vec<MailLine>,
}

/// What a mail says of something that happened at `at`.
pub fn render(
    letter: &MailTemplate,
    at: DateTime<Utc>,
    contents: &MailContents,
    context: &MailContext,
) -> askama::Result<RenderedMail> {
    let at = &at.format("%-d %B %Y, %H:%M UTC").to_string();
    let MailContents { token, lines } = contents;
    let (subject, sender, api, web) = (letter.subject(), &*context.sender, &*context.api, context.web.as_deref());
    let text = Text { letter, at, token, lines, sender, api, web }.render()?;
    let html = Html { subject, letter, at, token, lines, sender, api, web }.render()?;
    Ok(RenderedMail { subject, text, html })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(token: &str) -> MailContents {
        MailContents { token: token.into(), ..MailContents::default() }
    }

    fn context(web: Option<&str>) -> MailContext {
        MailContext { sender: "Net & Co".into(), api: "https://api.example".into(), web: web.map(str::to_owned) }
    }

    /// Nothing that a user wrote gets into a mail; if it did, it would be text and no markup.
    #[test]
    fn whatever_is_put_into_a_mail_is_text_in_its_html() {
        let hostile = r#"<a href="https://evil.example">"Win" & 'more'</a>"#;
        let letter = MailTemplate::NewSignIn { device: hostile.into(), place: "203.0.113.0/24".into() };
        let rendered =
            render(&letter, DateTime::UNIX_EPOCH, &token(""), &context(Some("https://net.example/?a=1&b"))).unwrap();
        assert!(!rendered.html.contains("<a href=\"https://evil.example"), "{}", rendered.html);
        let escaped = "&#60;a href=&#34;https://evil.example&#34;&#62;&#34;Win&#34; &#38; &#39;more&#39;&#60;/a&#62;";
        assert!(rendered.html.contains(escaped), "{}", rendered.html);
        assert!(rendered.html.contains("https://net.example/?a=1&#38;b/forgot-password"), "{}", rendered.html);
        assert!(rendered.html.contains("Net &#38; Co. This mail"), "{}", rendered.html);
        assert!(rendered.text.contains(hostile) && rendered.text.contains("Net & Co. This mail"), "{}", rendered.text);
    }

    #[test]
    fn with_a_web_client_mails_lead_there_and_without_one_they_name_the_route() {
        for (letter, page, route) in [
            (MailTemplate::Verification, "/activate?token=t0k", "/api/v1/users/activate?activation_token=t0k"),
            (MailTemplate::PasswordReset, "/reset-password?token=t0k", "/api/v1/auth/reset-password?reset_token=t0k"),
        ] {
            let with =
                render(&letter, DateTime::UNIX_EPOCH, &token("t0k"), &context(Some("https://net.example"))).unwrap();
            let without = render(&letter, DateTime::UNIX_EPOCH, &token("t0k"), &context(None)).unwrap();
            for (with, without) in [(with.text, without.text), (with.html, without.html)] {
                assert!(with.contains(&format!("https://net.example{page}")) && !with.contains(route), "{with}");
                assert!(
                    without.contains(&format!("https://api.example{route}")) && !without.contains(page),
                    "{without}"
                );
            }
        }
    }

    /// A ban names its end, its reason, and where it is appealed without a sign-in.
    #[test]
    fn a_ban_says_how_it_is_appealed() {
        let until = Some("1 December 2026, 10:00 UTC".to_owned());
        let letter = MailTemplate::Banned { until, reason: Some("SPAM_LINK".into()), appeal_token: "0a0b".into() };
        let with = render(&letter, DateTime::UNIX_EPOCH, &token(""), &context(Some("https://net.example"))).unwrap();
        let without = render(&letter, DateTime::UNIX_EPOCH, &token(""), &context(None)).unwrap();
        for (with, without) in [(with.text, without.text), (with.html, without.html)] {
            for text in [&with, &without] {
                assert!(text.contains("banned until 1 December 2026, 10:00 UTC: nobody can sign in"), "{text}");
                assert!(text.contains("Reason: SPAM_LINK") && text.contains("0a0b"), "{text}");
            }
            assert!(with.contains("https://net.example/appeal?token=0a0b"), "{with}");
            let route = "https://api.example/api/v1/moderation/appeals/by-token?token=0a0b";
            assert!(without.contains(route) && !with.contains(route), "{without}");
        }
    }

    #[test]
    fn a_text_is_as_it_is_read() {
        let place = "203.0.113.0/24".to_owned();
        let letter = MailTemplate::NewSignIn { device: "Firefox on Linux".into(), place };
        let at = "2026-11-20T21:05:59Z".parse().unwrap();
        let rendered = render(&letter, at, &token(""), &context(None)).unwrap();
        let expected = "Somebody has signed in to your account in a way that is new to us:\n\n\
            When: 20 November 2026, 21:05 UTC\nWith: Firefox on Linux\nFrom: 203.0.113.0/24\n\n\
            If it was you, there is nothing to do. If not, somebody knows your password: ask for a new one now.\n\
            It ends all sessions, theirs too.\n-- \nNet & Co. This mail was written by a machine; nobody reads answers \
            to it.";
        assert_eq!(rendered.text, expected);
    }
}
