//! Pictures that the tool makes itself, so that no file comes from elsewhere: PNGs with a gradient of two colours.

/// The sides of a picture, in pixels.
const WIDTH: u32 = 320;
const HEIGHT: u32 = 200;
/// The longest block of a deflate stream that is not compressed, in bytes (RFC 1951, 3.2.4).
const STORED_BLOCK: usize = 65_535;

/// A picture; another one for another number.
pub fn picture(number: u32) -> Vec<u8> {
    let (from, to) = (colour(number), colour(number.wrapping_add(7_919)));
    let mut rows = Vec::new();
    for y in 0..HEIGHT {
        // No filter of the row.
        rows.push(0);
        for x in 0..WIDTH {
            let place = x + y;
            rows.extend((0..3).map(|channel| mix(from[channel], to[channel], place)));
        }
    }
    let mut head = [WIDTH.to_be_bytes(), HEIGHT.to_be_bytes()].concat();
    // Eight bits for each of three channels, the usual methods, not interlaced.
    head.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in [(b"IHDR", head), (b"IDAT", stored(&rows)), (b"IEND", Vec::new())] {
        let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let chunk = [&name[..], &content].concat();
        file.extend(length.to_be_bytes());
        file.extend(&chunk);
        file.extend(crc(&chunk).to_be_bytes());
    }
    file
}

/// A colour for a number: neighbours are far apart.
fn colour(number: u32) -> [u8; 3] {
    let [red, green, blue, _] = number.wrapping_mul(2_654_435_761).to_le_bytes();
    [red, green, blue]
}

/// The colour that lies that far on the way from one to the other.
fn mix(from: u8, to: u8, place: u32) -> u8 {
    let whole = WIDTH + HEIGHT;
    let mixed = (u32::from(from) * (whole - place) + u32::from(to) * place) / whole;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

/// A zlib stream that holds the bytes as they are (RFC 1950).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let blocks = bytes.chunks(STORED_BLOCK).count();
    for (number, block) in bytes.chunks(STORED_BLOCK).enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(number + 1 == blocks));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (mut one, mut two) = (1_u32, 0_u32);
    for byte in bytes {
        one = (one + u32::from(*byte)) % 65_521;
        two = (two + one) % 65_521;
    }
    stream.extend((two << 16 | one).to_be_bytes());
    stream
}

/// The checksum of a chunk.
fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_differ_and_their_sums_are_those_of_the_standards() {
        assert_ne!(picture(1), picture(2));
        assert_eq!(picture(1), picture(1));
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(stored(b"Wikipedia")[16..], 0x11e6_0398_u32.to_be_bytes());
        // The file's head, three chunks, and in the stream its head, three blocks and its sum around the rows.
        let rows = 200 * (1 + 320 * 3);
        assert_eq!(picture(1).len(), 8 + (12 + 13) + (12 + 2 + 3 * 5 + rows + 4) + 12);
    }
}
