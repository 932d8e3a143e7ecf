//! What stands for something else in our statements and functions: names for states, and an ending for the version
//! of a function.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::journal::encoding::code;
use crate::run::RunState;

/// What the store's statements call. Whatever is changed here is another version, under names of its own.
const FUNCTIONS: &[&str] = &[
    include_str!("functions/lanes.sql"),
    include_str!("functions/append.sql"),
    include_str!("functions/lease.sql"),
    include_str!("functions/record.sql"),
    include_str!("functions/amend.sql"),
    include_str!("functions/link.sql"),
    include_str!("functions/prune.sql"),
    include_str!("functions/limits.sql"),
];

/// Ends the names of functions wherever they are written down.
const ANY_VERSION: &str = "_vN";

/// Ends the names of this version's functions: a checksum of their texts, so that nobody has to remember to change
/// it.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let texts = FUNCTIONS.iter().fold(Sha256::new(), |hash, text| hash.chain_update(named_states(text)));
    format!("_v{}", hex::encode(&texts.finalize()[..4]))
});

/// `sql` as the server takes it: the functions of this version for those that end with `_vN`, and the number of a
/// state for its name in braces.
pub(super) fn filled(sql: &str) -> String {
    named_states(sql).replace(ANY_VERSION, &VERSION)
}

/// This version's functions.
pub(super) fn functions() -> String {
    filled(&FUNCTIONS.concat())
}

fn named_states(sql: &str) -> String {
    RunState::ALL.into_iter().fold(sql.to_owned(), |sql, state| {
        sql.replace(&format!("{{{}}}", state.name()), &code(state).to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_every_state_is_filled_in() {
        let text = functions();
        assert!(text.contains(&format!("CREATE FUNCTION hob_append{}(", *VERSION)));
        assert!(!text.contains(ANY_VERSION) && !text.contains("{waiting}") && !text.contains("{running}"));
        // A name without its version would be that of another one.
        for (at, _) in text.match_indices("hob_") {
            let name: String = text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(name.ends_with(&*VERSION), "{name}");
        }
    }
}
