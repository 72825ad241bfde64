//! What a check has found, and how it is shown.

use crossterm::style::Stylize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Ok,
    /// Worth knowing; the platform comes up all the same.
    Note,
    /// The platform does not come up, or is not whole.
    Problem,
}

/// One line of the report, with its mend beneath.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    /// What was looked at.
    pub what: String,
    pub says: String,
    /// What to do about it; nothing where nothing has to be done.
    pub mend: Option<String>,
}

impl Finding {
    pub fn ok(what: impl Into<String>, says: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Ok, what: what.into(), says: says.into(), mend: None }
    }

    pub fn note(what: impl Into<String>, says: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Note, ..Finding::ok(what, says) }
    }

    pub fn problem(what: impl Into<String>, says: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Problem, ..Finding::ok(what, says) }.with(mend)
    }

    /// The same, with what to do about it.
    pub fn with(self, mend: impl Into<String>) -> Finding {
        Finding { mend: Some(mend.into()), ..self }
    }
}

/// All findings in columns, and a last line that sums them up: `sound`, or how many problems there are.
pub fn report(findings: &[Finding], sound: &str, colours: bool) -> String {
    let width = findings.iter().map(|finding| finding.what.chars().count()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for Finding { verdict, what, says, mend } in findings {
        // What a program has said may have several lines.
        let says = says.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        lines.push(format!("{}  {what:width$}  {says}", label(*verdict, colours)));
        lines.extend(mend.iter().map(|mend| format!("{:7}  {:width$}  → {mend}", "", "")));
    }
    let problems = findings.iter().filter(|finding| finding.verdict == Verdict::Problem).count();
    lines.push(match problems {
        0 => format!("\n{sound}"),
        1 => "\nOne problem; its mend stands beneath it.".to_owned(),
        _ => format!("\n{problems} problems; the mend of each stands beneath it."),
    });
    lines.join("\n")
}

fn label(verdict: Verdict, colours: bool) -> String {
    let (plain, coloured) = match verdict {
        Verdict::Ok => ("ok     ", "ok     ".green()),
        Verdict::Note => ("note   ", "note   ".yellow()),
        Verdict::Problem => ("problem", "problem".red().bold()),
    };
    if colours { coloured.to_string() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mend_stands_beneath_what_it_mends() {
        let findings = [
            Finding::ok("Rust", "1.95.0"),
            Finding::note("memory", "little\n\tof it"),
            Finding::problem("port 8002", "in use by python3 (pid 7)", "stop it"),
        ];
        assert_eq!(
            report(&findings, "Sound.", false),
            "ok       Rust       1.95.0\n\
             note     memory     little of it\n\
             problem  port 8002  in use by python3 (pid 7)\n                    → stop it\n\n\
             One problem; its mend stands beneath it."
        );
        assert!(report(&findings[..2], "Sound.", false).ends_with("\n\nSound."));
    }

    #[test]
    fn only_a_terminal_gets_colours() {
        assert!(!report(&[Finding::problem("a", "b", "c")], "", false).contains('\u{1b}'));
    }
}
