//! Attackers against the real program: silent ones, endless ones, curious ones.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::server::{KEY, RunningServer, request};

/// Unsigned ones, and those with something as a signature.
const NEVER_ENDING: usize = 100;
const LARGE: usize = 5 << 20;
/// In MiB, in a debug build.
const MEMORY: u64 = 400;

fn assert_webhook_is_accepted(server: &RunningServer) {
    let body = br#"{"hello":"there"}"#;
    let (status, answer) = server.post("/webhooks/keyed", &format!("X-Key: {KEY}\r\n"), body);
    assert_eq!(status, 200, "{answer}");
}

/// Whether the other side has closed the connection.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 1024]) {
        Ok(0) => true,
        Ok(_) => is_closed(stream),
        Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
    }
}

#[test]
fn silent_connections_block_nobody() {
    // Many systems have a low soft limit.
    let server = RunningServer::with("  metrics: true\n", "127.0.0.1:0", &["ulimit -Sn 256;"]);
    rlimit::increase_nofile_limit(4096).unwrap();
    let mut half_a_head = server.connect();
    half_a_head.write_all(b"POST /webhooks/keyed HTTP/1.1\r\nHost: loc").unwrap();
    let mut half_a_body = server.connect();
    half_a_body.write_all(b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nContent-Length: 9\r\n\r\n{").unwrap();
    let silent: Vec<TcpStream> = (0..300).map(|_| server.connect()).collect();
    assert_webhook_is_accepted(&server);
    // Beyond the limit of connections, the oldest are closed.
    let more: Vec<TcpStream> = (0..1200).map(|_| server.connect()).collect();
    assert_webhook_is_accepted(&server);
    let mut silent = silent.into_iter();
    assert!(
        is_closed(&mut half_a_head) && is_closed(&mut half_a_body) && is_closed(&mut silent.next().unwrap())
    );
    drop(more);
    assert_webhook_is_accepted(&server);
    // Each connection has limited time.
    let mut late = server.connect();
    late.write_all(b"POST /webhooks/keyed HTTP/1.1\r\nHost: loc").unwrap();
    let mut idle = server.connect();
    let mut slow = server.connect();
    slow.write_all(b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nContent-Length: 9\r\n\r\n{").unwrap();
    assert!(is_closed(&mut late) && is_closed(&mut idle));
    let (status, answer) = crate::server::answer(&mut slow);
    assert_eq!(status, 408, "{answer}");
    assert_webhook_is_accepted(&server);
}

#[test]
fn endless_bodies_do_not_exhaust_memory() {
    let server = RunningServer::start();
    let body = vec![b'['; LARGE];
    // All of a body except its last byte.
    let never_ending = |path: &str, headers: &str| {
        let mut stream = server.connect();
        let bytes = request("POST", path, headers, &body);
        // It may be rejected before all is written.
        let _ = stream.write_all(&bytes[..bytes.len() - 1]);
        stream
    };
    let mut waiting = Vec::new();
    for _ in 0..NEVER_ENDING {
        waiting.push(never_ending("/webhooks/keyed", ""));
        waiting.push(never_ending("/webhooks/keyed", "X-Key: guessed\r\n"));
        waiting.push(never_ending("/webhooks/open", ""));
    }
    assert_webhook_is_accepted(&server);
    let body = std::fs::read("tests/webhooks/ContactUpdate.json").unwrap();
    let (status, answer) = server.post("/webhooks/highlevel", &server.signature(&body), &body);
    assert_eq!(status, 200, "{answer}");
    if let Some(memory) = server.most_memory() {
        assert!(memory < MEMORY, "{memory} MiB");
    }
    assert_eq!(server.stored(), 2);
}

#[test]
fn unverifiable_requests_are_rejected_before_their_body() {
    let server = RunningServer::start();
    for (path, status) in
        [("keyed", 401), ("hashed", 401), ("highlevel", 401), ("nobody", 404), ("fitr", 404)]
    {
        let mut stream = server.connect();
        let head = format!("POST /webhooks/{path} HTTP/1.1\r\nHost: l\r\nContent-Length: 5000000\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, format!("HTTP/1.1 {status}").as_bytes(), "{path}");
    }
    // A body that announces too large a size is not read.
    let mut stream = server.connect();
    stream.write_all(b"POST /webhooks/open HTTP/1.1\r\nHost: l\r\nContent-Length: 5242881\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(server.stored(), 0);
}

#[test]
fn metrics_are_served_where_hob_yaml_says() {
    let metrics = |server: &RunningServer, headers: &str| server.get("/metrics", headers).0;
    for (setting, listen, status) in [
        ("", "127.0.0.1:0", 404),
        ("", "0.0.0.0:0", 404),
        ("  metrics: true\n", "0.0.0.0:0", 200),
        ("  metrics: false\n", "127.0.0.1:0", 404),
        ("  metrics: 127.0.0.1:0\n", "127.0.0.1:0", 404),
    ] {
        let server = RunningServer::with(setting, listen, &[]);
        assert_eq!(metrics(&server, ""), status, "{setting} {listen}");
        let own = server.greeting.iter().find_map(|line| line.strip_prefix("metrics at http://"));
        assert_eq!(own.is_some(), setting.contains(':') && setting.contains("127"), "{:?}", server.greeting);
        if let Some(own) = own {
            let mut stream = TcpStream::connect(own.strip_suffix("/metrics").unwrap()).unwrap();
            stream.write_all(&request("GET", "/metrics", "", b"")).unwrap();
            assert!(crate::server::answer(&mut stream).1.contains("\nhob_events 0\n"));
            let mut stream = TcpStream::connect(own.strip_suffix("/metrics").unwrap()).unwrap();
            stream.write_all(&request("POST", "/webhooks/open", "", b"{}")).unwrap();
            assert_eq!(crate::server::answer(&mut stream).0, 404, "only metrics are there");
        }
    }
}

#[test]
fn the_reason_of_an_unready_store_is_local_only() {
    for (listen, told) in [("127.0.0.1:0", true), ("0.0.0.0:0", false)] {
        let server = RunningServer::with("  metrics: true\n", listen, &[]);
        assert_eq!(server.get("/readyz", "").0, 200);
        std::fs::rename(server.folder.path().join("state"), server.folder.path().join("gone")).unwrap();
        let (status, answer) = server.get("/readyz", "");
        assert_eq!((status, answer.contains("hob.db")), (503, told), "{answer}");
    }
}

#[test]
fn a_long_address_is_cut_in_the_log() {
    let server = RunningServer::start();
    let path = format!("/webhooks/{}\u{202e}", "%1b[31m".repeat(8_500));
    let (status, answer) = server.post(&path, "", b"{}");
    assert!(status == 404 && answer.len() < 2_000, "{answer}");
    assert_webhook_is_accepted(&server);
    let log = server.log();
    assert!(log.contains("refused") && log.len() < 5_000 && !log.contains('\u{1b}'), "{} {log}", log.len());
}
