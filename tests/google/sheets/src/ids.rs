//! Ids for what a request makes: tabs, named and protected ranges, metadata.
//!
//! Google's are random. These look it and are the same at every run: a digest of the spreadsheet's id and a counter.

use crate::Spreadsheet;

impl Spreadsheet {
    /// A new positive 32-bit id that no tab has.
    pub(crate) fn mint_id(&mut self) -> i32 {
        loop {
            self.minted += 1;
            let id = (digest(&self.id, self.minted) >> 33) as i32;
            if id > 0 && self.position(id).is_none() {
                return id;
            }
        }
    }
}

/// FNV-1a over the id, then the finishing steps of SplitMix64, so that neighbouring counters look unrelated.
fn digest(id: &str, counter: u64) -> u64 {
    let seed = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut mixed = seed.wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
