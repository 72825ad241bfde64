//! Known devices: the kinds of devices and the networks that an account was used from. The first one is no news; each
//! further one causes a mail to the owner, who knows whether it was they.
//!
//! A User-Agent is whatever the caller writes. It is reduced to a few words of ours before it goes anywhere: else a
//! sign-up with a foreign address could mail its words there by signing in.
pub mod models;

/// Programs and what gives them away in a User-Agent, in this order: most of them claim to be others, too.
const PROGRAMS: [(&str, &str); 7] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems and what gives them away, in this order: Android says Linux, too, and an iPhone says Mac OS X.
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// A device in words of ours, by its User-Agent.
pub fn describe_device(user_agent: Option<&str>) -> String {
    let user_agent = user_agent.unwrap_or_default();
    let word = |words: &[(&str, &'static str)]| {
        words.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, word)| *word)
    };
    match (word(&PROGRAMS), word(&SYSTEMS)) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        (None, Some(system)) => format!("a program on {system}"),
        (None, None) => "a program that is no browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_by_its_kind_and_never_in_its_own_words() {
        let cases = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
              Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
              Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile \
              Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "a program that is no browser"),
            ("SocialApp/3.1 (Android 15)", "a program on Android"),
            ("Win a prize at https://evil.example", "a program that is no browser"),
        ];
        for (user_agent, expected) in cases {
            assert_eq!(describe_device(Some(user_agent)), expected, "{user_agent}");
        }
        assert_eq!(describe_device(None), "a program that is no browser");
    }
}
