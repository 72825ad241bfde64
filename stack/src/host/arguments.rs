//! Parsing of arguments, with an error that explains what is wrong.

use std::ops::RangeInclusive;

use reqwest::Url;

/// A number within these bounds.
pub fn number(text: &str, bounds: RangeInclusive<f64>) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    let wrong = || format!("it must be {} to {}", bounds.start(), bounds.end());
    if bounds.contains(&number) { Ok(number) } else { Err(wrong()) }
}

/// The address of a server that speaks one of these schemes.
pub fn url(text: &str, schemes: &[&str]) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !schemes.contains(&url.scheme()) {
        return Err(format!("it must begin with {}://", schemes.join(":// or ")));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host".to_owned());
    }
    Ok(url)
}
