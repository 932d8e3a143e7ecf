//! Secrets that nobody can guess.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};

/// Random bytes of the operating system.
pub(super) fn bytes<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(bytes)
}

/// A secret of 256 random bits, as 43 letters, digits, `-` and `_`. An error if the operating system has no random bytes.
pub fn secret() -> Result<String, Unspecified> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<32>()?))
}
