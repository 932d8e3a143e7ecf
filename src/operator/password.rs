//! Passwords of operators, kept as PBKDF2-HMAC-SHA256.
//!
//! A hash is written without `$`, `{` and `,`, which YAML, `.env` files and shells would each take as their own.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::error::Unspecified;
use ring::pbkdf2;

use super::random;

/// What a hash begins with.
const ALGORITHM: &str = "pbkdf2-sha256";
/// Rounds of a new hash, as OWASP recommends.
const ROUNDS: u32 = 600_000;
/// Rounds of a hash that is accepted: fewer can be guessed, and more would keep the server busy.
const ACCEPTED: std::ops::RangeInclusive<u32> = 100_000..=10_000_000;
/// Least characters of a password.
pub const MIN_PASSWORD: usize = 12;
/// Most bytes of a password.
const MAX_PASSWORD: usize = 1_000;

/// The hash of a password: `pbkdf2-sha256:ROUNDS:SALT:HASH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHash {
    rounds: NonZeroU32,
    salt: Vec<u8>,
    hash: [u8; 32],
}

/// Why there is no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The text is no hash.
    #[error("this is not the hash of a password; `hob operators password` makes one")]
    NotAHash,
    /// It was made with too few or too many rounds.
    #[error("this hash has {0} rounds, and {from} to {to} are accepted; `hob operators password` makes a new one",
            from = ACCEPTED.start(), to = ACCEPTED.end())]
    Rounds(u32),
    /// The password is too easy to guess, or too long.
    #[error("a password has at least {MIN_PASSWORD} characters and at most {MAX_PASSWORD} bytes")]
    Length,
    /// There are no random bytes.
    #[error("the operating system has no random bytes")]
    NoRandomness,
}

impl From<Unspecified> for PasswordError {
    fn from(_: Unspecified) -> Self {
        Self::NoRandomness
    }
}

impl PasswordHash {
    /// The hash of a new password, with a salt of its own. Takes a fraction of a second.
    pub fn make(password: &str) -> Result<Self, PasswordError> {
        if password.chars().count() < MIN_PASSWORD
            || password.len() > MAX_PASSWORD
            || password.ends_with('\0')
        {
            return Err(PasswordError::Length);
        }
        Ok(Self::derive(password, random::bytes::<16>()?.to_vec()))
    }

    /// A hash that no password has, to be compared with where there is no account, so that both take equally long.
    pub fn of_nobody() -> Self {
        Self { rounds: rounds(ROUNDS), salt: vec![0; 16], hash: [0; 32] }
    }

    /// Whether `password` is the one. Takes as long whether it is or not.
    pub fn verify(&self, password: &str) -> bool {
        // A longer one was never hashed; the time tells nothing but its length.
        let password = &password.as_bytes()[..password.len().min(MAX_PASSWORD + 1)];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        let same = pbkdf2::verify(algorithm, self.rounds, &self.salt, password, &self.hash).is_ok();
        // HMAC ignores zero bytes at the end of a short key.
        same & !password.ends_with(b"\0")
    }

    fn derive(password: &str, salt: Vec<u8>) -> Self {
        let (rounds, mut hash) = (rounds(ROUNDS), [0; 32]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut hash);
        Self { rounds, salt, hash }
    }
}

fn rounds(rounds: u32) -> NonZeroU32 {
    NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN)
}

impl FromStr for PasswordHash {
    type Err = PasswordError;

    fn from_str(text: &str) -> Result<Self, PasswordError> {
        let parts: Vec<&str> = text.split(':').collect();
        let [ALGORITHM, count, salt, hash] = parts[..] else { return Err(PasswordError::NotAHash) };
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| PasswordError::NotAHash);
        let count: u32 = count.parse().map_err(|_| PasswordError::NotAHash)?;
        let (salt, hash) = (decode(salt)?, decode(hash)?.try_into().map_err(|_| PasswordError::NotAHash)?);
        if !(8..=64).contains(&salt.len()) {
            return Err(PasswordError::NotAHash);
        }
        if !ACCEPTED.contains(&count) {
            return Err(PasswordError::Rounds(count));
        }
        Ok(Self { rounds: rounds(count), salt, hash })
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        write!(f, "{ALGORITHM}:{}:{}:{}", self.rounds, encode(&self.salt), encode(&self.hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_only() {
        let hash = PasswordHash::make("correct horse").unwrap();
        let read: PasswordHash = hash.to_string().parse().unwrap();
        assert_eq!(read, hash);
        assert!(read.verify("correct horse"));
        for wrong in ["correct horsf", "", "correct horse\0", &"x".repeat(5_000)] {
            assert!(!read.verify(wrong), "{wrong}");
        }
        assert!(
            !PasswordHash::of_nobody().verify("") && PasswordHash::make("correct horse").unwrap() != hash
        );
    }

    #[test]
    fn weak_passwords_and_hashes_are_refused() {
        for password in ["", "elevenchars", &"x".repeat(1_001)] {
            assert_eq!(PasswordHash::make(password), Err(PasswordError::Length));
        }
        let of = |rounds: &str, salt: &str, hash: &str| format!("pbkdf2-sha256:{rounds}:{salt}:{hash}");
        let (salt, hash) = ("A".repeat(22), "A".repeat(43));
        assert!(of("600000", &salt, &hash).parse::<PasswordHash>().is_ok());
        for (text, error) in [
            (of("1", &salt, &hash), PasswordError::Rounds(1)),
            (of("4000000000", &salt, &hash), PasswordError::Rounds(4_000_000_000)),
            (of("600000", "AA", &hash), PasswordError::NotAHash),
            (of("600000", &salt, "AAAA"), PasswordError::NotAHash),
            (of("-1", &salt, &hash), PasswordError::NotAHash),
            ("correct horse".to_owned(), PasswordError::NotAHash),
            (of("600000", &salt, &hash).replace("256", "1"), PasswordError::NotAHash),
        ] {
            assert_eq!(text.parse::<PasswordHash>(), Err(error), "{text}");
        }
    }
}
