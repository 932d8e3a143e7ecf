//! The real program as a webhook server in its own workspace, and raw requests to it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use tempfile::TempDir;

use crate::spawn::spawn;

/// Value of the header required by `/webhooks/keyed`.
pub const KEY: &str = "k3y-k3y-k3y";
/// Secret of the signatures required by `/webhooks/hashed`.
pub const HASH_KEY: &str = "h4sh-h4sh-h4sh";
/// Longest wait for anything.
const TIMEOUT: Duration = Duration::from_secs(60);

const RECIPES: [(&str, &str); 4] = [
    ("open", "webhook: /open\n  verify: none"),
    ("keyed", "webhook: /keyed\n  verify: { header: { name: X-Key, value: '{{ env.KEY }}' } }"),
    (
        "hashed",
        "webhook: /hashed\n  verify: { hmac: { header: X-Hash, secret: '{{ env.HASH_KEY }}', prefix: 'sha256=' } }",
    ),
    ("signed", "webhook: highlevel.ContactUpdate"),
];

/// A running hob that receives webhooks.
pub struct RunningServer {
    pub folder: TempDir,
    pub address: SocketAddr,
    /// Its standard error before it listens.
    pub greeting: Vec<String>,
    key: Ed25519KeyPair,
    child: Child,
}

impl RunningServer {
    /// With metrics, on a free local port.
    pub fn start() -> Self {
        Self::with("  metrics: true\n", "127.0.0.1:0", &[])
    }

    /// With additional `server:` settings in hob.yaml, and a shell command before it.
    pub fn with(server: &str, listen: &str, before: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let public = STANDARD.encode(key.public_key().as_ref());
        let workspace = format!(
            "connections:\n  studio:\n    connector: highlevel\n    location: hobLocation00000001\n    \
             base_url: http://127.0.0.1:1\n    auth: {{ token: ${{TOKEN}} }}\nenv: [KEY, HASH_KEY]\nserver:\n  \
             webhooks: {{ highlevel: {{ signatures: [{{ header: X-Ghl-Signature, algorithm: ed25519, key: \"{public}\" }}] }} }}\n\
             {server}"
        );
        fs::write(folder.path().join("hob.yaml"), workspace).unwrap();
        let secrets = format!("TOKEN=t0ken-t0ken\nKEY={KEY}\nHASH_KEY={HASH_KEY}\n");
        fs::write(folder.path().join(".env"), secrets).unwrap();
        fs::create_dir(folder.path().join("recipes")).unwrap();
        for (name, trigger) in RECIPES {
            let recipe = format!(
                "name: {name}\ntrigger:\n  {trigger}\nactions:\n  - do: log\n    with: {{ message: came }}\n"
            );
            fs::write(folder.path().join(format!("recipes/{name}.yaml")), recipe).unwrap();
        }
        Self::launch(folder, key, listen, before)
    }

    fn launch(folder: TempDir, key: Ed25519KeyPair, listen: &str, before: &[&str]) -> Self {
        let program = assert_cmd::cargo::cargo_bin!("hob").to_str().unwrap();
        let line = [before, &["exec", program, "run", "--listen", listen]].concat().join(" ");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &line]);
        let (child, mut lines) = spawn(command, folder.path());
        let mut greeting = Vec::new();
        let address = lines.by_ref().find_map(|line| {
            let address = line.strip_prefix("listening at http://").map(|address| address.parse().unwrap());
            greeting.push(line);
            address
        });
        let address = address.unwrap_or_else(|| panic!("it says where it listens: {greeting:?}"));
        let rest = folder.path().join("log");
        std::thread::spawn(move || {
            let mut log = fs::File::create(rest).unwrap();
            lines.for_each(|line| writeln!(log, "{line}").unwrap());
        });
        Self { folder, address, greeting, key, child }
    }

    pub fn connect(&self) -> TcpStream {
        let address = SocketAddr::new([127, 0, 0, 1].into(), self.address.port());
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        stream
    }

    /// Sends bytes; returns the status of the answer (0 if the connection was closed without one) and all that was
    /// received.
    pub fn send(&self, bytes: &[u8]) -> (u16, String) {
        let mut stream = self.connect();
        // An early rejection may close the connection before all is written.
        let _ = stream.write_all(bytes);
        answer(&mut stream)
    }

    pub fn post(&self, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
        self.send(&request("POST", path, headers, body))
    }

    pub fn get(&self, path: &str, headers: &str) -> (u16, String) {
        self.send(&request("GET", path, headers, b""))
    }

    /// The header with the app's signature of `body`.
    pub fn signature(&self, body: &[u8]) -> String {
        format!("X-Ghl-Signature: {}\r\n", STANDARD.encode(self.sign(body)))
    }

    /// The app's signature of `body`.
    pub fn sign(&self, body: &[u8]) -> Vec<u8> {
        self.key.sign(body).as_ref().to_vec()
    }

    /// Number of stored events.
    pub fn stored(&self) -> u64 {
        let (status, text) = self.get("/metrics", "");
        assert_eq!(status, 200, "{text}");
        let count = text.lines().find_map(|line| line.strip_prefix("hob_events "));
        count.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
    }

    /// Peak memory of the process in MiB, if known.
    pub fn most_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes / 1024)
    }

    /// Its log since it listens.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A request as bytes; `headers` each with its line end.
pub fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = if method == "GET" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}{length}\r\n");
    [head.as_bytes(), body].concat()
}

/// The status and text of the answer, up to the end or the first pause.
pub fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 << 10];
    let begun = Instant::now();
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        bytes.extend_from_slice(&piece[..read]);
        assert!(begun.elapsed() < TIMEOUT, "no end of the answer");
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    (status.unwrap_or(0), text)
}
