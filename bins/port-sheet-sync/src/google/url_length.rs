//! How many ranges fit into the URL of one request.
//!
//! Google's front end refuses a URL of more than 8 KB. Each range names its tab, in up to nine bytes a character.

/// How many bytes the ranges of a URL take at most; the rest is for the path, the fields and what Google counts beside.
const RANGES_BYTES: usize = 6_000;

/// The ranges in parts of which each fits, in order.
pub(super) fn parts(ranges: &[String]) -> impl Iterator<Item = &[String]> {
    let mut rest = ranges;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|range| {
            bytes += in_url(range);
            bytes <= RANGES_BYTES
        });
        let (part, later) = rest.split_at(fitting.count().max(1).min(rest.len()));
        rest = later;
        (!part.is_empty()).then_some(part)
    })
}

/// How many bytes a range takes with its name.
fn in_url(range: &str) -> usize {
    let encoded = range.bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 });
    "&ranges=".len() + encoded.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ranges_are_in_some_part_and_each_part_fits() {
        let ranges: Vec<String> = (0..300).map(|row| format!("'予約一覧'!{row}:{row}")).collect();
        let parts: Vec<&[String]> = parts(&ranges).collect();
        assert_eq!(parts.concat(), ranges);
        assert!(parts.len() > 1);
        assert!(
            parts.iter().all(|part| part.iter().map(|range| in_url(range)).sum::<usize>() <= RANGES_BYTES)
        );
    }

    #[test]
    fn a_range_that_is_too_long_is_a_part_of_its_own() {
        let ranges = ["x".repeat(RANGES_BYTES + 1), "A1".to_owned()];
        assert_eq!(parts(&ranges).map(<[String]>::len).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(parts(&[]).count(), 0);
    }
}
