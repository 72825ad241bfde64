//! The tutorial, played as it is written: what it has in bold is what is clicked or read, and what it has as a command is run. A step
//! that was added, taken away or moved fails, and so does a word in bold that is on no page, or that no step here uses.

use std::collections::VecDeque;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::visitor::Visitor;
use super::{World, none};
use crate::pictures::picture;
use crate::platform::{PASSWORD, errors, stack};

const TUTORIAL: &str = include_str!("../../../docs/tutorial.md");
/// The address that the tutorial has for the one that is played with.
const ORIGIN: &str = "http://127.0.0.1:8080";
/// How long a post may take to be in the list of all, which is made once a minute.
const EXPLORE_TIMEOUT: Duration = Duration::from_secs(90);
/// How many cases a moderator takes until the one that the newcomer has reported comes.
const MOST_CASES: usize = 10;

/// A step: the words in bold and the commands that are still to be used, in their order.
#[derive(Debug)]
struct Step {
    place: String,
    /// Without its marks.
    text: String,
    bold: VecDeque<String>,
    commands: VecDeque<String>,
}

impl Step {
    fn new(place: String, text: &str) -> Step {
        let fences: Vec<_> = text.split("```").collect();
        let commands = fences.iter().skip(1).step_by(2).filter_map(|fence| fence.split_once('\n'));
        let prose: String = fences.iter().step_by(2).copied().collect();
        let words = |bold: &str| bold.split_whitespace().collect::<Vec<_>>().join(" ");
        let bare = words(&prose.replace("**", ""));
        let is_number = |word: &&str| word.trim_end_matches('.').parse::<usize>().is_ok();
        let text = match bare.split_once(' ').filter(|(number, _)| is_number(number)) {
            Some((_, text)) => text.to_owned(),
            None => bare,
        };
        Step {
            place,
            text,
            bold: prose.split("**").skip(1).step_by(2).map(words).collect(),
            commands: commands.map(|(_, command)| words(command)).collect(),
        }
    }

    /// The next word in bold.
    fn bold(&mut self) -> Result<String> {
        self.bold.pop_front().with_context(|| format!("step {} has no more words in bold", self.place))
    }

    fn command(&mut self) -> Result<String> {
        self.commands.pop_front().with_context(|| format!("step {} has no more commands", self.place))
    }

    /// Clicks what the next words in bold name.
    async fn follows(&mut self, visitor: &Visitor) -> Result<()> {
        visitor.follows(&self.bold()?).await
    }

    /// Reads the next words in bold.
    async fn reads(&mut self, visitor: &Visitor) -> Result<()> {
        visitor.reads(&self.bold()?).await
    }

    /// Sees what the next words in bold name, and leaves it alone.
    async fn is_offered(&mut self, visitor: &Visitor) -> Result<()> {
        visitor.control(&self.bold()?).await.map(drop)
    }

    /// Fills the field that the next words in bold name.
    async fn enters(&mut self, visitor: &Visitor, text: &str) -> Result<()> {
        visitor.enters(&self.bold()?, text).await
    }

    /// Ends the step: all of it was played.
    fn ends(self) -> Result<()> {
        ensure!(self.bold.is_empty() && self.commands.is_empty(), "of step {} is not played: {self:?}", self.place);
        Ok(())
    }
}

/// The steps by their places: `3.2` is the second of the third part, `1` a part without numbered steps.
fn steps(tutorial: &str) -> VecDeque<Step> {
    let mut steps = VecDeque::new();
    for part in tutorial.split("\n## ").skip(1) {
        let number = part.split('.').next().unwrap_or_default();
        let mut texts = vec![String::new()];
        for line in part.lines().skip(1) {
            let begins = line.split_once(". ").is_some_and(|(step, _)| step.parse::<usize>() == Ok(texts.len()));
            if begins {
                texts.push(String::new());
            }
            // What stands at the margin again belongs to no step.
            let goes_on = begins || line.is_empty() || line.starts_with("   ");
            let at = if goes_on { texts.len() - 1 } else { 0 };
            texts[at].extend([line, "\n"]);
        }
        let is_numbered = texts.len() > 1;
        for (step, text) in texts.iter().enumerate() {
            let played = Step::new(if step == 0 { number.to_owned() } else { format!("{number}.{step}") }, text);
            // Words in bold between the steps are a step, too, so that they are not overlooked.
            if step > 0 || !is_numbered || !played.bold.is_empty() {
                steps.push_back(played);
            }
        }
    }
    steps
}

/// The steps that are still to be played.
struct Tutorial(VecDeque<Step>);

impl Tutorial {
    /// The next step, which has to be this one, and to begin so.
    fn step(&mut self, place: &str, begins: &str) -> Result<Step> {
        let step = self.0.pop_front().with_context(|| format!("the tutorial has no step {place}"))?;
        ensure!(step.place == place, "step {} of the tutorial is not played; {place} comes next", step.place);
        ensure!(step.text.starts_with(begins), "step {place} was {begins:?}, and is now {:?}", step.text);
        Ok(step)
    }
}

/// What the demo has printed.
struct Demo {
    ada: String,
    mia: String,
}

pub async fn is_played(world: &World) -> Result<()> {
    let mut tutorial = Tutorial(steps(TUTORIAL));
    let mut start = tutorial.step("1", "The first time, it builds")?;
    ensure!(start.command()? == "cargo stack up --web", "the platform of this test is started as the tutorial says");
    start.ends()?;
    let visitor = world.visitor(true).await?;
    comes_in(world, &mut tutorial, &visitor).await.context("2. Come in")?;
    writes(world, &mut tutorial, &visitor).await.context("3. Write")?;
    let (demo, post) = is_answered(world, &mut tutorial, &visitor).await.context("4. Be answered")?;
    moderates(world, &mut tutorial, (&visitor, &demo), &post).await.context("5. Moderate")?;
    leaves(&mut tutorial, &visitor).await.context("6. Leave")?;
    ensure!(tutorial.0.is_empty(), "of the tutorial is not played: {:?}", tutorial.0);
    none("the console", &visitor.console().await?)?;
    visitor.leaves().await
}

async fn comes_in(world: &World, tutorial: &mut Tutorial, visitor: &Visitor) -> Result<()> {
    let email = "newcomer@example.org";
    let mut signs_up = tutorial.step("2.1", "Click Create account. Enter a name")?;
    signs_up.follows(visitor).await?;
    for (name, value) in [("first_name", "Grace"), ("last_name", "Hopper"), ("email", email), ("password", PASSWORD)] {
        visitor.fill(name, value).await?;
    }
    visitor.click("input[name=interests][value=BOOKS]").await?;
    signs_up.follows(visitor).await?;
    signs_up.ends()?;

    let mut confirms = tutorial.step("2.2", "The page says Look into your mail.")?;
    confirms.reads(visitor).await?;
    let token = world.mailed(email).await?;
    let link = shell(world, &confirms.command()?)?;
    ensure!(link.ends_with(&token), "the command shows {link:?} and not the link of the mail");
    visitor.open(link.strip_prefix(&world.origin).context("the link leads elsewhere")?).await?;
    confirms.follows(visitor).await?;
    confirms.ends()?;

    let mut signs_in = tutorial.step("2.3", "Sign in. Your feed is empty")?;
    let words = signs_in.bold()?;
    visitor.follows(&words).await?;
    visitor.fill("email", email).await?;
    visitor.fill("password", PASSWORD).await?;
    visitor.follows(&words).await?;
    signs_in.reads(visitor).await?;
    signs_in.ends()
}

async fn writes(world: &World, tutorial: &mut Tutorial, visitor: &Visitor) -> Result<()> {
    let file = world.platform.home.path().join("tutorial.png");
    fs::write(&file, picture(11))?;
    let mut writes = tutorial.step("3.1", "Click Write a post. Enter a Title")?;
    writes.follows(visitor).await?;
    writes.enters(visitor, "My first post").await?;
    writes.enters(visitor, "With a picture, and a #tag.").await?;
    writes.follows(visitor).await?;
    visitor.sees("#file1").await?.send_keys(file.to_str().context("no path")?).await?;
    visitor.sees("#alt1").await?.send_keys("Two colours").await?;
    writes.follows(visitor).await?;
    writes.ends()?;

    tutorial.step("3.2", "The picture appears a moment later")?.ends()?;
    visitor.sees("article.post a[href='/tags/tag']").await?;
    let page = visitor.path().await?;
    visitor.opens_until_there(&page, "//article//img[@alt='Two colours']").await?;

    let mut menu = tutorial.step("3.3", "Under ⋯ of your post")?;
    visitor.click("article.post details.menu.end > summary").await?;
    menu.is_offered(visitor).await?;
    menu.is_offered(visitor).await?;
    menu.ends()?;

    let mut schedules = tutorial.step("3.4", "Click Write, enter another Text")?;
    schedules.follows(visitor).await?;
    schedules.enters(visitor, "Later.").await?;
    schedules.follows(visitor).await?;
    let tomorrow =
        "document.getElementById('publish_at').value = new Date(Date.now() + 864e5).toISOString().slice(0, 16)";
    visitor.runs(tomorrow, vec![]).await?;
    schedules.follows(visitor).await?;
    visitor.reads("will be published").await?;
    schedules.follows(visitor).await?;
    visitor.reads("Later.").await?;
    schedules.ends()
}

/// What the demo has printed, and the address of Ada's post.
async fn is_answered(world: &World, tutorial: &mut Tutorial, visitor: &Visitor) -> Result<(Demo, String)> {
    let mut others = tutorial.step("4.1", "Others come by the demo.")?;
    let demo = demo(world, &others.command()?)?;
    others.ends()?;

    let mut explores = tutorial.step("4.2", "As yourself: Explore shows Ada's post")?;
    explores.follows(visitor).await?;
    let author = "//article[contains(., 'On the engine')]//a[contains(@class, 'name')]";
    visitor.opens_within(EXPLORE_TIMEOUT, "/explore", author).await?;
    visitor.clicks_xpath(author).await?;
    visitor.reads("Ada Lovelace").await?;
    explores.follows(visitor).await?;
    visitor.sees("form[action$='/disconnect']").await?;
    explores.ends()?;

    let mut answers = tutorial.step("4.3", "Open that post, click ♡")?;
    visitor.clicks_xpath("//article//h2/a[contains(., 'On the engine')]").await?;
    visitor.sees("#comments").await?;
    let post = visitor.path().await?;
    visitor.click("article.post details.menu:not(.end) > summary").await?;
    answers.follows(visitor).await?;
    visitor.fill("content", "I have come to see it.").await?;
    answers.follows(visitor).await?;
    visitor.reads("I have come to see it.").await?;
    answers.ends()?;

    let mut is_notified = tutorial.step("4.4", "Sign in as Ada in a private window")?;
    let ada = world.visitor(true).await?;
    ada.signs_in(&demo.ada).await?;
    is_notified.follows(&ada).await?;
    // Others may have commented, too.
    let note = "//li//a[contains(., 'Grace Hopper') and contains(., 'commented on your post')]";
    ada.opens_until_there("/notifications", note).await?;
    ada.clicks_xpath(note).await?;
    ada.reads("I have come to see it.").await?;
    let words = is_notified.bold()?;
    ada.clicks_xpath(&format!("//li[contains(., 'I have come to see it.')]//a[normalize-space(.)='{words}']")).await?;
    ada.fill("content", "Welcome.").await?;
    ada.follows(&words).await?;
    ada.reads("Welcome.").await?;
    ada.leaves().await?;
    visitor.sees("#live .badge").await?;
    is_notified.ends()?;

    let mut recommends = tutorial.step("4.5", "People to know and For you recommend")?;
    for _ in 0..2 {
        let words = recommends.bold()?;
        visitor.follows(&words).await?;
        visitor.sees_heading(&words).await?;
    }
    recommends.ends()?;
    Ok((demo, post))
}

async fn moderates(
    world: &World,
    tutorial: &mut Tutorial,
    (visitor, demo): (&Visitor, &Demo),
    post: &str,
) -> Result<()> {
    let mut reports = tutorial.step("5.1", "As yourself, under ⋯ of Ada's post")?;
    visitor.open(post).await?;
    visitor.click("article.post details.menu.end > summary").await?;
    reports.follows(visitor).await?;
    visitor.click("#reason option[value=SPAM_COMMERCIAL]").await?;
    reports.follows(visitor).await?;
    visitor.reads("A moderator will look at it.").await?;
    reports.ends()?;

    let mut decides = tutorial.step("5.2", "The demo has also printed")?;
    let mia = world.visitor(true).await?;
    mia.signs_in(&demo.mia).await?;
    decides.follows(&mia).await?;
    let (next, hide, decide) = (decides.bold()?, decides.bold()?, decides.bold()?);
    let case = post.replace("/posts/", "/moderation/POST/");
    for taken in 0.. {
        ensure!(taken < MOST_CASES, "the reported post is not among the first cases");
        mia.follows(&next).await?;
        mia.sees("form[action$='/decide']").await?;
        if mia.path().await? == case {
            break;
        }
        // What the demo has left.
        mia.click("input[name=action][value=DISMISS]").await?;
        mia.click("#reason option[value=OTHER_RULES]").await?;
        mia.follows(&decide).await?;
    }
    mia.reads("On the engine").await?;
    mia.reads("Grace Hopper").await?;
    mia.clicks_xpath(&format!("//label[normalize-space(.)='{hide}']")).await?;
    mia.follows(&decide).await?;
    mia.reads("Decided.").await?;
    mia.leaves().await?;
    decides.ends()?;

    let mut appeals = tutorial.step("5.3", "As Ada, look at Moderation of my posts")?;
    let ada = world.visitor(true).await?;
    ada.signs_in(&demo.ada).await?;
    appeals.follows(&ada).await?;
    ada.reads("On what ground").await?;
    appeals.follows(&ada).await?;
    ada.fill("text", "It sells nothing.").await?;
    appeals.follows(&ada).await?;
    ada.reads("Your appeal was sent.").await?;
    ada.leaves().await?;
    let list = appeals.bold()?;
    let root = world.visitor(true).await?;
    root.signs_in(super::ROOT).await?;
    root.open("/moderation").await?;
    root.follows(&list).await?;
    root.reads("It sells nothing.").await?;
    root.leaves().await?;
    appeals.ends()
}

async fn leaves(tutorial: &mut Tutorial, visitor: &Visitor) -> Result<()> {
    let mut settings = tutorial.step("6.1", "Settings has your Sessions")?;
    for _ in 0..3 {
        settings.follows(visitor).await?;
    }
    settings.is_offered(visitor).await?;
    settings.is_offered(visitor).await?;
    settings.ends()?;
    let mut signs_out = tutorial.step("6.2", "Sign out ends this session")?;
    signs_out.follows(visitor).await?;
    visitor.reads("You are signed out.").await?;
    signs_out.ends()
}

/// A command of the tutorial, in the folder of the platform that is played with; what it prints.
fn shell(world: &World, command: &str) -> Result<String> {
    let command = command.replace(".stack/", &format!("{}/", world.platform.data().display()));
    let output = Command::new("sh").args(["-c", &command.replace(ORIGIN, &world.origin)]).output()?;
    ensure!(output.status.success(), "{command}: {}", errors(&output));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn demo(world: &World, command: &str) -> Result<Demo> {
    let command = command.replace(ORIGIN, &world.origin);
    let arguments = command.strip_prefix("cargo stack ").context("it is no command of the launcher")?;
    let data = world.platform.data();
    let data = ["--data-dir", data.to_str().context("no path")?];
    let output = stack(&arguments.split(' ').chain(data).collect::<Vec<_>>());
    ensure!(output.status.success(), "the demo fails: {}", errors(&output));
    let said = String::from_utf8(output.stdout)?;
    let after = |words: &str| -> Result<String> {
        let rest = said.split_once(words).with_context(|| format!("{words:?} is not printed: {said}"))?.1;
        let name = rest.split_whitespace().next().unwrap_or_default().trim_end_matches(',');
        Ok(name.to_owned())
    };
    ensure!(said.contains(&format!("password \"{PASSWORD}\"")), "the demo has another password: {said}");
    let (page, ada, mia) = (after("Look at it in a browser: ")?, after("Sign in as ")?, after("Mia moderates")?);
    if page.trim_end_matches('/') != world.origin {
        bail!("the demo leads to {page}");
    }
    Ok(Demo { ada, mia })
}

#[test]
fn a_step_has_its_words_in_bold_and_its_commands() {
    let text = "# A\n\n**no**\n\n## 1. B\n\n```sh\nrun it\n```\n\n## 2. C\n\n1. Click **Go\n   on**.\n\n   ```sh\n   run\n   ```\n2. Done.\n\nAfter.\n";
    let parsed = steps(text);
    let found: Vec<_> = parsed.iter().map(|step| (step.place.as_str(), &step.bold, &step.commands)).collect();
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<VecDeque<_>>();
    assert_eq!(
        found,
        [
            ("1", &list(&[]), &list(&["run it"])),
            ("2.1", &list(&["Go on"]), &list(&["run"])),
            ("2.2", &list(&[]), &list(&[])),
        ]
    );
    let between = steps("\n## 2. C\n\n**Odd** words.\n\n1. Step.\n");
    assert_eq!(
        between.iter().map(|step| step.place.as_str()).collect::<Vec<_>>(),
        ["2", "2.1"],
        "they are not overlooked"
    );
    assert_eq!((between[0].text.as_str(), between[1].text.as_str()), ("Odd words.", "Step."));
    assert_eq!(between[0].bold.front().map(String::as_str), Some("Odd"));
}
