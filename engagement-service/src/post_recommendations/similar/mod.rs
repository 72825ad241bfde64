//! Similar posts: for each post of the last 30 days the 20 that were engaged with by the same people.
//!
//! Item-based collaborative filtering by a cosine of posts over people (Deshpande and Karypis, "Item-based top-N recommendation algorithms",
//! ACM TOIS 22(1), 2004), with two corrections: a person who engaged with much counts less, by the weight of Adamic and Adar ("Friends
//! and neighbors on the web", Social Networks 25, 2003), and a similarity that few people stand behind is shrunk (Bell and Koren, ICDM
//! 2007):
//!
//! ```text
//! similarity(p, q) = n / (n + 3) · Σ 1 / ln(1 + engagements of u) / √(engagements of p · engagements of q)
//! ```
//!
//! summed over the n people u who engaged with both. The root in the denominator keeps posts that everyone likes from being similar to all
//! others; of the post p itself only the engagements that are walked are counted. Of a post the newest 50 reactions and 50 comments are walked,
//! of a person as many, so that a post costs at most 10,000 rows whatever people do; a pass goes over the newest posts in small steps, each
//! a transaction that notes its place, and rests as long after each as the step took.
pub mod models;
pub mod schedulers;
