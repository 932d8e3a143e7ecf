//! Operators: who may look at the dashboard of `hob run`, who may act in it, and how they prove who they are.
//!
//! Passwords and tokens are kept as hashes only. Those of passwords are slow to compute, so that a stolen hob.yaml does not
//! tell them; tokens are random, so that a fast hash suffices.

mod account;
mod password;
mod random;
mod token;

pub use account::{Account, Proof, RESERVED_NAME, Role, is_valid_name};
pub use password::{MIN_PASSWORD, PasswordError, PasswordHash};
pub use random::secret;
pub use token::{TokenError, TokenHash, new_token};
