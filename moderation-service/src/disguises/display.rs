//! What of a text is displayed, and in which order.

/// Displays what follows from right to left, whatever it is, up to the next [`POP_DIRECTION`].
pub const RIGHT_TO_LEFT_OVERRIDE: char = '\u{202e}';
const POP_DIRECTION: char = '\u{202c}';

/// The characters of a text in the order in which they are displayed, where that is reversed by a right-to-left override.
pub fn as_displayed(text: &str) -> Vec<char> {
    let mut displayed = Vec::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c == RIGHT_TO_LEFT_OVERRIDE {
            let reversed: Vec<char> = characters.by_ref().take_while(|c| *c != POP_DIRECTION).collect();
            displayed.extend(reversed.into_iter().rev());
        } else {
            displayed.push(c);
        }
    }
    displayed
}

/// Whether a character is invisible, so that it may hide between the letters of a word.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}'
    )
}
