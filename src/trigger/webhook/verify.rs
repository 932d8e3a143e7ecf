//! Verifies the sender of a request. Looks at the raw body, never at its content.

use base64::Engine;
use ring::{hmac, signature};

use crate::catalog::public_key::BASE64;
use crate::catalog::{Signature, SignatureAlgorithm};
use crate::secret::Secret;

/// Why a request cannot be verified, or why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// None of the required headers is present.
    #[error("the request has no {headers} header, so nothing proves where it comes from")]
    NoSignature {
        /// Names of the headers that were looked for.
        headers: String,
    },
    /// The header's value is not a signature.
    #[error("the header {header} holds {found} instead of a signature")]
    NotASignature {
        /// Name of the header.
        header: String,
        /// Description of its value; the value itself may be a secret.
        found: &'static str,
    },
    /// The signature does not match the body.
    #[error("the header {header} does not fit the body and the key; check that the key is the sender's")]
    Wrong {
        /// Name of the header.
        header: String,
    },
    /// The header does not have the agreed value.
    #[error("the header {header} does not have the agreed value")]
    WrongValue {
        /// Name of the header.
        header: String,
    },
    /// The configured key is invalid.
    #[error("the key for the header {header} cannot be used: {reason}")]
    Key {
        /// Name of the header that it is for.
        header: String,
        /// Reason, for people.
        reason: String,
    },
}

/// Hash function of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, for senders that offer nothing better.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Encoding of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits in either letter case.
    Hex,
    /// Base64 with or without padding.
    Base64,
}

/// How requests are verified, with all keys loaded. A request needs to pass only one of the ways.
#[derive(Debug, Clone)]
pub struct Verifier {
    proofs: Vec<Proof>,
}

#[derive(Debug, Clone)]
struct Proof {
    header: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Public { algorithm: SignatureAlgorithm, key: Vec<u8> },
    Keyed { key: hmac::Key, encoding: Encoding, prefix: String },
    Value { key: hmac::Key, expected: hmac::Tag },
}

impl Verifier {
    /// Accepts every request.
    pub fn none() -> Self {
        Self { proofs: vec![] }
    }

    /// Accepts requests with one of an app's signatures.
    pub fn signatures(signatures: &[Signature]) -> Result<Self, Error> {
        let proofs = signatures.iter().map(|signature| {
            let key = signature.public_key();
            let key = key.map_err(|reason| Error::Key { header: signature.header.clone(), reason })?;
            let kind = Kind::Public { algorithm: signature.algorithm, key };
            Ok(Proof { header: signature.header.clone(), kind })
        });
        Ok(Self { proofs: proofs.collect::<Result<_, _>>()? })
    }

    /// Accepts requests with an HMAC of the body, written after `prefix`.
    pub fn hmac(header: &str, secret: &Secret, hash: Hash, encoding: Encoding, prefix: &str) -> Self {
        let algorithm = match hash {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        let key = hmac::Key::new(algorithm, secret.expose().as_bytes());
        let kind = Kind::Keyed { key, encoding, prefix: prefix.to_owned() };
        Self { proofs: vec![Proof { header: header.to_owned(), kind }] }
    }

    /// Accepts requests whose header has this value, ignoring surrounding white space, which is not part of a header's
    /// value (RFC 9110, 5.5).
    pub fn header(header: &str, value: &Secret) -> Self {
        // Compared as HMACs, so that the duration of the comparison reveals nothing about the value.
        let key = hmac::Key::new(hmac::HMAC_SHA256, header.as_bytes());
        let expected = hmac::sign(&key, value.expose().as_bytes().trim_ascii());
        Self { proofs: vec![Proof { header: header.to_owned(), kind: Kind::Value { key, expected } }] }
    }

    /// Whether it accepts every request.
    pub fn is_open(&self) -> bool {
        self.proofs.is_empty()
    }

    /// An error when none of the headers is present, of which one is required.
    pub fn lacks<'h>(&self, header: impl Fn(&str) -> Option<&'h [u8]>) -> Option<Error> {
        let is_there = |proof: &Proof| header(&proof.header).is_some();
        (!self.is_open() && !self.proofs.iter().any(is_there)).then(|| self.no_signature())
    }

    fn no_signature(&self) -> Error {
        let headers: Vec<&str> = self.proofs.iter().map(|proof| proof.header.as_str()).collect();
        Error::NoSignature { headers: headers.join(" or ") }
    }

    /// Verifies a body with the headers of its request, which `header` reads by name.
    pub fn check<'h>(&self, header: impl Fn(&str) -> Option<&'h [u8]>, body: &[u8]) -> Result<(), Error> {
        let mut refusal = None;
        for proof in &self.proofs {
            match header(&proof.header).map(|value| proof.check(value.trim_ascii(), body)) {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => refusal = refusal.or(Some(error)),
                None => {}
            }
        }
        match refusal {
            Some(error) => Err(error),
            None if self.is_open() => Ok(()),
            None => Err(self.no_signature()),
        }
    }
}

impl Proof {
    fn check(&self, value: &[u8], body: &[u8]) -> Result<(), Error> {
        let header = &self.header;
        let wrong = || Error::Wrong { header: header.clone() };
        match &self.kind {
            Kind::Value { key, expected } => hmac::verify(key, value, expected.as_ref())
                .map_err(|_| Error::WrongValue { header: header.clone() }),
            Kind::Keyed { key, encoding, prefix } => {
                let found = "a value without the agreed prefix";
                let text = value
                    .strip_prefix(prefix.as_bytes())
                    .ok_or_else(|| Error::NotASignature { header: header.clone(), found })?;
                let tag = self.decode(text, Some(*encoding))?;
                hmac::verify(key, body, &tag).map_err(|_| wrong())
            }
            Kind::Public { algorithm, key } => {
                let algorithm: &dyn signature::VerificationAlgorithm = match algorithm {
                    SignatureAlgorithm::Ed25519 => &signature::ED25519,
                    SignatureAlgorithm::RsaSha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                let bytes = self.decode(value, None)?;
                signature::UnparsedPublicKey::new(algorithm, key).verify(body, &bytes).map_err(|_| wrong())
            }
        }
    }

    /// The bytes of a signature. Without `encoding`, hex if it looks like hex, otherwise base64.
    fn decode(&self, text: &[u8], encoding: Option<Encoding>) -> Result<Vec<u8>, Error> {
        let refuse = |found| Error::NotASignature { header: self.header.clone(), found };
        // "N/A" would be accepted as base64, but senders mean "no signature" by it.
        match text {
            b"" => return Err(refuse("nothing")),
            b"N/A" | b"n/a" => return Err(refuse("the words N/A")),
            _ => {}
        }
        let hexadecimal = || hex::decode(text).map_err(|_| refuse("something that is not hexadecimal"));
        match encoding {
            Some(Encoding::Hex) => hexadecimal(),
            Some(Encoding::Base64) => BASE64.decode(text).map_err(|_| refuse("something that is not base64")),
            None => hexadecimal()
                .or_else(|_| BASE64.decode(text).map_err(|_| refuse("something that is not base64"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    const BODY: &[u8] = br#"{"type":"ContactUpdate"}"#;

    fn check(verifier: &Verifier, header: &str, value: &str) -> Result<(), Error> {
        verifier.check(|name| (name == header).then_some(value.as_bytes()), BODY)
    }

    fn ed25519() -> (Verifier, Ed25519KeyPair) {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let key = BASE64.encode(pair.public_key().as_ref());
        let signature = |header: &str, algorithm, key: &str| Signature {
            header: header.into(),
            algorithm,
            key: key.into(),
            legacy: false,
        };
        let rsa = include_str!("../../../tests/keys/rsa-public.pem");
        let verifier = Verifier::signatures(&[
            signature("X-Sig", SignatureAlgorithm::Ed25519, &key),
            signature("x-old-sig", SignatureAlgorithm::RsaSha256, rsa),
        ]);
        (verifier.unwrap(), pair)
    }

    #[test]
    fn takes_either_signature_and_nothing_else() {
        let (verifier, pair) = ed25519();
        let good = BASE64.encode(pair.sign(BODY).as_ref());
        check(&verifier, "X-Sig", &good).unwrap();
        check(&verifier, "X-Sig", &format!(" {good} ")).unwrap();
        let other = BASE64.encode(pair.sign(b"{}").as_ref());
        assert_eq!(check(&verifier, "X-Sig", &other), Err(Error::Wrong { header: "X-Sig".into() }));
        let old = include_str!("../../../tests/keys/rsa-signature.txt");
        check(&verifier, "x-old-sig", old).unwrap();
        assert!(check(&verifier, "x-old-sig", &good).is_err());
        assert!(matches!(check(&verifier, "other", &good), Err(Error::NoSignature { .. })));
        check(&Verifier::none(), "other", "").unwrap();
    }

    #[test]
    fn says_why_a_value_is_no_signature() {
        let (verifier, _) = ed25519();
        for (value, words) in
            [("N/A", "the words N/A"), ("", "nothing"), ("!!", "not base64"), ("Zm9v", "does not fit")]
        {
            let error = check(&verifier, "X-Sig", value).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn keyed_hashes_in_every_spelling() {
        let secret = Secret::new("s3cr3t-s3cr3t");
        for (hash, algorithm) in [
            (Hash::Sha1, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            (Hash::Sha256, hmac::HMAC_SHA256),
            (Hash::Sha512, hmac::HMAC_SHA512),
        ] {
            let tag = hmac::sign(&hmac::Key::new(algorithm, b"s3cr3t-s3cr3t"), BODY);
            let hex = Verifier::hmac("X-Hub", &secret, hash, Encoding::Hex, "sha=");
            check(&hex, "X-Hub", &format!("sha={}", hex::encode_upper(tag.as_ref()))).unwrap();
            assert!(check(&hex, "X-Hub", &hex::encode(tag.as_ref())).is_err(), "without the prefix");
            let base64 = Verifier::hmac("X-Hub", &secret, hash, Encoding::Base64, "");
            check(&base64, "X-Hub", BASE64.encode(tag.as_ref()).trim_end_matches('=')).unwrap();
            let other = Verifier::hmac("X-Hub", &Secret::new("other"), hash, Encoding::Base64, "");
            assert!(check(&other, "X-Hub", &BASE64.encode(tag.as_ref())).is_err());
        }
    }

    #[test]
    fn a_header_with_an_agreed_value() {
        let verifier = Verifier::header("X-Token", &Secret::new("abc-123"));
        check(&verifier, "X-Token", "abc-123").unwrap();
        let error = check(&verifier, "X-Token", "abc-124").unwrap_err();
        assert!(!error.to_string().contains("abc"), "{error}");
    }
}
