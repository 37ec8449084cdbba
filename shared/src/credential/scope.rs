//! The required scopes that a credential was not granted. Pure.

/// Wider scopes that, as Google documents, include a scope of Sheets
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

/// The required scopes that the granted ones do not cover; empty when the server never named what it granted.
pub fn missing(required: &[String], granted: &[String]) -> Vec<String> {
    if granted.is_empty() {
        return Vec::new();
    }
    required.iter().filter(|scope| !is_covered(scope, granted)).cloned().collect()
}

fn is_covered(scope: &str, granted: &[String]) -> bool {
    let wider = WIDER.iter().find(|(narrow, _)| *narrow == scope).map_or(&[][..], |(_, wider)| wider);
    granted.iter().any(|granted| granted == scope || wider.contains(&granted.as_str()))
}

#[cfg(test)]
mod tests {
    use crate::credential::scope::*;

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
