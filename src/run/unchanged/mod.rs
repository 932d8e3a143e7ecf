//! Whether a write would change nothing, as far as is known of its record. Never on a guess: what is not known to be
//! as it is sent is sent.

mod equal;
mod fresh;

pub use equal::{Held, held};
pub use fresh::{Fresh, Sight};

use chrono::TimeDelta;

/// What is known of a record is good for so long.
pub const FRESH: TimeDelta = TimeDelta::minutes(5);
