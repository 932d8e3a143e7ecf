//! Detects lists that would never end.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Error, MAX_EMPTY, names};

/// Detects repeated cursors and repeated pages during a scan, in constant memory.
#[derive(Debug, Default)]
pub struct Rounds {
    last: Option<[u8; 32]>,
    /// An earlier cursor, replaced at every power of two (Brent's cycle detection).
    checkpoint: Option<Map<String, Value>>,
    steps: u64,
    power: u64,
    /// Number of consecutive empty pages.
    empty: u32,
}

impl Rounds {
    /// Returns an error when page `page` has the records of the page before, or when `next` was met before.
    pub fn check(
        &mut self,
        operation: &str,
        current: &Map<String, Value>,
        page: u64,
        records: &[String],
        next: Option<&Map<String, Value>>,
    ) -> Result<(), Error> {
        let digest: [u8; 32] = Sha256::digest(records.join("\n")).into();
        if !records.is_empty() && self.last.replace(digest) == Some(digest) {
            return Err(Error::Repeated { operation: operation.to_owned(), inputs: names(current), page });
        }
        let Some(next) = next else { return Ok(()) };
        self.empty = if records.is_empty() { self.empty + 1 } else { 0 };
        if self.empty > MAX_EMPTY {
            return Err(Error::Empty { operation: operation.to_owned(), page });
        }
        if self.checkpoint.as_ref() == Some(next) {
            return Err(Error::Frozen { operation: operation.to_owned(), inputs: names(next), page });
        }
        if self.steps >= self.power {
            (self.checkpoint, self.steps, self.power) = (Some(next.clone()), 0, (self.power * 2).max(1));
        }
        self.steps += 1;
        Ok(())
    }
}
