//! Which needed scopes are not granted. Pure.

/// What Google documents as going beyond a scope of Sheets
/// (<https://developers.google.com/workspace/sheets/api/scopes>).
const WIDER: [(&str, &[&str]); 2] = [
    ("https://www.googleapis.com/auth/spreadsheets", &["https://www.googleapis.com/auth/drive"]),
    (
        "https://www.googleapis.com/auth/spreadsheets.readonly",
        &[
            "https://www.googleapis.com/auth/spreadsheets",
            "https://www.googleapis.com/auth/drive",
            "https://www.googleapis.com/auth/drive.readonly",
        ],
    ),
];

/// The needed scopes that the granted ones do not cover; none when the server never said what it granted.
pub fn missing(needed: &[String], granted: &[String]) -> Vec<String> {
    if granted.is_empty() {
        return Vec::new();
    }
    let has = |scope: &str| granted.iter().any(|granted| granted == scope);
    let is_covered = |scope: &str| {
        let wider = WIDER.iter().find(|(narrow, _)| *narrow == scope).map_or(&[][..], |(_, wider)| wider);
        has(scope) || wider.iter().any(|wide| has(wide))
    };
    needed.iter().filter(|scope| !is_covered(scope)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_scope_covers_a_narrower_one_and_silence_is_no_lack() {
        let auth = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| format!("https://www.googleapis.com/auth/{name}")).collect()
        };
        for (needed, granted, lacking) in [
            (&["spreadsheets"][..], &["spreadsheets"][..], &[][..]),
            (&["spreadsheets"], &["drive"], &[]),
            (&["spreadsheets"], &["spreadsheets.readonly", "drive.file"], &["spreadsheets"]),
            (&["spreadsheets.readonly", "gmail.send"], &["spreadsheets"], &["gmail.send"]),
            (&["spreadsheets"], &[], &[]),
        ] {
            assert_eq!(missing(&auth(needed), &auth(granted)), auth(lacking), "{needed:?} {granted:?}");
        }
    }
}
