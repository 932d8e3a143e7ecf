//! Reproducible random numbers.

/// Random numbers (splitmix64), or none: the largest ones always, with which nothing unlikely happens.
pub(super) struct Random(Option<u64>);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(Some(seed))
    }

    pub(super) fn none() -> Self {
        Self(None)
    }

    /// From 0 to `end`, exclusive.
    pub(super) fn below(&mut self, end: i64) -> i64 {
        let Some(state) = &mut self.0 else { return end - 1 };
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    /// A place in a list of this length.
    pub(super) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(i64::try_from(length).unwrap())).unwrap()
    }

    /// True in so many of 100 cases.
    pub(super) fn percent(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    /// Milliseconds until the next edit: many come close together.
    pub(super) fn until_edit(&mut self) -> i64 {
        match self.below(10) {
            0..=3 => self.below(300),
            4..=6 => self.below(4000),
            _ => self.below(40_000),
        }
    }
}
