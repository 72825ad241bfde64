//! The right to appeal a decision without a sign-in, as a text: who is banned has no session, and appeals with the link of a mail.
//!
//! A token is the id of its decision and a keyed hash of it (SHA-256 over a secret of 32 bytes and the id, which is of a fixed
//! length, so that nothing can be appended). The key never leaves the database. Nothing is stored of a token: it is good for one
//! decision, for as long as that can be appealed, and once, because a decision is appealed once.
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::hex;

/// Characters of a token: 16 bytes of an id and 32 of a hash, in hexadecimal digits.
pub const TOKEN_LENGTH: usize = 2 * (16 + 32);

/// The right to appeal a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppealToken {
    pub decision: Uuid,
    proof: [u8; 32],
}

impl AppealToken {
    /// The token of a decision with the proof of its right.
    pub fn new(decision: Uuid, proof: [u8; 32]) -> Self {
        Self { decision, proof }
    }

    /// The token that a text stands for; none when it is not of that form. What it proves is not checked.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != TOKEN_LENGTH || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok();
        let bytes: Vec<u8> = (0..TOKEN_LENGTH / 2).map(byte).collect::<Option<_>>()?;
        let (decision, proof) = bytes.split_at(16);
        Some(Self { decision: Uuid::from_slice(decision).ok()?, proof: proof.try_into().ok()? })
    }

    /// Whether both prove the same, in a time that says nothing about where they differ.
    pub fn proves(&self, proof: [u8; 32]) -> bool {
        self.proof.ct_eq(&proof).into()
    }

    /// Its text.
    pub fn text(&self) -> String {
        format!("{}{}", hex(self.decision.as_bytes()), hex(&self.proof))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_other_texts_are_none() {
        let token = AppealToken::new(Uuid::now_v7(), [0xa5; 32]);
        assert_eq!(AppealToken::parse(&token.text()), Some(token));
        assert!(token.proves([0xa5; 32]) && !token.proves([0xa4; 32]));
        let text = token.text();
        for wrong in ["", &text[1..], &format!("{text}0"), &text.replace('a', "g"), &"\u{e9}".repeat(TOKEN_LENGTH / 2)]
        {
            assert_eq!(AppealToken::parse(wrong), None, "{wrong}");
        }
        assert_eq!(AppealToken::parse(&text.replace("a5", "+5")), None, "a sign is no digit");
    }
}
