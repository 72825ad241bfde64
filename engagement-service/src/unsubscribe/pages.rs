//! The pages behind a link that ends mails: plain HTML that needs neither script nor style. No word of a user is in them.
use super::Scope;
use crate::notifications::Type;

/// The page that asks before it ends mails: those of the link, or with the other token all. Tokens need no escaping.
pub fn question(scope: Scope, token: &str, all: &str) -> String {
    let what = words(scope);
    let mut forms = form(token, &format!("No more mails about {what}"));
    if scope != Scope::All {
        forms += &form(all, &format!("No more mails about {}", words(Scope::All)));
    }
    page("Unsubscribe", &format!("<p>Do you want no more mails about {what}?</p>\n{forms}"))
}

/// The page that says that mails have ended.
pub fn farewell(scope: Scope) -> String {
    let what = words(scope);
    page(
        "Unsubscribed",
        &format!("<p>You get no more mails about {what}. Your settings of notifications can change it back.</p>\n"),
    )
}

fn form(token: &str, button: &str) -> String {
    format!(
        "<form method=\"post\" action=\"?token={token}\">\n\
        <input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\n\
        <p><button type=\"submit\">{button}</button></p>\n</form>\n"
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
        <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"robots\" content=\"noindex\">\n\
        <title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
    )
}

/// What the mails are about.
fn words(scope: Scope) -> &'static str {
    match scope {
        Scope::All => "notifications of any kind",
        Scope::Digest => "what has gathered in a day",
        Scope::Recommendations => "people whom you may know and posts that you may like",
        Scope::Type(Type::PostReactionReceived) => "reactions to your posts",
        Scope::Type(Type::PostCommentReceived) => "comments on your posts",
        Scope::Type(Type::ConnectionRecommendation) => "people whom you may know",
        Scope::Type(Type::PostRecommendation) => "posts that you may like",
        Scope::Type(Type::SystemMessage) => "what the platform has to say",
        Scope::Type(Type::ProfileActivity) => "your level of engagement",
        Scope::Type(Type::UserConnected) => "people who connect to you",
        Scope::Type(Type::UserMentioned) => "mentions of you",
        Scope::Type(Type::CommentReply) => "replies to your comments",
        Scope::Type(Type::CommentReactionReceived) => "reactions to your comments",
    }
}
