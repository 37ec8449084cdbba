//! Spellings that a reader cannot tell apart: case, blanks, invisible characters, composed letters. Pure.

use unicode_normalization::UnicodeNormalization;

/// How two such texts differ, in words.
pub const ALIKE: &str = "differ only by case, blanks or characters that are not seen";

/// The same for all texts that a reader takes for one: `Vessel`, `vessel ` and `Ves\u{200b}sel`.
pub fn folded(text: &str) -> String {
    let lower: String =
        text.nfkc().flat_map(char::to_lowercase).filter(|letter| !is_unseen(*letter)).collect();
    lower.nfc().collect()
}

/// The first of some texts that differs from `text` only in what a reader does not see.
pub fn twin<'a, T>(text: &str, among: impl IntoIterator<Item = &'a T>) -> Option<&'a str>
where
    T: AsRef<str> + ?Sized + 'a,
{
    let wanted = folded(text);
    let mut others = among.into_iter().map(AsRef::as_ref);
    others.find(|other| *other != text && !wanted.is_empty() && folded(other) == wanted)
}

/// Blanks, and characters that take no room: marks of direction, joiners, variation selectors, control characters.
fn is_unseen(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_a_twin_and_what_does_not_is_none() {
        for other in [
            "vessel",
            "VESSEL",
            "Vessel ",
            " Vessel",
            "Ves sel",
            "Vessel\u{a0}",
            "Vessel\n",
            "Ves\u{200b}sel",
            "\u{feff}Vessel",
            "Ｖessel",
            "Vessel\u{202c}",
            "Vessel\u{fe0f}",
        ] {
            assert_eq!(twin("Vessel", [other]), Some(other), "{other:?}");
        }
        assert_eq!(twin("Größe", ["Gro\u{308}ße"]), Some("Gro\u{308}ße"));
        for other in ["Vessel", "Vessels", "Véssel", "Ve-ssel", ""] {
            assert_eq!(twin("Vessel", [other]), None, "{other:?}");
        }
        assert_eq!(twin("\u{200b}", [""]), None);
    }
}
