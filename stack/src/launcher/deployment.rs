//! The folder `deploy/` and the migrations, checked by the tools of their field: Helm, the schemas of Kubernetes, squawk. The
//! script `deploy/check.sh` fetches them where they are not there.

use std::process::{ExitStatus, Stdio};

use anyhow::Result;
use tokio::process::Command;

use crate::host::shutdown::Shutdown;
use crate::host::{console, workspace};

/// The exit code by which the script reports that its tools cannot be had (`EX_UNAVAILABLE` of `sysexits.h`).
const UNAVAILABLE: i32 = 69;

/// Whether all is well; none when the tools cannot be had here. On a build server that is a failure, since warnings are not read there.
pub async fn check(shutdown: &mut Shutdown) -> Result<Option<bool>> {
    console::info("\n== deployment: deploy/check.sh");
    let script = workspace::root().join("deploy/check.sh");
    let status = workspace::run(Command::new("sh").arg(script).stdin(Stdio::null()), shutdown).await?;
    #[expect(clippy::disallowed_methods, reason = "build servers set it; it is no setting of this tool")]
    let on_build_server = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    Ok(outcome(status, on_build_server))
}

fn outcome(status: ExitStatus, on_build_server: bool) -> Option<bool> {
    (status.code() != Some(UNAVAILABLE) || on_build_server).then(|| status.success())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    /// Without the tools a developer is warned, and a build server fails.
    #[test]
    fn missing_tools_are_a_warning_but_on_a_build_server() {
        let exit = |code: i32| ExitStatus::from_raw(code << 8);
        assert_eq!(outcome(exit(0), false), Some(true));
        assert_eq!(outcome(exit(1), false), Some(false));
        assert_eq!(outcome(exit(UNAVAILABLE), false), None);
        assert_eq!(outcome(exit(UNAVAILABLE), true), Some(false));
    }
}
