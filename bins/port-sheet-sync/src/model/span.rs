//! Neighbouring rows or columns.

/// Rows counted from 1, or columns counted from 0; both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub first: u32,
    pub last: u32,
}

impl Span {
    pub fn new(first: u32, last: u32) -> Self {
        Self { first, last }
    }

    /// A single row or column.
    pub fn one(at: u32) -> Self {
        Self { first: at, last: at }
    }

    /// This many from `first` on; at least one.
    pub fn of_length(first: u32, length: u32) -> Self {
        Self { first, last: first + length.max(1) - 1 }
    }

    pub fn length(self) -> u32 {
        self.last - self.first + 1
    }

    pub fn contains(self, at: u32) -> bool {
        (self.first..=self.last).contains(&at)
    }

    pub fn iter(self) -> impl Iterator<Item = u32> + Clone {
        self.first..=self.last
    }
}

/// The spans that hold exactly these positions; positions that are at most `gap` apart are in one span with those between.
pub fn spans(mut positions: Vec<u32>, gap: u32) -> Vec<Span> {
    positions.sort_unstable();
    let mut spans: Vec<Span> = Vec::new();
    for position in positions {
        match spans.last_mut() {
            Some(span) if position <= span.last + 1 + gap => span.last = position,
            _ => spans.push(Span::one(position)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn spans_cover_exactly_the_positions(positions in proptest::collection::vec(0u32..60, 0..40)) {
            let covered: Vec<u32> = spans(positions.clone(), 0).into_iter().flat_map(Span::iter).collect();
            let mut expected = positions;
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(covered, expected);
        }

        #[test]
        fn spans_are_apart(positions in proptest::collection::vec(0u32..60, 0..40), gap in 0u32..5) {
            let spans = spans(positions, gap);
            prop_assert!(spans.windows(2).all(|pair| pair[0].last + 1 + gap < pair[1].first));
        }
    }

    #[test]
    fn a_span_knows_its_length_and_what_it_holds() {
        let span = Span::of_length(3, 4);
        assert_eq!((span, span.length()), (Span::new(3, 6), 4));
        assert!(span.contains(3) && span.contains(6) && !span.contains(7));
        assert_eq!(Span::one(9).iter().collect::<Vec<_>>(), [9]);
    }
}
