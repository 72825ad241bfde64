//! Perceptual hashes, as texts and as numbers, and how near two are.
use clap::Args;

/// Hexadecimal digits of a hash.
pub const HASH_DIGITS: usize = 16;

/// How pictures are recognised.
#[derive(Args, Clone, Copy, Debug)]
pub struct PictureSettings {
    /// In how many of 64 bits the perceptual hash of a picture may differ from a blocked one to be taken for it, 0 to 7
    #[arg(long, env = "MODERATION_PICTURE_DISTANCE", default_value_t = 5, value_parser = clap::value_parser!(i64).range(0..=7))]
    pub moderation_picture_distance: i64,
}

/// A perceptual hash of 64 bits, in the database as a signed number: the bits are what counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerceptualHash(pub i64);

impl PerceptualHash {
    /// Reads 16 hexadecimal digits; none when the text is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hash = text.len() == HASH_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u64::from_str_radix(text, 16).ok().filter(|_| is_hash)?;
        Some(Self(i64::from_ne_bytes(bits.to_ne_bytes())))
    }

    /// Its 16 hexadecimal digits.
    pub fn text(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_16_digits_of_64_bits() {
        for text in ["0000000000000000", "ffffffffffffffff", "8000000000000001", "0123456789abcdef"] {
            assert_eq!(PerceptualHash::parse(text).unwrap().text(), text);
        }
        assert_eq!(PerceptualHash::parse("ABCDEFABCDEFABCD").unwrap().text(), "abcdefabcdefabcd");
        for wrong in ["", "0", "00000000000000000", "000000000000000g", "+000000000000000", "é00000000000000"] {
            assert_eq!(PerceptualHash::parse(wrong), None, "{wrong}");
        }
    }
}
