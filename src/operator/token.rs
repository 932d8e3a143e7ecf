//! Tokens of scripts: random, kept as their SHA-256.

use std::fmt;
use std::str::FromStr;

use ring::error::Unspecified;
use sha2::{Digest, Sha256};

use super::random;

/// What a token begins with, so that people and scanners know what it is.
const PREFIX: &str = "hob_";
/// What its hash begins with.
const ALGORITHM: &str = "sha256:";

/// The hash of a token: `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

/// Not the hash of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not the hash of a token; `hob operators token` makes a token and its hash")]
pub struct TokenError;

/// A new token. An error if the operating system has no random bytes.
pub fn new_token() -> Result<String, Unspecified> {
    Ok(format!("{PREFIX}{}", random::secret()?))
}

impl TokenHash {
    /// The hash of `token`.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

impl FromStr for TokenHash {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let digits = text.strip_prefix(ALGORITHM).ok_or(TokenError)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(digits, &mut hash).map_err(|_| TokenError)?;
        Ok(Self(hash))
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}{}", hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash() {
        let (one, other) = (new_token().unwrap(), new_token().unwrap());
        assert!(one.starts_with("hob_") && one.len() == 47 && one != other);
        let hash: TokenHash = TokenHash::of(&one).to_string().parse().unwrap();
        assert_eq!(hash, TokenHash::of(&one));
        assert_ne!(hash, TokenHash::of(&other));
        for text in ["", "sha256:", "sha256:12", &one, &format!("sha256:{}", "g".repeat(64))] {
            assert_eq!(text.parse::<TokenHash>(), Err(TokenError), "{text}");
        }
    }
}
