//! Public keys as people paste them: PEM or base64, with or without line breaks and SPKI. Weak keys, for which anyone
//! can make signatures, are rejected.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use curve25519_dalek::edwards::CompressedEdwardsY;
use spki::SubjectPublicKeyInfoRef;
use spki::der::asn1::UintRef;
use spki::der::{Decode, Reader, SliceReader};

/// Base64 with or without padding.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Length of an Ed25519 public key.
const ED25519_BYTES: usize = 32;

/// Accepted sizes of RSA keys, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The 32 bytes of an Ed25519 key: SPKI, or the bytes in base64 or hex. The error completes a sentence about the key.
pub fn ed25519(text: &str) -> Result<Vec<u8>, String> {
    let bare = strip_armour(text);
    let bytes = match hex::decode(&bare).ok().filter(|bytes| bytes.len() == ED25519_BYTES) {
        Some(bytes) => bytes,
        None => decode(&bare)?,
    };
    let key = if bytes.len() == ED25519_BYTES { bytes } else { unwrap_spki(&bytes)?.to_vec() };
    let Ok(encoded) = CompressedEdwardsY::from_slice(&key) else {
        return Err(format!("the key has {} bytes, an Ed25519 key has {ED25519_BYTES}", key.len()));
    };
    let Some(point) = encoded.decompress() else {
        return Err("the key is no point of the curve, so no signature can fit it".to_owned());
    };
    if point.is_small_order() {
        return Err(
            "the key is weak (a point of low order): anyone can make signatures that fit it".to_owned()
        );
    }
    // RFC 8032, 5.1.3: non-canonical encodings of a point are rejected.
    if point.compress() != encoded {
        return Err("the key is not written the one way that RFC 8032 allows for its point".to_owned());
    }
    Ok(key)
}

/// An RSA key as PKCS#1, without its SPKI wrapper. The error completes a sentence about the key.
pub fn rsa(text: &str) -> Result<Vec<u8>, String> {
    let bytes = decode(&strip_armour(text))?;
    let bytes = if pkcs1(&bytes).is_some() { bytes } else { unwrap_spki(&bytes)?.to_vec() };
    let Some((bits, exponent)) = pkcs1(&bytes) else { return Err("the key is not an RSA key".to_owned()) };
    if !RSA_BITS.contains(&bits) {
        let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
        return Err(format!("the key has {bits} bits; RSA keys of {least} to {most} bits are taken"));
    }
    match exponent.as_slice() {
        [.., last] if last % 2 == 1 && exponent.as_slice() != [1] => Ok(bytes),
        _ => {
            Err("the key is weak (its exponent is 1 or even): anyone can make signatures that fit it"
                .to_owned())
        }
    }
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

/// Bits of the modulus, and the exponent (RFC 8017, A.1.1).
fn pkcs1(bytes: &[u8]) -> Option<(usize, Vec<u8>)> {
    let numbers = SliceReader::new(bytes).and_then(|mut reader| {
        reader.sequence(|inner| {
            let (modulus, exponent) = (UintRef::decode(inner)?, UintRef::decode(inner)?);
            let first = modulus.as_bytes().first().map_or(0, |byte| byte.leading_zeros() as usize);
            Ok((modulus.as_bytes().len() * 8 - first, exponent.as_bytes().to_vec()))
        })
    });
    numbers.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the tests of RFC 8032, 7.1.
    const GOOD: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    #[test]
    fn reads_ed25519_keys_in_every_dress() {
        let raw = hex::decode(GOOD).unwrap();
        let mut spki = hex::decode("302a300506032b6570032100").unwrap();
        spki.extend(&raw);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(&spki));
        for text in [BASE64.encode(&raw), hex::encode(&raw), BASE64.encode(&spki), pem] {
            assert_eq!(ed25519(&text).unwrap(), raw, "{text}");
        }
        assert!(ed25519("AAAA").is_err());
        assert!(ed25519("N/A").is_err());
        assert!(ed25519("").is_err());
    }

    /// All points of low order in all encodings, other non-canonical encodings, and values that are not points.
    #[test]
    fn rejects_weak_keys() {
        for (key, word) in [
            ("0000000000000000000000000000000000000000000000000000000000000000", "low order"),
            ("0000000000000000000000000000000000000000000000000000000000000080", "low order"),
            ("0100000000000000000000000000000000000000000000000000000000000000", "low order"),
            ("0100000000000000000000000000000000000000000000000000000000000080", "low order"),
            ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "low order"),
            ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "low order"),
            ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "low order"),
            ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "low order"),
            ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "low order"),
            ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "low order"),
            ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "low order"),
            ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "low order"),
            // y = 3 + p, and y = 4 + p with the other sign.
            ("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "RFC 8032"),
            ("f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "RFC 8032"),
            ("0200000000000000000000000000000000000000000000000000000000000000", "no point"),
        ] {
            let error = ed25519(key).unwrap_err();
            assert!(error.contains(word), "{key}: {error}");
        }
    }

    #[test]
    fn refuses_rsa_keys_that_protect_nothing() {
        let whole = rsa(include_str!("../../tests/keys/rsa-public.pem")).unwrap();
        // The exponent 65537 is the last number.
        let exponent = |bytes: [u8; 3]| {
            let mut key = whole.clone();
            let at = key.len() - 3;
            key[at..].copy_from_slice(&bytes);
            rsa(&BASE64.encode(key))
        };
        assert!(exponent([1, 0, 3]).is_ok());
        assert!(exponent([1, 0, 0]).unwrap_err().contains("weak"));
        let small = "MIGJAoGBAMtYA9bVzH2YF0oA7M3bL1Qv0Yw2m4sXo9Jm0qBvQ8c8xS1bq5Zc3uN1p7mM5m0l";
        assert!(rsa(small).is_err());
    }

    #[test]
    fn reads_rsa_keys_in_every_dress() {
        let pem = include_str!("../../tests/keys/rsa-public.pem");
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
