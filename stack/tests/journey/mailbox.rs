//! The folder in which a platform without an SMTP server puts its mails.

use std::fs;
use std::path::Path;

use anyhow::Result;

/// The letters of a file mailbox, their line breaks and `=` decoded.
pub fn letters(mailbox: &Path) -> Result<Vec<String>> {
    let mut letters = Vec::new();
    for entry in fs::read_dir(mailbox)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            letters.push(fs::read_to_string(path)?.replace("=\r\n", "").replace("=3D", "="));
        }
    }
    Ok(letters)
}

/// The token that the first of these letters has in a link under this name.
pub fn mailed_token(letters: &[String], name: &str) -> Option<String> {
    let after = letters.iter().find_map(|letter| letter.split(&format!("{name}=")).nth(1))?;
    let token = after.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).next()?;
    Some(token.to_owned()).filter(|token| !token.is_empty())
}
