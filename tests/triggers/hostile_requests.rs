//! Requests of attackers and of legitimate senders, byte by byte: their answers, and whether events are stored.

use std::io::Write;
use std::net::Shutdown;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;

use crate::server::{HASH_KEY, RunningServer, answer};

/// A body.
enum Body {
    /// Literal, with `#` replaced by a unique number.
    Text(&'static str),
    /// Generated.
    Bytes(fn() -> Vec<u8>),
}

use Body::{Bytes, Text};

/// An event of the app for which there is a recipe.
const EVENT: Body = Text(
    r##"{"type":"ContactUpdate","locationId":"hobLocation00000001","id":"hobContact#","webhookId":"w-#"}"##,
);
const JSON: Body = Text(r##"{"n":"#"}"##);
const SIGNED: &str = "/webhooks/highlevel";
const KEYED: &str = "/webhooks/keyed";
const HASHED: &str = "/webhooks/hashed";
const OPEN: &str = "/webhooks/open";

/// Request (method, path, headers separated by `|`, body), expected status, and whether it is stored. In headers,
/// `$sig` is the app's signature of the body, `$other` that of another body, `$stranger` one with another key, `$hex`
/// the app's in hexadecimal, `$hash` the HMAC, `$HASH` the same in capitals, `$base64` in base64.
type Row = (&'static str, &'static str, &'static str, Body, u16, bool);

const SIGNATURES: &[Row] = &[
    ("the app itself", SIGNED, "X-Ghl-Signature: $sig", EVENT, 200, true),
    ("the app, header in capitals", SIGNED, "X-GHL-SIGNATURE: $sig", EVENT, 200, true),
    ("the app, in hexadecimal", SIGNED, "X-Ghl-Signature: $hex", EVENT, 200, true),
    ("the app, white space around", SIGNED, "X-Ghl-Signature: \t $sig \t", EVENT, 200, true),
    ("nothing", SIGNED, "", EVENT, 401, false),
    ("an empty signature", SIGNED, "X-Ghl-Signature: ", EVENT, 401, false),
    ("the words N/A", SIGNED, "X-Ghl-Signature: N/A", EVENT, 401, false),
    ("no base64", SIGNED, "X-Ghl-Signature: !!!!", EVENT, 401, false),
    (
        "a signature of zeros",
        SIGNED,
        "X-Ghl-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        EVENT,
        401,
        false,
    ),
    ("the signature of another body", SIGNED, "X-Ghl-Signature: $other", EVENT, 401, false),
    ("the signature of a stranger", SIGNED, "X-Ghl-Signature: $stranger", EVENT, 401, false),
    (
        "a wrong one before the right one",
        SIGNED,
        "X-Ghl-Signature: $other|X-Ghl-Signature: $sig",
        EVENT,
        401,
        false,
    ),
    ("two in one header", SIGNED, "X-Ghl-Signature: $sig, $sig", EVENT, 401, false),
    ("in the header of the old signature", SIGNED, "X-Wh-Signature: $sig", EVENT, 401, false),
    ("in a cookie", SIGNED, "Cookie: X-Ghl-Signature=$sig", EVENT, 401, false),
    ("in the query", "/webhooks/highlevel?X-Ghl-Signature=$sig", "", EVENT, 401, false),
    ("to override the method", SIGNED, "X-HTTP-Method-Override: GET", EVENT, 401, false),
    ("signed, no JSON", SIGNED, "X-Ghl-Signature: $sig", Text("{'#'"), 400, false),
    ("signed, a list", SIGNED, "X-Ghl-Signature: $sig", Text(r##"["#"]"##), 400, false),
    ("signed, of an unknown kind", SIGNED, "X-Ghl-Signature: $sig", Text(r##"{"type":"Evil#"}"##), 200, true),
    (
        "signed, of another account",
        SIGNED,
        "X-Ghl-Signature: $sig",
        Text(r##"{"type":"ContactUpdate","locationId":"elsewhere","id":"c#","webhookId":"v-#"}"##),
        200,
        true,
    ),
    (
        "signed as it was packed",
        SIGNED,
        "X-Ghl-Signature: $sig|Content-Encoding: gzip",
        Bytes(|| {
            gzip(br#"{"type":"ContactUpdate","locationId":"hobLocation00000001","id":"z","webhookId":"z"}"#)
        }),
        200,
        true,
    ),
    (
        "the same once more",
        SIGNED,
        "X-Ghl-Signature: $sig|Content-Encoding: gzip",
        Bytes(|| {
            gzip(br#"{"type":"ContactUpdate","locationId":"hobLocation00000001","id":"z","webhookId":"z"}"#)
        }),
        200,
        false,
    ),
    ("the right key", KEYED, "X-Key: k3y-k3y-k3y", JSON, 200, true),
    (
        "the right key and a wrong content type",
        KEYED,
        "X-Key: k3y-k3y-k3y|Content-Type: ;;;",
        JSON,
        200,
        true,
    ),
    ("no key", KEYED, "", JSON, 401, false),
    ("an empty key", KEYED, "X-Key: ", JSON, 401, false),
    ("the beginning of the key", KEYED, "X-Key: k3y-k3y", JSON, 401, false),
    ("more than the key", KEYED, "X-Key: k3y-k3y-k3yk3y", JSON, 401, false),
    ("the key in capitals", KEYED, "X-Key: K3Y-K3Y-K3Y", JSON, 401, false),
    ("the name of the variable", KEYED, "X-Key: {{ env.KEY }}", JSON, 401, false),
    ("a wrong key before the right one", KEYED, "X-Key: guess|X-Key: k3y-k3y-k3y", JSON, 401, false),
    ("two keys in one header", KEYED, "X-Key: guess, k3y-k3y-k3y", JSON, 401, false),
    ("the key with an underscore", KEYED, "X_Key: k3y-k3y-k3y", JSON, 401, false),
    ("the key in the query", "/webhooks/keyed?X-Key=k3y-k3y-k3y", "", JSON, 401, false),
    ("the key as a password", KEYED, "Authorization: Bearer k3y-k3y-k3y", JSON, 401, false),
    ("the key in the body", KEYED, "", Text(r##"{"X-Key":"k3y-k3y-k3y"}"##), 401, false),
    ("a key of other letters", KEYED, "X-Key: k3y\u{ff0d}k3y\u{ff0d}k3y", JSON, 401, false),
    ("the right hash", HASHED, "X-Hash: sha256=$hash", JSON, 200, true),
    ("the right hash in capitals", HASHED, "X-Hash: sha256=$HASH", JSON, 200, true),
    ("the hash of nothing for nothing", HASHED, "X-Hash: sha256=$hash", Text(""), 200, true),
    ("a hash without its prefix", HASHED, "X-Hash: $hash", JSON, 401, false),
    ("a hash with another prefix", HASHED, "X-Hash: sha1=$hash", JSON, 401, false),
    ("only the prefix", HASHED, "X-Hash: sha256=", JSON, 401, false),
    ("half a hash", HASHED, "X-Hash: sha256=00", JSON, 401, false),
    ("an odd number of digits", HASHED, "X-Hash: sha256=$hash0", JSON, 401, false),
    ("the hash in base64", HASHED, "X-Hash: sha256=$base64", JSON, 401, false),
    ("no hash", HASHED, "", JSON, 401, false),
];

const ADDRESSES: &[Row] = &[
    ("a slash at the end", "/webhooks/open/", "", JSON, 200, true),
    ("two slashes", "/webhooks//open", "", JSON, 200, true),
    ("escaped letters", "/webhooks/%6fpen", "", JSON, 200, true),
    ("a query", "/webhooks/open?a=b&c=../../x", "", JSON, 200, true),
    ("another case", "/webhooks/Open", "", JSON, 404, false),
    ("an app without recipes", "/webhooks/fitr", "", JSON, 404, false),
    ("no path", "/webhooks/", "", JSON, 404, false),
    ("not even a slash", "/webhooks", "", JSON, 404, false),
    ("the root, which is the dashboard", "/", "", JSON, 403, false),
    ("below a path", "/webhooks/open/more", "", JSON, 404, false),
    ("an escaped slash", "/webhooks/open%2Fmore", "", JSON, 404, false),
    ("a dot", "/webhooks/./open", "", JSON, 404, false),
    ("two dots", "/webhooks/keyed/../open", "", JSON, 404, false),
    ("escaped dots", "/webhooks/keyed/%2e%2e/open", "", JSON, 404, false),
    ("out of the folder", "/webhooks/../../../etc/passwd", "", JSON, 404, false),
    ("a NUL", "/webhooks/open%00", "", JSON, 404, false),
    ("a line end", "/webhooks/open%0d%0aX-Evil:1", "", JSON, 404, false),
    ("no UTF-8", "/webhooks/%ff%fe", "", JSON, 400, false),
    ("a broken escape", "/webhooks/open%zz", "", JSON, 404, false),
    ("a template", "/webhooks/{{env.KEY}}", "", JSON, 404, false),
    ("metrics cannot be posted", "/metrics", "", JSON, 405, false),
    ("nor health", "/healthz", "", JSON, 405, false),
];

const BODIES: &[Row] = &[
    ("JSON without a type", OPEN, "", JSON, 200, true),
    ("nothing", OPEN, "", Text(""), 200, true),
    ("null", OPEN, "", Text("null"), 200, true),
    ("two equal names", OPEN, "", Text(r##"{"a":1,"a":2,"n":"#"}"##), 200, true),
    ("the prototype", OPEN, "", Text(r##"{"__proto__":{"admin":true},"n":"#"}"##), 200, true),
    ("a template", OPEN, "", Text(r##"{"n":"{{ env.KEY }}#"}"##), 200, true),
    ("a number without end", OPEN, "", Text("1e999999999"), 200, true),
    ("half a surrogate pair", OPEN, "", Text(r##"{"n":"#\ud83d"}"##), 200, true),
    ("not a number", OPEN, "", Text(r#"{"n":NaN}"#), 400, false),
    ("half a JSON", OPEN, "", Text(r#"{"n":"#), 400, false),
    ("two JSONs", OPEN, "", Text("{}{}"), 400, false),
    (
        "XML with an entity",
        OPEN,
        "Content-Type: application/xml",
        Text("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"),
        415,
        false,
    ),
    ("a list in a list, 100,000 times", OPEN, "", Bytes(|| vec![b'['; 100_000]), 400, false),
    (
        "a million values",
        OPEN,
        "",
        Bytes(|| format!("[{}0]", "0,".repeat(1_000_000)).into_bytes()),
        400,
        false,
    ),
    ("a byte too many", OPEN, "", Bytes(|| vec![b' '; (5 << 20) + 1]), 413, false),
    ("a packed bomb", OPEN, "Content-Encoding: gzip", Bytes(|| gzip(&vec![b' '; 8 << 20])), 413, false),
    (
        "a bomb in a bomb",
        OPEN,
        "Content-Encoding: gzip, gzip",
        Bytes(|| gzip(&gzip(&vec![b' '; 8 << 20]))),
        413,
        false,
    ),
    ("packed and damaged", OPEN, "Content-Encoding: gzip", Bytes(|| gzip(b"{}")[..12].to_vec()), 400, false),
    ("packed well", OPEN, "Content-Encoding: deflate", Bytes(|| deflate(br#"{"packed":true}"#)), 200, true),
    ("not packed as it says", OPEN, "Content-Encoding: gzip", JSON, 400, false),
    ("packed in another way", OPEN, "Content-Encoding: br", JSON, 415, false),
    ("a form", OPEN, "Content-Type: application/x-www-form-urlencoded", Text("a[b][c]=1&a[]=#"), 200, true),
    (
        "a deep form, which stays flat",
        OPEN,
        "Content-Type: application/x-www-form-urlencoded",
        Bytes(|| format!("a{}=1", "[b]".repeat(50_000)).into_bytes()),
        200,
        true,
    ),
    ("parts without a boundary", OPEN, "Content-Type: multipart/form-data", Text("--x"), 400, false),
    (
        "parts without an end",
        OPEN,
        "Content-Type: multipart/form-data; boundary=x",
        Text("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1"),
        400,
        false,
    ),
    (
        "a file out of its folder",
        OPEN,
        "Content-Type: multipart/form-data; boundary=x",
        Text(
            "--x\r\nContent-Disposition: form-data; name=f; filename=\"../../../etc/cron.d/x\"\r\n\r\n#\r\n--x--\r\n",
        ),
        200,
        true,
    ),
    ("orders to a terminal", OPEN, "User-Agent: \u{9b}2J", Text(r##"{"n":"\u001b[2J\u202e#"}"##), 200, true),
];

/// The sender closes its side at the end.
const LESS: &str = "less than it says";

/// Whole requests. Status 0: the connection is closed without an answer.
const FRAMES: &[(&str, &[u8], u16, bool)] = &[
    ("read with GET", b"GET /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n", 405, false),
    ("HEAD", b"HEAD /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n", 405, false),
    ("DELETE", b"DELETE /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n", 405, false),
    ("TRACE", b"TRACE /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n", 405, false),
    ("a method of one's own", b"BREW /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n", 405, false),
    ("asked whether one may", b"OPTIONS /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n", 204, false),
    ("to be a proxy", b"CONNECT example.com:443 HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n", 404, false),
    ("in pieces", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200, true),
    ("a piece of no size", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400, false),
    ("a piece of a huge size", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n", 400, false),
    ("two codings of transfer", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nTransfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400, false),
    ("a length and pieces", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200, true),
    ("two lengths", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}", 400, false),
    ("a negative length", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nContent-Length: -2\r\n\r\n{}", 400, false),
    ("a length with a sign", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nContent-Length: +2\r\n\r\n{}", 400, false),
    ("a length beyond all", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nContent-Length: 99999999999999999999\r\n\r\n{}", 400, false),
    ("a length beyond the limit", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nContent-Length: 4294967296\r\n\r\n{}", 413, false),
    (LESS, b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nContent-Length: 200\r\n\r\n{}", 400, false),
    ("more than it says", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}POST /webhooks/open HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 200, true),
    ("waits to be asked", b"POST /webhooks/keyed HTTP/1.1\r\nHost: l\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", 401, false),
    ("a header on two lines", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 400, false),
    ("a header without a colon", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nX-A\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 400, false),
    ("a space before the colon", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nContent-Length : 2\r\nConnection: close\r\n\r\n{}", 400, false),
    ("a NUL in a header", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nX-A: a\0b\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 400, false),
    ("a NUL in the path", b"POST /webhooks/op\0en HTTP/1.1\r\nHost: l\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 400, false),
    ("a space in the path", b"POST /webhooks/op en HTTP/1.1\r\nHost: l\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 400, false),
    ("an unknown version", b"POST /webhooks/open HTTP/9.9\r\nHost: l\r\nContent-Length: 2\r\n\r\n{}", 400, false),
    ("the second version", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, false),
    ("the version before versions", b"GET /webhooks/open\r\n\r\n", 400, false),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, false),
    ("another protocol", b"SSH-2.0-OpenSSH_9.9\r\n\r\n", 400, false),
    ("to a web socket", b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\n{}", 200, true),
    ("for somewhere else", b"POST http://example.com/webhooks/open HTTP/1.1\r\nHost: example.com\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 200, true),
];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The request of a row.
fn request(server: &RunningServer, stranger: &Ed25519KeyPair, number: usize, row: &Row) -> Vec<u8> {
    let (_, path, headers, body, ..) = row;
    let body = match body {
        Text(text) => text.replace('#', &number.to_string()).into_bytes(),
        Bytes(build) => build(),
    };
    let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, HASH_KEY.as_bytes()), &body);
    let hex = hex::encode(hash.as_ref());
    let signature = server.sign(&body);
    let fill = |text: &str| {
        text.replace("$sig", &STANDARD.encode(&signature))
            .replace("$hex", &hex::encode(&signature))
            .replace("$other", &STANDARD.encode(server.sign(b"{}")))
            .replace("$stranger", &STANDARD.encode(stranger.sign(&body).as_ref()))
            .replace("$hash", &hex)
            .replace("$HASH", &hex.to_uppercase())
            .replace("$base64", &STANDARD.encode(hash.as_ref()))
    };
    let headers: String = headers
        .split('|')
        .filter(|header| !header.is_empty())
        .map(|header| format!("{}\r\n", fill(header)))
        .collect();
    crate::server::request("POST", &fill(path).replace(['+', ' '], "%2B"), &headers, &body)
}

#[test]
fn each_request_gets_the_right_answer_and_stores_nothing_more() {
    let server = RunningServer::start();
    let stranger = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let stranger = Ed25519KeyPair::from_pkcs8(stranger.as_ref()).unwrap();
    let rows = SIGNATURES.iter().chain(ADDRESSES).chain(BODIES).enumerate();
    let built = rows.map(|(number, row)| (row.0, request(&server, &stranger, number, row), row.4, row.5));
    let framed = FRAMES.iter().map(|(what, bytes, status, stored)| (*what, bytes.to_vec(), *status, *stored));
    let all: Vec<_> = built.chain(framed).collect();
    assert!(all.len() >= 120, "{}", all.len());
    let mut wrong = Vec::new();
    let mut before = server.stored();
    for (what, bytes, status, stored) in all {
        let mut stream = server.connect();
        // An early rejection may close the connection before all is written.
        let _ = stream.write_all(&bytes);
        if what == LESS {
            stream.shutdown(Shutdown::Write).unwrap();
        }
        let (answered, text) = answer(&mut stream);
        let after = server.stored();
        if (answered, after - before) != (status, u64::from(stored)) {
            let is = if after > before { "stored" } else { "not stored" };
            wrong.push(format!("{what}: {answered}, {is}, instead of {status}, {stored}: {text}"));
        }
        before = after;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // After all that, legitimate senders are served.
    assert_eq!(server.get("/healthz", "").0, 200);
    let log = server.log();
    let odd = log.chars().find(|letter| letter.is_control() && *letter != '\n' || *letter == '\u{202e}');
    assert_eq!(odd, None, "{log}");
    assert!(!log.contains("k3y-k3y") && !log.contains("panicked"), "{log}");
}
