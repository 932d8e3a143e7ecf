//! Placeholders in the SQL texts: named values, and the version in names of functions.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::journal::encoding::{AT_ONCE, MAX_WOKEN, WOKEN, code};
use crate::run::RunState;

/// The functions. Changing any text changes the version, and with it the names.
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

/// The suffix that stands for the version in SQL texts.
const ANY_VERSION: &str = "_vN";

/// The version: a checksum of the texts, so that nobody has to increment it.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let texts = FUNCTIONS.iter().fold(Sha256::new(), |hash, text| hash.chain_update(named_values(text)));
    format!("_v{}", hex::encode(&texts.finalize()[..4]))
});

/// `sql` with `_vN` replaced by the version and `{state}` by the state's number, `{at_once}` and `{woken}` by a `due`.
pub(super) fn expand(sql: &str) -> String {
    named_values(sql).replace(ANY_VERSION, &VERSION)
}

/// The SQL that creates this version's functions.
pub(super) fn functions() -> String {
    expand(&FUNCTIONS.concat())
}

fn named_values(sql: &str) -> String {
    let sql = sql
        .replace("{at_once}", &AT_ONCE.to_string())
        .replace("{woken}", &WOKEN.to_string())
        .replace("{max_woken}", &MAX_WOKEN.to_string());
    RunState::ALL
        .into_iter()
        .fold(sql, |sql, state| sql.replace(&format!("{{{}}}", state.name()), &code(state).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_every_value_is_filled_in() {
        let text = functions();
        assert!(text.contains(&format!("CREATE FUNCTION hob_append{}(", *VERSION)));
        for placeholder in [ANY_VERSION, "{waiting}", "{running}", "{at_once}", "{woken}", "{max_woken}"] {
            assert!(!text.contains(placeholder), "{placeholder}");
        }
        // Every name must have a version.
        for (at, _) in text.match_indices("hob_") {
            let name: String = text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(name.ends_with(&*VERSION), "{name}");
        }
    }
}
