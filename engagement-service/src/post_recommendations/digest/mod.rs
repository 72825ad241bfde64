//! Digests of recommendations: once a week people are notified that there are posts they may like and people they may know, if there are.
//!
//! A round over all people is begun by the calendar. It plans a turn for each person, at the hour of their digests, and turns are worked off
//! as they come due, a few people at a time. For each the list of posts is made that they would read, and only enough of good reasons in it
//! are worth a notification: by what others did and not by what is new. Of people it is who is new at the head of the list that is kept of
//! them. What of both there is goes together: two notifications, one of each type, written at one moment, which share the week of their
//! reader. If there is but one, it is the digest of that week, and if there is none, the week is not used up. Each type goes through
//! preferences, quiet hours and channels like any other; one that its reader wants by no channel is not looked for.
pub mod models;
pub mod schedulers;
