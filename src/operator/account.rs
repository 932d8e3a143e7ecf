//! An operator, and what they may do.

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::password::PasswordHash;
use super::token::TokenHash;

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "role")]
pub enum Role {
    /// Read pages.
    View,
    /// Read pages, and retry, skip, resolve, pause and resume.
    Act,
}

impl Role {
    /// Its name in hob.yaml.
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Act => "act",
        }
    }
}

/// The name of whoever uses the dashboard without a login, which no account may have.
pub const RESERVED_NAME: &str = "local";

/// Whether `name` is one for an account: up to 100 letters, digits and the signs of e-mail addresses.
pub fn is_valid_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
    (1..=100).contains(&name.len()) && name.chars().all(fits)
}

/// An operator's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// How its operator proves who they are: a password, a token, or either.
    pub proofs: Vec<Proof>,
}

/// How an operator proves who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// With a password, on the login page.
    Password(PasswordHash),
    /// With a token, in the header of a request or on the login page.
    Token(TokenHash),
}

impl Proof {
    /// A hash that changes with the credential and does not tell it.
    pub fn fingerprint(&self) -> [u8; 32] {
        let text = match self {
            Self::Password(hash) => hash.to_string(),
            Self::Token(hash) => hash.to_string(),
        };
        Sha256::digest(text).into()
    }
}

impl Account {
    /// Its password, if it has one.
    pub fn password(&self) -> Option<&PasswordHash> {
        self.proofs.iter().find_map(|proof| match proof {
            Proof::Password(hash) => Some(hash),
            Proof::Token(_) => None,
        })
    }

    /// Its token, if it has one.
    pub fn token(&self) -> Option<&TokenHash> {
        self.proofs.iter().find_map(|proof| match proof {
            Proof::Token(hash) => Some(hash),
            Proof::Password(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["ada", "ada@example.com", "night-shift_2"] {
            assert!(is_valid_name(name), "{name}");
        }
        for name in ["", "a b", "a\n", "<b>", "ü", &"a".repeat(101)] {
            assert!(!is_valid_name(name), "{name}");
        }
    }

    #[test]
    fn whoever_may_act_may_look() {
        assert!(Role::Act > Role::View);
    }
}
