//! Where alerts go to in tests: a web server and a mail server that keep what they get.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

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

/// A mail server without encryption.
pub struct MailSink {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<ReceivedMail>>>,
}

impl MailSink {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Self { address: listener.local_addr().unwrap(), received: Arc::default() };
        let received = Arc::clone(&sink.received);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let received = Arc::clone(&received);
                std::thread::spawn(move || talk(stream, &received));
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
}

fn talk(stream: TcpStream, received: &Mutex<Vec<ReceivedMail>>) {
    let mut writer = stream.try_clone().unwrap();
    let mut say = move |text: &str| writer.write_all(format!("{text}\r\n").as_bytes()).ok();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut mail = ReceivedMail::default();
    say("220 sink ready");
    while let Some(line) = lines.next() {
        let command = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        match command.as_str() {
            "EHLO" => say("250-sink\r\n250 AUTH PLAIN"),
            "AUTH" => {
                let secret = line.rsplit(' ').next().unwrap_or_default();
                mail.login = String::from_utf8(STANDARD.decode(secret).unwrap()).unwrap();
                say("235 come in")
            }
            "MAIL" => {
                mail.from = line;
                say("250 fine")
            }
            "RCPT" => {
                mail.to.push(line);
                say("250 fine")
            }
            "DATA" => {
                say("354 go on");
                for line in lines.by_ref().take_while(|line| line != ".") {
                    mail.text.push_str(&line);
                    mail.text.push('\n');
                }
                received.lock().unwrap().push(std::mem::take(&mut mail));
                say("250 kept")
            }
            "QUIT" => {
                say("221 bye");
                return;
            }
            _ => say("250 fine"),
        };
    }
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
