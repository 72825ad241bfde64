//! Takes out of a GIF what is no picture: comments, texts, and what programs have added, such as XMP with a position. The frames
//! stay as they are. Blocks by the specification of `GIF89a`. <https://www.w3.org/Graphics/GIF/spec-gif89a.txt>

/// The most frames of an animation; a minute has about a thousand.
const MAX_FRAMES: usize = 1_000;
/// The applications whose blocks say how often an animation is repeated, and nothing else.
const LOOPS: [&[u8]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];

/// The kinds of blocks.
const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;
/// The kinds of extensions that are kept: how a frame is shown, and repetition.
const GRAPHIC_CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;

/// Reads a file from its beginning.
struct Blocks<'a> {
    rest: &'a [u8],
}

impl<'a> Blocks<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    /// A block that is sent in pieces, with the lengths of them.
    fn take_pieces(&mut self) -> Option<&'a [u8]> {
        let begin = self.rest;
        let mut bytes = 0;
        loop {
            let length = usize::from(*self.take(1)?.first()?);
            self.take(length)?;
            bytes += 1 + length;
            if length == 0 {
                return begin.get(..bytes);
            }
        }
    }

    /// A table of colours, where the flags of its head say that there is one.
    fn take_colours(&mut self, flags: u8) -> Option<&'a [u8]> {
        let bytes = if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
        self.take(bytes)
    }
}

/// The same animation without anything else; none when it is no complete GIF, or has too many frames.
pub fn without_metadata(file: &[u8]) -> Option<Vec<u8>> {
    let mut blocks = Blocks { rest: file };
    let mut kept = Vec::with_capacity(file.len());
    let head = blocks.take(13)?;
    kept.extend_from_slice(head);
    kept.extend_from_slice(blocks.take_colours(head[10])?);
    let mut frames = 0;
    loop {
        match *blocks.take(1)?.first()? {
            TRAILER => {
                kept.push(TRAILER);
                return (1..=MAX_FRAMES).contains(&frames).then_some(kept);
            }
            IMAGE => {
                frames += 1;
                let head = blocks.take(9)?;
                kept.push(IMAGE);
                kept.extend_from_slice(head);
                kept.extend_from_slice(blocks.take_colours(head[8])?);
                kept.extend_from_slice(blocks.take(1)?);
                kept.extend_from_slice(blocks.take_pieces()?);
            }
            EXTENSION => {
                let kind = *blocks.take(1)?.first()?;
                let pieces = blocks.take_pieces()?;
                let repeats = kind == APPLICATION && pieces.get(1..12).is_some_and(|name| LOOPS.contains(&name));
                if kind == GRAPHIC_CONTROL || repeats {
                    kept.extend_from_slice(&[EXTENSION, kind]);
                    kept.extend_from_slice(pieces);
                }
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A screen of one pixel with two colours.
    fn gif(blocks: &[&[u8]]) -> Vec<u8> {
        let head: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff";
        [&[head][..], blocks].concat().concat()
    }

    const FRAME: &[u8] = &[0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0];
    const CONTROL: &[u8] = &[0x21, 0xf9, 4, 0, 10, 0, 0, 0];
    const LOOP: &[u8] = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00";

    #[test]
    fn frames_and_repetition_stay_and_words_go() {
        let comment = b"\x21\xfe\x05Berne\x00";
        let xmp = b"\x21\xff\x0bXMP DataXMP\x07<x:gps>\x00";
        let clean = gif(&[LOOP, CONTROL, FRAME, CONTROL, FRAME, &[0x3b]]);
        let full = gif(&[LOOP, comment, CONTROL, FRAME, xmp, CONTROL, FRAME, &[0x3b], b"behind the end"]);
        assert_eq!(without_metadata(&full).unwrap(), clean);
        assert_eq!(without_metadata(&clean).unwrap(), clean);
    }

    #[test]
    fn what_breaks_off_or_has_no_frame_is_refused() {
        let whole = gif(&[CONTROL, FRAME, &[0x3b]]);
        for end in 0..whole.len() {
            assert_eq!(without_metadata(&whole[..end]), None, "{end} bytes");
        }
        assert_eq!(without_metadata(&gif(&[CONTROL, &[0x3b]])), None);
        let many = [CONTROL, FRAME].concat().repeat(MAX_FRAMES + 1);
        assert_eq!(without_metadata(&gif(&[&many, &[0x3b]])), None);
    }
}
