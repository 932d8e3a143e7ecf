//! Where alerts go to in tests: a web server and a mail server that keep what they get.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything may take.
pub const LONG: Duration = Duration::from_secs(120);

/// A request that the web server got.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    /// In lower case.
    pub head: String,
    pub body: Value,
}

/// A web server.
pub struct HttpSink {
    pub address: SocketAddr,
    answer: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl HttpSink {
    /// One that answers with this status.
    pub fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Self {
            address: listener.local_addr().unwrap(),
            answer: Arc::new(AtomicU16::new(status)),
            received: Arc::default(),
        };
        let (answer, received) = (Arc::clone(&sink.answer), Arc::clone(&sink.received));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, received) = (Arc::clone(&answer), Arc::clone(&received));
                std::thread::spawn(move || take(stream, &answer, &received));
            }
        });
        sink
    }

    /// Answers with this status from now on.
    pub fn answer(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }

    /// All that it has accepted.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until it has accepted so many.
    #[track_caller]
    pub fn until(&self, count: usize) -> Vec<Received> {
        until("a message", || Some(self.received()).filter(|received| received.len() >= count))
    }
}

fn take(stream: TcpStream, answer: &AtomicU16, received: &Mutex<Vec<Received>>) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line);
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        let status = answer.load(Ordering::SeqCst);
        if status < 300 {
            let body = serde_json::from_slice(&body).unwrap();
            received.lock().unwrap().push(Received { path, head, body });
        }
        if write!(writer, "HTTP/1.1 {status} Whatever\r\ncontent-length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// An e-mail that the mail server got.
#[derive(Debug, Clone, Default)]
pub struct ReceivedMail {
    pub login: String,
    pub from: String,
    pub to: Vec<String>,
    /// Head and body.
    pub text: String,
}

/// A certificate of an authority of its own, with the file to trust that.
pub struct TlsIdentity {
    config: Arc<rustls::ServerConfig>,
    root: PathBuf,
    _folder: TempDir,
}

impl TlsIdentity {
    /// One for `host`.
    pub fn new(host: &str) -> Self {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "the tests' own");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority_key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&authority_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root.crt");
        std::fs::write(&file, root.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Self { config: Arc::new(config), root: file, _folder: folder }
    }

    /// The file that makes it trusted.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// How a mail server encrypts.
#[derive(Clone)]
enum Encryption {
    Never,
    Starttls(Arc<rustls::ServerConfig>),
    Always(Arc<rustls::ServerConfig>),
}

/// A mail server.
pub struct MailSink {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<ReceivedMail>>>,
    plain: Arc<Mutex<String>>,
}

impl MailSink {
    /// One without encryption.
    pub fn start() -> Self {
        Self::with(Encryption::Never)
    }

    /// One that encrypts when it is asked to.
    pub fn with_starttls(identity: &TlsIdentity) -> Self {
        Self::with(Encryption::Starttls(Arc::clone(&identity.config)))
    }

    /// One that encrypts from the beginning.
    pub fn with_tls(identity: &TlsIdentity) -> Self {
        Self::with(Encryption::Always(Arc::clone(&identity.config)))
    }

    fn with(encryption: Encryption) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sink = Self { address, received: Arc::default(), plain: Arc::default() };
        let (received, plain) = (Arc::clone(&sink.received), Arc::clone(&sink.plain));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (received, plain) = (Arc::clone(&received), Arc::clone(&plain));
                let encryption = encryption.clone();
                std::thread::spawn(move || match encryption {
                    Encryption::Never => drop(talk(stream, &Talk::plain(false, &received, &plain))),
                    Encryption::Starttls(config) => {
                        if let Some(stream) = talk(stream, &Talk::plain(true, &received, &plain)) {
                            encrypted(stream, config, false, &received);
                        }
                    }
                    Encryption::Always(config) => encrypted(stream, config, true, &received),
                });
            }
        });
        sink
    }

    /// Waits until it has accepted so many.
    #[track_caller]
    pub fn until(&self, count: usize) -> Vec<ReceivedMail> {
        until("an e-mail", || {
            Some(self.received.lock().unwrap().clone()).filter(|mails| mails.len() >= count)
        })
    }

    /// What was told to it without encryption.
    pub fn plain(&self) -> String {
        self.plain.lock().unwrap().clone()
    }
}

/// How a server talks.
struct Talk<'a> {
    greets: bool,
    offers_encryption: bool,
    received: &'a Mutex<Vec<ReceivedMail>>,
    plain: Option<&'a Mutex<String>>,
}

impl<'a> Talk<'a> {
    fn plain(
        offers_encryption: bool,
        received: &'a Mutex<Vec<ReceivedMail>>,
        plain: &'a Mutex<String>,
    ) -> Self {
        Self { greets: true, offers_encryption, received, plain: Some(plain) }
    }
}

fn encrypted(
    stream: TcpStream,
    config: Arc<rustls::ServerConfig>,
    greets: bool,
    received: &Mutex<Vec<ReceivedMail>>,
) {
    let connection = rustls::ServerConnection::new(config).unwrap();
    let stream = rustls::StreamOwned::new(connection, stream);
    talk(stream, &Talk { greets, offers_encryption: false, received, plain: None });
}

/// Talks to a client; returns the stream when it is to be encrypted.
fn talk<S: Read + Write>(stream: S, how: &Talk<'_>) -> Option<S> {
    let mut stream = BufReader::new(stream);
    let mut mail = ReceivedMail::default();
    if how.greets {
        say(&mut stream, "220 sink ready")?;
    }
    loop {
        let line = read_line(&mut stream)?;
        if let Some(plain) = how.plain {
            plain.lock().unwrap().push_str(&format!("{line}\n"));
        }
        let command = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        match command.as_str() {
            "EHLO" if how.offers_encryption => say(&mut stream, "250-sink\r\n250 STARTTLS")?,
            "EHLO" => say(&mut stream, "250-sink\r\n250 AUTH PLAIN")?,
            "STARTTLS" if how.offers_encryption => {
                say(&mut stream, "220 go on")?;
                return Some(stream.into_inner());
            }
            "AUTH" => {
                let secret = line.rsplit(' ').next().unwrap_or_default();
                mail.login = String::from_utf8(STANDARD.decode(secret).unwrap()).unwrap();
                say(&mut stream, "235 come in")?;
            }
            "MAIL" => {
                mail.from = line;
                say(&mut stream, "250 fine")?;
            }
            "RCPT" => {
                mail.to.push(line);
                say(&mut stream, "250 fine")?;
            }
            "DATA" => {
                say(&mut stream, "354 go on")?;
                loop {
                    let line = read_line(&mut stream)?;
                    if line == "." {
                        break;
                    }
                    mail.text.push_str(&line);
                    mail.text.push('\n');
                }
                how.received.lock().unwrap().push(std::mem::take(&mut mail));
                say(&mut stream, "250 kept")?;
            }
            "QUIT" => {
                say(&mut stream, "221 bye")?;
                return None;
            }
            _ => say(&mut stream, "250 fine")?,
        }
    }
}

fn say<S: Read + Write>(stream: &mut BufReader<S>, text: &str) -> Option<()> {
    stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).ok()?;
    stream.get_mut().flush().ok()
}

/// The next line, without its end.
fn read_line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Waits until there is something.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < LONG, "{what} never comes");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}
