//! Public keys as people paste them: PEM or bare base64, wrapped (SPKI) or not.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use spki::SubjectPublicKeyInfoRef;
use spki::der::asn1::UintRef;
use spki::der::{Decode, Reader, SliceReader};

/// Base64 with or without padding.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Length of an Ed25519 public key.
const ED25519_BYTES: usize = 32;

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
    if is_pkcs1(&bytes) { Ok(bytes) } else { Ok(unwrap_spki(&bytes)?.to_vec()) }
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
    let wrapped = SubjectPublicKeyInfoRef::from_der(bytes).ok();
    let key = wrapped.and_then(|wrapped| wrapped.subject_public_key.as_bytes());
    key.ok_or_else(|| "the key is not a public key in SPKI form".to_owned())
}

/// Modulus and exponent (RFC 8017, A.1.1).
fn is_pkcs1(bytes: &[u8]) -> bool {
    let numbers = SliceReader::new(bytes).and_then(|mut reader| {
        reader.sequence(|inner| Ok((UintRef::decode(inner)?, UintRef::decode(inner)?)))
    });
    numbers.is_ok()
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

    #[test]
    fn reads_rsa_keys_in_every_dress() {
        let pem = include_str!("../../../tests/keys/rsa-public.pem");
        let bare = rsa(pem).unwrap();
        assert_eq!(rsa(&BASE64.encode(&bare)).unwrap(), bare, "as PKCS#1");
        let cut = BASE64.encode(&bare[..bare.len() - 1]);
        for wrong in [cut.as_str(), "MAA=", "AAAA", "N/A", ""] {
            assert!(rsa(wrong).is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (ed25519(&BASE64.encode(&bytes)), rsa(&BASE64.encode(&bytes)));
        }
    }
}
