//! What the pictures show: four people who write, read and answer, a report, a decision with its appeal, and the reader's own drafts and
//! bookmarks.

use anyhow::{Context, Result};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::client::{Api, Created, FeedItem, Person, To, eventually};
use crate::servers::folder::DataFolder;
use crate::traffic::moderator::moderator;
use crate::traffic::pictures::mosaic;
use crate::traffic::reported::report;

/// The password of all of them.
pub const PASSWORD: &str = "a long walk by the sea";

/// Who writes what: a title and a text.
const POSTS: [(&str, &str, &str); 4] = [
    (
        "On the engine",
        "The engine can do whatever we know how to order it to perform. It weaves algebraic patterns just as the loom weaves flowers \
         and leaves. #engines",
        "TECHNOLOGY",
    ),
    (
        "A letter from the north",
        "The first snow has come early this year, and the harbour is quiet. #winter #travel",
        "TRAVEL",
    ),
    (
        "What I read this month",
        "Three novels and a book about tides. The book about tides was the best of them, and the shortest. #books",
        "BOOKS",
    ),
    ("Soup for many", "Two onions, a bag of lentils, a lemon, and an hour. Who has a better one? #soup", "FOOD"),
];

/// The ids that addresses of pages need.
pub struct Scene {
    pub email: String,
    reader: String,
    author: String,
    post: String,
    own_post: String,
    comment: String,
    /// A post that waits for a moderator.
    reported: String,
    /// None where no moderator can be made.
    moderated: Option<Moderated>,
}

/// A comment that another moderator has hidden, and whose author appeals.
struct Moderated {
    comment: String,
    decision: String,
    appeal: String,
}

/// Plays it.
pub async fn play(api: &Api, url: &Url, data: &DataFolder) -> Result<Scene> {
    let run = format!("{:08x}", rand::random::<u32>());
    let address = |name: &str| format!("{name}.{run}@example.org");
    let email = address("mia");
    let reader = match moderator(data, url, api, (&email, PASSWORD)).await? {
        Some(person) => person,
        None => api.join(&email, PASSWORD, ("Mia", "Moderator"), &["BOOKS", "TRAVEL"]).await?,
    };
    let mut authors = Vec::new();
    for (number, name) in
        [("Ada", "Lovelace"), ("Nils", "Holm"), ("Clara", "Sand"), ("Bob", "Frankston")].into_iter().enumerate()
    {
        let author = api.join(&address(name.0), PASSWORD, name, &["BOOKS", "FOOD", "TECHNOLOGY"]).await?;
        let profile =
            json!({ "username": format!("{}_{run}", name.0.to_lowercase()), "bio": "Here to read and to write." });
        let _: Value = author.api.ask(Method::PATCH, To::Auth, "/users/me", Some(&profile)).await?;
        // The reader is connected to three of them; the fourth is one to get to know.
        if number < 3 {
            reader.connect(&author.id).await?;
        }
        authors.push(author);
    }
    let posts = write(&authors).await?;
    let (author, post) = (&authors[0], &posts[0]);
    let (own_post, comment) = answer(&reader, &authors, &posts).await?;
    report(author, "POST", &posts[3], "SPAM_COMMERCIAL").await?;
    let moderated = match moderator(data, url, api, (&address("max"), PASSWORD)).await? {
        Some(colleague) => Some(moderate(&colleague, &authors[3], post).await?),
        None => None,
    };
    let complete = |feed: &Vec<FeedItem>| feed.iter().any(|item| item.id == *post && item.total_comments > 0);
    eventually("the reader's feed is complete", async || reader.home_feed().await, complete).await?;
    Ok(Scene {
        email,
        reader: reader.id,
        author: author.id.clone(),
        post: post.clone(),
        own_post,
        comment,
        reported: posts[3].clone(),
        moderated,
    })
}

/// A moderator hides what an author has commented, and the author appeals.
async fn moderate(moderator: &Person, author: &Person, post: &str) -> Result<Moderated> {
    let comment = author.comment(post, "Lentils at half the price: write to me!").await?.id;
    let path = format!("/moderation/subjects/COMMENT/{comment}");
    let ask = async || moderator.api.send(Method::GET, To::Moderation, &path, None).await;
    eventually("moderation knows a comment", ask, |(status, _)| status.is_success()).await?;
    let hide = json!({
        "actions": [{ "action": "HIDE" }], "reason": "SPAM_COMMERCIAL", "public_note": "Please do not advertise below posts of others.",
        "internal_note": "The second time this week.",
    });
    let path = format!("{path}/decisions");
    let decision: Created = moderator.api.ask(Method::POST, To::Moderation, &path, Some(&hide)).await?;
    let appeal = json!({ "text": "I have none to sell; it was a joke between us." });
    let path = format!("/me/moderation/decisions/{}/appeal", decision.id);
    let appeal: Created = author.api.ask(Method::POST, To::Moderation, &path, Some(&appeal)).await?;
    Ok(Moderated { comment, decision: decision.id, appeal: appeal.id })
}

/// Each author writes one post, the first two with a picture; their ids.
async fn write(authors: &[Person]) -> Result<Vec<String>> {
    let mut posts = Vec::new();
    for (number, (author, (title, content, category))) in (0..).zip(authors.iter().zip(POSTS)) {
        let mut media = Vec::new();
        if number < 2 {
            let picture = author.api.upload("POST", "A pattern of tiles", &mosaic(number * 77 + 5)).await?;
            let path = format!("/media/{picture}");
            let state = async || -> Result<Value> { author.api.ask(Method::GET, To::Post, &path, None).await };
            eventually("a picture is processed", state, |state| state["status"] == "READY").await?;
            media.push(picture);
        }
        let post =
            json!({ "title": title, "content": content, "types": [category], "status": "POSTED", "media": media });
        let post: Created = author.api.ask(Method::POST, To::Post, "/posts", Some(&post)).await?;
        posts.push(post.id);
    }
    Ok(posts)
}

/// The reader writes, keeps and answers, and is answered; their own post, and the comment that was replied to.
async fn answer(reader: &Person, authors: &[Person], posts: &[String]) -> Result<(String, String)> {
    let own = reader.write_post("Welcome", "Be kind, and say what you mean. #welcome", &["NEWS"], "POSTED").await?.id;
    reader.write_post("On moderation", "A decision without a reason is none.", &["NEWS"], "DRAFT").await?;
    let comment = authors[1].comment(&posts[0], "That is a generous way to put it, and a precise one.").await?.id;
    let reply = json!({ "content": "Thank you. Precision is half of the work.", "reply_to": comment });
    let path = format!("/{}/comments", posts[0]);
    let _: Value = authors[0].api.ask(Method::POST, To::Interaction, &path, Some(&reply)).await?;
    for (author, kind) in authors.iter().zip(["LOVE", "LIKE", "JOY", "LIKE"]) {
        author.react(&own, kind).await?;
        author.connect(&reader.id).await?;
    }
    authors[2].comment(&own, "Gladly.").await?;
    for (author, kind) in authors[1..].iter().zip(["LIKE", "LOVE", "LOVE"]) {
        author.react(&posts[0], kind).await?;
    }
    let folder = json!({ "folder": "Later" });
    let path = format!("/{}/bookmark", posts[2]);
    let _: Value = reader.api.ask(Method::PUT, To::Interaction, &path, Some(&folder)).await?;
    let noted = |listed: &Vec<_>| listed.len() > 1;
    eventually("the reader is notified", async || reader.notifications().await, noted)
        .await
        .context("no notification")?;
    Ok((own, comment))
}

impl Scene {
    /// Names and addresses of the pages that guests see.
    pub fn pages_of_guests() -> Vec<(String, String)> {
        let pages = [
            ("welcome", "/"),
            ("signup", "/signup"),
            ("signin", "/signin"),
            ("activate", "/activate"),
            ("forgot-password", "/forgot-password"),
            ("reset-password", "/reset-password?token=t"),
            ("undo-change", "/undo-change?token=t"),
        ];
        pages.map(|(name, path)| (name.to_owned(), path.to_owned())).to_vec()
    }

    /// Those of the reader.
    pub fn pages(&self) -> Vec<(String, String)> {
        let mut pages: Vec<_> = [
            ("home", "/"),
            ("explore", "/explore"),
            ("recommended", "/recommended"),
            ("tag", "/tags/engines"),
            ("search", "/search?q=engine"),
            ("compose", "/compose"),
            ("drafts", "/drafts"),
            ("bookmarks", "/bookmarks"),
            ("connect", "/connect"),
            ("notifications", "/notifications"),
            ("decisions", "/decisions"),
            ("settings", "/settings"),
            ("settings-password", "/settings/password"),
            ("settings-sessions", "/settings/sessions"),
            ("settings-accounts", "/settings/accounts"),
            ("settings-people", "/settings/people"),
            ("settings-notifications", "/settings/notifications"),
            ("settings-data", "/settings/data"),
            ("missing", "/nothing/here"),
        ]
        .map(|(name, path)| (name.to_owned(), path.to_owned()))
        .to_vec();
        let Scene { reader, author, post, own_post, comment, .. } = self;
        pages.extend([
            ("post".to_owned(), format!("/posts/{post}")),
            ("comment".to_owned(), format!("/comments/{comment}")),
            ("edit".to_owned(), format!("/posts/{own_post}/edit")),
            ("nft".to_owned(), format!("/posts/{own_post}/nft")),
            ("profile".to_owned(), format!("/users/{author}")),
            ("followers".to_owned(), format!("/users/{reader}/followers")),
            ("activity".to_owned(), format!("/users/{reader}/activity")),
            ("common".to_owned(), format!("/users/{author}/common")),
            ("report".to_owned(), format!("/report?type=POST&id={post}")),
        ]);
        if let Some(Moderated { comment, decision, appeal }) = &self.moderated {
            pages.extend([
                ("moderation".to_owned(), "/moderation".to_owned()),
                ("case".to_owned(), format!("/moderation/POST/{}", self.reported)),
                ("case-comment".to_owned(), format!("/moderation/COMMENT/{comment}")),
                ("case-account".to_owned(), format!("/moderation/USER/{author}")),
                ("decision".to_owned(), format!("/moderation/decisions/{decision}")),
                ("appeals".to_owned(), "/moderation/appeals".to_owned()),
                ("appeal".to_owned(), format!("/moderation/appeals/{appeal}")),
            ]);
        }
        pages
    }
}
