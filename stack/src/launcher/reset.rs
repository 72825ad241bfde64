//! `cargo stack reset`: deletes the data of a platform that is not running.

use std::process::ExitCode;

use anyhow::Result;

use crate::host::console;
use crate::servers::folder::{DataFolder, Folder};
use crate::servers::ledger::Ledger;
use crate::servers::private;

/// Refuses while the platform runs, for the folder is claimed then.
pub async fn reset(data: DataFolder) -> Result<ExitCode> {
    let place = &data.path();
    if !place.exists() {
        console::info(format_args!("There is nothing to delete: {} does not exist", place.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let folder = Folder::claim(place)?;
    // A launcher that was killed may have left servers that still write here.
    Ledger::open(&folder).await?;
    private::delete_outside(&folder)?;
    folder.wipe()?;
    console::info(format_args!("Deleted {}", place.display()));
    Ok(ExitCode::SUCCESS)
}
