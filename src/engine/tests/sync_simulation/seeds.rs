//! Which seeds are played.

/// Seeds to play.
pub(super) struct Seeds {
    pub(super) seeds: Vec<u64>,
    /// What happens is printed.
    pub(super) is_single: bool,
}

impl Seeds {
    /// The first `usual` ones and `also`, unless the environment says otherwise: `HOB_SYNC_SEEDS` is another number, or
    /// such as `301-600`; `HOB_SYNC_SEED` is one whose story is printed (with `--nocapture`).
    #[expect(clippy::disallowed_methods, reason = "settings of the tests")]
    pub(super) fn chosen(usual: u64, also: &[u64]) -> Self {
        let number = |text: &str| text.parse::<u64>().unwrap();
        if let Ok(seed) = std::env::var("HOB_SYNC_SEED") {
            return Self { seeds: vec![number(&seed)], is_single: true };
        }
        let seeds = match std::env::var("HOB_SYNC_SEEDS") {
            Ok(text) => {
                let (first, last) = text.split_once('-').unwrap_or(("1", &text));
                (number(first)..=number(last)).collect()
            }
            Err(_) => (1..=usual).chain(also.iter().copied()).collect(),
        };
        Self { seeds, is_single: false }
    }
}
