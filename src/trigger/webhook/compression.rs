//! Decompresses bodies (RFC 9110, 8.4) up to a size limit.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::unreadable::Unreadable;

/// Maximum number of codings; no real sender uses more.
const MAX_CODINGS: usize = 2;

/// `body` decoded from the codings in the header `encoding`, at most `largest` bytes.
pub(super) fn unpack<'a>(
    body: &'a [u8],
    encoding: &str,
    largest: usize,
) -> Result<Cow<'a, [u8]>, Unreadable> {
    let codings = encoding.split(',').map(|coding| coding.trim().to_ascii_lowercase());
    let codings: Vec<String> = codings.filter(|coding| !coding.is_empty() && coding != "identity").collect();
    if codings.len() > MAX_CODINGS {
        return Err(Unreadable::UnknownEncoding(codings.join(", ").chars().take(100).collect()));
    }
    let mut unpacked = Cow::Borrowed(body);
    for coding in codings.iter().rev() {
        if !unpacked.is_empty() {
            unpacked = Cow::Owned(undo(&unpacked, coding, largest)?);
        }
    }
    Ok(unpacked)
}

fn undo(body: &[u8], coding: &str, largest: usize) -> Result<Vec<u8>, Unreadable> {
    let mut unpacked = Vec::new();
    let limit = largest as u64 + 1;
    let read = match coding {
        "gzip" | "x-gzip" => MultiGzDecoder::new(body).take(limit).read_to_end(&mut unpacked),
        "deflate" if is_zlib(body) => ZlibDecoder::new(body).take(limit).read_to_end(&mut unpacked),
        "deflate" => DeflateDecoder::new(body).take(limit).read_to_end(&mut unpacked),
        other => return Err(Unreadable::UnknownEncoding(other.chars().take(100).collect())),
    };
    read.map_err(|error| Unreadable::Damaged(error.to_string()))?;
    if unpacked.len() > largest {
        return Err(Unreadable::TooLarge { limit: largest });
    }
    Ok(unpacked)
}

/// Whether it has the `deflate` header (RFC 1950, 2.2), which some senders leave out.
fn is_zlib(body: &[u8]) -> bool {
    let [first, second, ..] = body else { return false };
    first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(body).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn every_coding_is_undone() {
        let body = br#"{"email":"ada@example.com"}"#;
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(body).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::fast());
        bare.write_all(body).unwrap();
        for (encoding, packed) in [
            ("", body.to_vec()),
            ("identity", body.to_vec()),
            ("gzip", gzip(body)),
            ("X-GZIP", gzip(body)),
            ("gzip, gzip", gzip(&gzip(body))),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", bare.finish().unwrap()),
        ] {
            assert_eq!(unpack(&packed, encoding, 1000).unwrap(), &body[..], "{encoding}");
        }
        assert_eq!(unpack(b"", "gzip", 10).unwrap(), &b""[..]);
    }

    #[test]
    fn bombs_other_codings_and_damage_are_refused() {
        let bomb = gzip(&vec![b' '; 10 << 20]);
        assert_eq!(unpack(&bomb, "gzip", 1 << 20), Err(Unreadable::TooLarge { limit: 1 << 20 }));
        assert_eq!(unpack(&gzip(&bomb), "gzip, gzip", 1 << 20), Err(Unreadable::TooLarge { limit: 1 << 20 }));
        for encoding in ["br", "zstd", "gzip, gzip, gzip"] {
            assert!(matches!(unpack(b"x", encoding, 10), Err(Unreadable::UnknownEncoding(_))), "{encoding}");
        }
        let cut = &gzip(b"whole")[..12];
        assert!(matches!(unpack(cut, "gzip", 100), Err(Unreadable::Damaged(_))));
        assert!(matches!(unpack(b"{}", "gzip", 100), Err(Unreadable::Damaged(_))));
    }
}
