//! `cargo stack reset`: deletes the data of a platform that is not running.

use std::{path::Path, process::ExitCode};

use anyhow::Result;

use crate::{console, folder::Folder, ledger::Ledger, servers};

/// Refuses while the platform runs, for the folder is claimed then.
pub async fn reset(place: &Path) -> Result<ExitCode> {
    if !place.exists() {
        console::tell(format_args!("There is nothing to delete: {} does not exist", place.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let folder = Folder::claim(place)?;
    // A launcher that was killed may have left servers that still write here.
    Ledger::open(&folder).await?;
    servers::delete(&folder)?;
    folder.wipe()?;
    console::tell(format_args!("Deleted {}", place.display()));
    Ok(ExitCode::SUCCESS)
}
