//! Which bytes of a file a request asks for (RFC 9110, 14): one range, or all of it. Several ranges at once are answered with the
//! whole, as the standard allows: no picture needs them.
use std::ops::Range;

/// What a `Range` header asks for, of a file of a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedPart {
    Whole,
    Part(Range<u64>),
    /// It lies behind the end.
    Nowhere,
}

/// Reads a `Range` header; one that is not understood asks for all, as the standard has it.
pub fn read_range(header: Option<&str>, length: u64) -> RequestedPart {
    let spec = header.and_then(|header| header.strip_prefix("bytes=")).map(str::trim);
    let Some((first, last)) = spec.and_then(|spec| spec.split_once('-')) else { return RequestedPart::Whole };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let range = match (first.is_empty(), last.is_empty()) {
        (true, true) => return RequestedPart::Whole,
        (true, false) => {
            let Some(most) = number(last) else { return RequestedPart::Whole };
            length.saturating_sub(most)..length
        }
        (false, no_end) => {
            let Some(first) = number(first) else { return RequestedPart::Whole };
            let last = if no_end { Some(u64::MAX - 1) } else { number(last) };
            let Some(last) = last.filter(|last| *last >= first) else { return RequestedPart::Whole };
            first..last.saturating_add(1).min(length)
        }
    };
    if range.is_empty() { RequestedPart::Nowhere } else { RequestedPart::Part(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_what_is_not_understood_asks_for_all() {
        let read = |header: &str| read_range(Some(header), 10);
        assert_eq!(read("bytes=0-0"), RequestedPart::Part(0..1));
        assert_eq!(read("bytes=2-5"), RequestedPart::Part(2..6));
        assert_eq!(read("bytes=2-"), RequestedPart::Part(2..10));
        assert_eq!(read("bytes=-3"), RequestedPart::Part(7..10));
        assert_eq!(read("bytes=-99"), RequestedPart::Part(0..10));
        assert_eq!(read("bytes=9-99999999999999999999"), RequestedPart::Whole);
        assert_eq!(read("bytes=9-99"), RequestedPart::Part(9..10));
        for nowhere in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(read(nowhere), RequestedPart::Nowhere, "{nowhere}");
        }
        for all in
            ["", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "bytes=+1-2", "lines=1-2", "bytes=a-b"]
        {
            assert_eq!(read(all), RequestedPart::Whole, "{all}");
        }
        assert_eq!(read_range(None, 10), RequestedPart::Whole);
    }
}
