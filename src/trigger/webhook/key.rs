//! Public keys as people paste them: PEM or bare base64, wrapped (SPKI) or not.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

/// Base64 with or without padding.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Length of an Ed25519 public key.
const ED25519_BYTES: usize = 32;
/// DER tags.
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;

/// The 32 bytes of an Ed25519 key: SPKI, or the bytes themselves in base64 or hex.
pub(super) fn ed25519(text: &str) -> Result<Vec<u8>, String> {
    let bare = strip_armour(text);
    if let Some(bytes) = hex::decode(&bare).ok().filter(|bytes| bytes.len() == ED25519_BYTES) {
        return Ok(bytes);
    }
    let bytes = decode(&bare)?;
    let key = if bytes.len() == ED25519_BYTES { bytes } else { unwrap_spki(&bytes)?.to_vec() };
    if key.len() == ED25519_BYTES {
        Ok(key)
    } else {
        Err(format!("the key has {} bytes, an Ed25519 key has {ED25519_BYTES}", key.len()))
    }
}

/// An RSA key as PKCS#1, out of its SPKI wrapper if it has one.
pub(super) fn rsa(text: &str) -> Result<Vec<u8>, String> {
    let bytes = decode(&strip_armour(text))?;
    let (_, inside, _) = element(&bytes, SEQUENCE)?;
    if inside.first() == Some(&INTEGER) {
        return Ok(bytes);
    }
    Ok(unwrap_spki(&bytes)?.to_vec())
}

fn strip_armour(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("-----"))
        .flat_map(str::split_whitespace)
        .collect()
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    BASE64.decode(text).map_err(|error| format!("the key is not base64: {error}"))
}

/// The key inside a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
fn unwrap_spki(bytes: &[u8]) -> Result<&[u8], String> {
    let (_, inside, _) = element(bytes, SEQUENCE)?;
    let (_, _, after_algorithm) = element(inside, SEQUENCE)?;
    let (_, bits, _) = element(after_algorithm, BIT_STRING)?;
    match bits.split_first() {
        Some((0, key)) => Ok(key),
        _ => Err("the key is not a public key in SPKI form".into()),
    }
}

/// Tag, content and rest of the DER element at the start of `bytes`.
fn element(bytes: &[u8], tag: u8) -> Result<(u8, &[u8], &[u8]), String> {
    let broken = || "the key is not a public key in SPKI form".to_owned();
    let [found, first, rest @ ..] = bytes else { return Err(broken()) };
    if *found != tag {
        return Err(broken());
    }
    let (length, rest) = match usize::from(*first) {
        short @ 0..=0x7f => (short, rest),
        long @ 0x81..=0x82 => {
            let (digits, rest) = rest.split_at_checked(long - 0x80).ok_or_else(broken)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return Err(broken()),
    };
    let (content, rest) = rest.split_at_checked(length).ok_or_else(broken)?;
    Ok((*found, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ed25519_keys_in_every_dress() {
        let raw = [7_u8; 32];
        let mut spki = hex::decode("302a300506032b6570032100").unwrap();
        spki.extend(raw);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(&spki));
        for text in [BASE64.encode(raw), hex::encode(raw), BASE64.encode(&spki), pem] {
            assert_eq!(ed25519(&text).unwrap(), raw, "{text}");
        }
        assert!(ed25519("AAAA").is_err());
        assert!(ed25519("N/A").is_err());
        assert!(ed25519("").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (ed25519(&BASE64.encode(&bytes)), rsa(&BASE64.encode(&bytes)));
        }
    }
}
