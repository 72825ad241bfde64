//! What makes a username, an age and an avatar's address acceptable.
use chrono::NaiveDate;
use reqwest::Url;

/// The shortest and the longest username, in characters.
pub const USERNAME: (usize, usize) = (3, 30);
/// The longest address of an avatar, in bytes.
pub const AVATAR_URL: usize = 2048;
/// The youngest and the oldest age in years: below 13 an account needs the parents' consent (COPPA, 15 USC 6501), and
/// 122 is the oldest known age.
pub const AGE: (u32, u32) = (13, 122);

/// Names by which a person could pass for the platform, its staff or a route of the API.
const RESERVED: [&str; 61] = [
    "about",
    "abuse",
    "account",
    "accounts",
    "activate",
    "admin",
    "administrator",
    "anonymous",
    "api",
    "auth",
    "billing",
    "blocks",
    "bot",
    "connections",
    "contact",
    "deleted",
    "everybody",
    "everyone",
    "feed",
    "followers",
    "guest",
    "help",
    "home",
    "hostmaster",
    "info",
    "legal",
    "login",
    "logout",
    "lookup",
    "mail",
    "me",
    "mod",
    "moderation",
    "moderator",
    "moderators",
    "mods",
    "nobody",
    "noreply",
    "notifications",
    "null",
    "official",
    "operator",
    "owner",
    "postmaster",
    "privacy",
    "profile",
    "root",
    "search",
    "security",
    "service",
    "settings",
    "signin",
    "signup",
    "staff",
    "suggestions",
    "support",
    "system",
    "team",
    "undefined",
    "user",
    "webmaster",
];

/// What an e-mail address or a website ends with, after its last dot.
const DOMAINS: [&str; 12] = ["app", "biz", "com", "dev", "edu", "gov", "info", "int", "io", "mil", "net", "org"];

/// What is wrong with a username; none when it is a good one.
///
/// A username has 3 to 30 of the letters a to z, digits, `_` and `.`, in any case. It begins and ends with a letter or a
/// digit, has no two signs in a row and not only digits, does not end like an e-mail address or a website, and is not taken
/// for a reserved word.
pub fn username_fault(name: &str) -> Option<&'static str> {
    let is_sign = |c: char| c == '_' || c == '.';
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || is_sign(c)) {
        return Some("only the letters a to z, digits, _ and . are allowed");
    }
    if !(USERNAME.0..=USERNAME.1).contains(&name.len()) {
        return Some("it must have 3 to 30 characters");
    }
    if name.starts_with(is_sign) || name.ends_with(is_sign) {
        return Some("it must begin and end with a letter or a digit");
    }
    if name.as_bytes().windows(2).any(|pair| pair.iter().all(|c| is_sign(char::from(*c)))) {
        return Some("_ and . must not follow each other");
    }
    if name.chars().all(|c| !c.is_ascii_alphabetic()) {
        return Some("it must have a letter");
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    if ending.is_some_and(|ending| DOMAINS.contains(&ending.as_str())) {
        return Some("it must not look like an e-mail address or a website");
    }
    let seen = skeleton(name);
    if RESERVED.iter().any(|word| skeleton(word) == seen) {
        return Some("it is reserved");
    }
    None
}

/// What the eye keeps of a username: two names with the same skeleton are easily taken for each other. The pairs of ASCII in
/// the confusables of Unicode Technical Standard 39 (1 and l, I and l, 0 and O, m and rn), case and signs set aside.
pub fn skeleton(name: &str) -> String {
    let mut seen = String::with_capacity(name.len());
    for c in name.chars().filter(char::is_ascii_alphanumeric) {
        match c.to_ascii_lowercase() {
            '0' => seen.push('o'),
            '1' | 'i' => seen.push('l'),
            'm' => seen.push_str("rn"),
            other => seen.push(other),
        }
    }
    seen
}

/// The age in full years, by the calendar of UTC; none before the birth.
pub fn age(birth: NaiveDate, today: NaiveDate) -> Option<u32> {
    today.years_since(birth)
}

/// The address of a picture as browsers read it (WHATWG URL): an international host by its A-label, other letters beyond
/// ASCII escaped. None for an address that a browser would not fetch, that hides its host, or that holds a password: it
/// has to be http or https, and is read without the repairs that browsers make.
pub fn read_avatar_url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    if !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    if authority.is_empty() || authority.contains('@') || text.contains(is_odd) {
        return None;
    }
    Url::parse(text).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_what_others_can_read_and_type() {
        for good in ["anna", "Anna.B_c9", "a1b", "x.y_z", "anna.example", "abcdefghijklmnopqrstuvwxyz1234"] {
            assert_eq!(username_fault(good), None, "{good}");
        }
        for (bad, fault) in [
            ("an", "it must have 3 to 30 characters"),
            ("abcdefghijklmnopqrstuvwxyz12345", "it must have 3 to 30 characters"),
            ("anna@example.com", "only the letters a to z, digits, _ and . are allowed"),
            // Cyrillic а.
            ("\u{430}nna", "only the letters a to z, digits, _ and . are allowed"),
            ("_anna", "it must begin and end with a letter or a digit"),
            ("anna.", "it must begin and end with a letter or a digit"),
            ("an._na", "_ and . must not follow each other"),
            ("12345", "it must have a letter"),
            ("anna.example.COM", "it must not look like an e-mail address or a website"),
            ("Admin", "it is reserved"),
            ("adrn1n", "it is reserved"),
            ("s.u.p.p.0.r.t", "it is reserved"),
        ] {
            assert_eq!(username_fault(bad), Some(fault), "{bad}");
        }
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        for alike in ["Emil_0", "emiIO", "em1l.o", "ernil0"] {
            assert_eq!(skeleton(alike), "ernllo", "{alike}");
        }
        assert_ne!(skeleton("anna"), skeleton("hanna"));
    }

    #[test]
    fn an_age_counts_birthdays() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(age(day(2000, 11, 20), day(2026, 11, 19)), Some(25));
        assert_eq!(age(day(2000, 11, 20), day(2026, 11, 20)), Some(26));
        assert_eq!(age(day(2004, 2, 29), day(2026, 2, 28)), Some(21));
        assert_eq!(age(day(2004, 2, 29), day(2026, 3, 1)), Some(22));
        assert_eq!(age(day(2026, 11, 20), day(2026, 11, 19)), None);
    }

    #[test]
    fn avatars_are_on_the_web() {
        for (given, stored) in [
            ("https://example.com/a.png", "https://example.com/a.png"),
            ("http://[2001:db8::1]:8080/a?b=c", "http://[2001:db8::1]:8080/a?b=c"),
            ("HTTPS://Example.com/A.png#top", "https://example.com/A.png#top"),
            ("https://b\u{fc}cher.example/a.png", "https://xn--bcher-kva.example/a.png"),
            ("https://bu\u{308}cher.example/a.png", "https://xn--bcher-kva.example/a.png"),
            ("https://xn--bcher-kva.example/a.png", "https://xn--bcher-kva.example/a.png"),
            ("https://example.com/\u{e9}.png", "https://example.com/%C3%A9.png"),
        ] {
            assert_eq!(read_avatar_url(given).as_deref(), Some(stored), "{given}");
        }
        for bad in [
            "javascript:alert(1)",
            "javascript:alert(1)//https://example.com",
            "data:image/png;base64,AA",
            "ftp://example.com/a",
            "//example.com/a",
            "/a",
            "https://anna:secret@example.com/a",
            "https://@example.com/a",
            "https:/example.com",
            "https:\\\\example.com",
            "https://exa mple.com/",
            "https://xn--\u{fc}.example/",
            "\u{200b}https://example.com/",
            "https://",
            "https:///a",
            "https://example.com/a b",
            "https://example.com/a\n",
            "",
        ] {
            assert_eq!(read_avatar_url(bad), None, "{bad}");
        }
    }
}
