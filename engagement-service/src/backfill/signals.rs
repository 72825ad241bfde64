//! What follows from a page, in one transaction: its rows, the end of what the owner does not have any more, and the progress; and
//! behind the last page of all a review of the notifications, a page of which is one transaction as well.
use anyhow::{Context, bail};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::Source;
use super::leftovers::models as leftovers;
use super::leftovers::{BATCH, KeyRange};
use super::models::{Progress, ViewSum, list_erased, lock_view_watermark, take_over_views};
use super::reviews::models::NotificationReview;
use super::schemas::{
    CopiedComment, CopiedCommentReaction, CopiedDecision, CopiedPage, CopiedPair, CopiedPerson, CopiedPost,
    CopiedReaction,
};
use crate::blocks::models::{Block, save_blocks};
use crate::comment_reactions::models::CommentReactionCard;
use crate::comments::models::CommentCard;
use crate::core::events::Id;
use crate::feeds::drops::models::FeedDrop;
use crate::follows::models::Follow;
use crate::moderated_posts::models::{PostLabels, PostLimit};
use crate::notifications::causes::{Pair, PostActor};
use crate::notifications::reviews::models::list_reviewed;
use crate::notifications::reviews::signals::{connections_copied, interactions_copied, reviewed};
use crate::people::models::Person;
use crate::post_pictures::models::PostPictures;
use crate::posts::events::POST_VIEWED;
use crate::posts::models::{PostCard, PostCount};
use crate::reactions::models::ReactionCard;
use crate::{comment_reactions, comments, moderated_posts, reactions};

/// People behind notifications that one transaction reviews; it holds up what happens to their readers for some 100 ms.
const REVIEWED_ROWS: i64 = 500;

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageOutcome {
    /// Its rows are stored.
    Applied,
    /// It is not the next page any more.
    Stale,
    /// Its owner has not counted the views yet that are not in the log; it is to be read again.
    TooEarly,
}

/// Applies the page that comes next.
pub async fn page_read(
    tx: &mut PgTransaction<'_>,
    progress: &Progress,
    page: &CopiedPage,
) -> anyhow::Result<PageOutcome> {
    if !progress.lock(tx).await? {
        return Ok(PageOutcome::Stale);
    }
    if page.next.is_none() {
        // Before the counts and the readers are locked, as a page of the review does it.
        NotificationReview::order(tx).await?;
    }
    let range = KeyRange::of(progress.cursor.as_deref(), page.next.as_deref(), page.as_of)?;
    let removed = match progress.source {
        Source::People => save_people(tx, page, range).await?,
        Source::Connections => save_connections(tx, page, range).await?,
        Source::Blocks => save_blocks_of(tx, page, range).await?,
        Source::ModeratedPosts => save_decisions(tx, page).await?,
        Source::Posts => {
            let up_to: Id =
                page.watermarks.get(POST_VIEWED).context("a page of posts without its watermark")?.parse()?;
            if up_to < (Id { ms: progress.log_ms, seq: progress.log_seq }) {
                return Ok(PageOutcome::TooEarly);
            }
            save_posts(tx, page, range, up_to).await?
        }
        Source::Comments => save_comments(tx, page, range).await?,
        Source::Reactions => save_reactions(tx, page, range).await?,
        Source::CommentReactions => save_comment_reactions(tx, page, range).await?,
        Source::Notifications => bail!("notifications are reviewed, and not copied"),
    };
    if removed >= usize::from(BATCH) {
        // There may be more of them: the same page once again.
        progress.advance(tx, None, 0, removed).await?;
        return Ok(PageOutcome::Applied);
    }
    progress.advance(tx, page.next.as_deref(), page.size(), removed).await?;
    if page.next.is_none() {
        if progress.finish(tx).await? {
            report(tx).await?;
        }
        // Whatever becomes of the other sources: feeds that were built of what these two were before are built anew.
        if matches!(progress.source, Source::Connections | Source::Posts) {
            FeedDrop::create_for_all(tx).await?;
        }
    }
    Ok(PageOutcome::Applied)
}

/// Reviews a page of the people behind notifications; a review that has ended has none.
pub async fn review(tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
    let Some(NotificationReview { past_notification, past_actor }) = NotificationReview::lock(tx).await? else {
        return Ok(());
    };
    let rows = list_reviewed(tx, (past_notification, past_actor), REVIEWED_ROWS).await?;
    let corrected = reviewed(tx, &rows).await?;
    let is_whole = i64::try_from(rows.len()).unwrap_or(i64::MAX) < REVIEWED_ROWS;
    let past = rows.last().filter(|_| !is_whole).map(|last| (last.notification_id, last.actor_id));
    let (rows, corrected) = NotificationReview::advance(tx, past, rows.len(), corrected).await?;
    if is_whole {
        tracing::info!(rows, corrected, "the notifications are compared with the read model");
    }
    Ok(())
}

/// Reports that the read model is filled.
async fn report(tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
    let all = Progress::list(&mut **tx).await?;
    let (rows, removed) = all.iter().fold((0, 0), |sum, source| (sum.0 + source.rows, sum.1 + source.removed));
    tracing::info!(rows, removed, "the read model is filled");
    Ok(())
}

async fn save_people(tx: &mut PgTransaction<'_>, page: &CopiedPage, range: KeyRange) -> anyhow::Result<usize> {
    let people: Vec<Person> = page.rows::<CopiedPerson>()?.into_iter().map(Person::from).collect();
    Person::save(tx, &people).await?;
    let ids: Vec<Uuid> = people.iter().map(|person| person.id).collect();
    Ok(leftovers::delete_people(tx, range, &ids).await?)
}

fn keys(pairs: &[CopiedPair]) -> (Vec<Uuid>, Vec<Uuid>) {
    pairs.iter().map(|pair| (pair.user_id, pair.target_id)).unzip()
}

async fn save_connections(tx: &mut PgTransaction<'_>, page: &CopiedPage, range: KeyRange) -> anyhow::Result<usize> {
    let pairs = page.pairs()?;
    let (users, targets) = keys(&pairs);
    let mut follows = leftovers::list_follows(tx, range, (&users, &targets)).await?;
    let removed = follows.len();
    let begun =
        |pair: CopiedPair| Follow { user_id: pair.user_id, target_id: pair.target_id, active: true, at: pair.at };
    let connected: Vec<Pair> =
        pairs.iter().map(|pair| Pair { user_id: pair.target_id, actor_id: pair.user_id }).collect();
    follows.extend(pairs.into_iter().map(begun));
    Follow::save(tx, &follows).await?;
    connections_copied(tx, &connected).await?;
    Ok(removed)
}

async fn save_blocks_of(tx: &mut PgTransaction<'_>, page: &CopiedPage, range: KeyRange) -> anyhow::Result<usize> {
    let pairs = page.pairs()?;
    let (users, targets) = keys(&pairs);
    // A block of an account that was deleted behind the snapshot: its end is in no event but the account's.
    let erased = list_erased(tx, &[users.as_slice(), &targets].concat()).await?;
    let mut blocks = leftovers::list_blocks(tx, range, (&users, &targets)).await?;
    let removed = blocks.len();
    let kept = pairs.into_iter().filter(|pair| !erased.contains(&pair.user_id) && !erased.contains(&pair.target_id));
    let begun =
        |pair: CopiedPair| Block { user_id: pair.user_id, target_id: pair.target_id, active: true, at: pair.at };
    blocks.extend(kept.map(begun));
    save_blocks(tx, &blocks).await?;
    Ok(removed)
}

/// Saves limits and labels. What is limited no more comes back into feeds, as after an event. A post without any is stored as well: by its
/// version an older event that is consumed later is known.
async fn save_decisions(tx: &mut PgTransaction<'_>, page: &CopiedPage) -> anyhow::Result<usize> {
    let decisions = page.rows::<CopiedDecision>()?;
    let limits: Vec<PostLimit> = decisions.iter().map(CopiedDecision::limit).collect();
    moderated_posts::signals::decided(tx, &limits).await?;
    let labels: Vec<PostLabels> = decisions.into_iter().map(PostLabels::from).collect();
    PostLabels::save(tx, &labels).await?;
    Ok(0)
}

/// The watermark of the views is locked before the counts, as in the transaction of their consumer, and as late as possible: that
/// consumer waits.
async fn save_posts(
    tx: &mut PgTransaction<'_>,
    page: &CopiedPage,
    range: KeyRange,
    up_to: Id,
) -> anyhow::Result<usize> {
    let posts = page.rows::<CopiedPost>()?;
    let sums: Vec<ViewSum> = posts.iter().map(CopiedPost::views).collect();
    let ids: Vec<Uuid> = sums.iter().map(|sum| sum.post_id).collect();
    let pictures = posts.iter().map(CopiedPost::pictures).collect();
    PostCard::save(tx, posts.into_iter().map(PostCard::from).collect()).await?;
    PostPictures::save(tx, pictures).await?;
    let leftovers = leftovers::list_posts(tx, range, &ids).await?;
    let removed = leftovers.len();
    let gone: Vec<Uuid> = leftovers.iter().map(|post| post.id).collect();
    PostCard::save_tombstones(tx, leftovers).await?;
    PostPictures::delete_of_posts(tx, &gone).await?;
    lock_view_watermark(tx).await?;
    PostCount::create_and_lock(tx, &ids).await?;
    take_over_views(tx, &sums, up_to).await?;
    Ok(removed)
}

fn interaction(post_id: Uuid, actor_id: Uuid) -> PostActor {
    PostActor { post_id, actor_id }
}

async fn save_comments(tx: &mut PgTransaction<'_>, page: &CopiedPage, range: KeyRange) -> anyhow::Result<usize> {
    let copied: Vec<CommentCard> = page.rows::<CopiedComment>()?.into_iter().map(CommentCard::from).collect();
    let ids: Vec<Uuid> = copied.iter().map(|comment| comment.id).collect();
    let mut comments = leftovers::list_comments(tx, range, &ids).await?;
    let removed = comments.len();
    let made: Vec<_> = copied.iter().map(|comment| interaction(comment.post_id, comment.user_id)).collect();
    comments.extend(copied);
    comments::signals::changed(tx, comments).await?;
    interactions_copied(tx, &made).await?;
    Ok(removed)
}

async fn save_reactions(tx: &mut PgTransaction<'_>, page: &CopiedPage, range: KeyRange) -> anyhow::Result<usize> {
    let copied: Vec<ReactionCard> = page.rows::<CopiedReaction>()?.into_iter().map(ReactionCard::from).collect();
    let ids: Vec<Uuid> = copied.iter().map(|reaction| reaction.id).collect();
    let mut reactions = leftovers::list_reactions(tx, range, &ids).await?;
    let removed = reactions.len();
    let made: Vec<_> = copied.iter().map(|reaction| interaction(reaction.post_id, reaction.user_id)).collect();
    reactions.extend(copied);
    reactions::signals::changed(tx, reactions).await?;
    interactions_copied(tx, &made).await?;
    Ok(removed)
}

async fn save_comment_reactions(
    tx: &mut PgTransaction<'_>,
    page: &CopiedPage,
    range: KeyRange,
) -> anyhow::Result<usize> {
    let copied: Vec<CommentReactionCard> =
        page.rows::<CopiedCommentReaction>()?.into_iter().map(CommentReactionCard::from).collect();
    let ids: Vec<Uuid> = copied.iter().map(|reaction| reaction.id).collect();
    let mut reactions = leftovers::list_comment_reactions(tx, range, &ids).await?;
    let removed = reactions.len();
    let made: Vec<_> = copied.iter().map(|reaction| interaction(reaction.post_id, reaction.user_id)).collect();
    reactions.extend(copied);
    comment_reactions::signals::changed(tx, reactions).await?;
    interactions_copied(tx, &made).await?;
    Ok(removed)
}
