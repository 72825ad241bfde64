//! What only this service has and several of its features use. It knows none of them: main puts it together.
pub mod passwords;
pub mod verdicts;

use std::sync::Arc;

use tokio::sync::Notify;

use crate::core::App;
use passwords::Passwords;
use verdicts::VerdictCache;

/// Bounded password hashing, verdicts about tokens, and what wakes the background work.
pub struct Resources {
    pub passwords: Passwords,
    pub verdicts: VerdictCache,
    pub directory_due: Arc<Notify>,
    pub mails_due: Arc<Notify>,
    pub resets_due: Arc<Notify>,
    /// Starts what only this service does in the background.
    background: Box<dyn Fn(&App) + Send + Sync>,
}

impl Resources {
    /// Resources that nothing has used yet, and what starts the background work of the features.
    pub fn with_background(background: impl Fn(&App) + Send + Sync + 'static) -> anyhow::Result<Self> {
        Ok(Self {
            passwords: Passwords::new()?,
            verdicts: VerdictCache::new(),
            directory_due: Arc::default(),
            mails_due: Arc::default(),
            resets_due: Arc::default(),
            background: Box::new(background),
        })
    }

    /// Starts the background work.
    pub fn start(&self, app: &App) {
        (self.background)(app);
    }

    /// What follows in this process from a commit: cached verdicts are void, and the background work may have something to do.
    pub fn committed(&self) {
        self.verdicts.invalidate_all();
        self.directory_due.notify_one();
        self.mails_due.notify_one();
        self.resets_due.notify_one();
    }
}
