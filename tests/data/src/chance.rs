//! Random choices that are the same in every run and with every version of every crate.

/// xorshift64*, <https://www.jstatsoft.org/article/view/v008i14>.
pub(crate) struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// A number below the limit.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let random = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(random).unwrap_or_default() % limit
    }

    /// True for so many of a thousand.
    pub fn per_mille(&mut self, share: usize) -> bool {
        self.below(1000) < share
    }

    /// One of these texts, each with its weight.
    pub fn pick<'a>(&mut self, choices: &[(&'a str, usize)]) -> &'a str {
        let mut left = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for (text, weight) in choices {
            match left.checked_sub(*weight) {
                Some(less) => left = less,
                None => return text,
            }
        }
        ""
    }

    /// A number below the limit; the smaller, the more often.
    pub fn small(&mut self, limit: usize) -> usize {
        let bound = self.below(limit) + 1;
        self.below(bound)
    }
}
