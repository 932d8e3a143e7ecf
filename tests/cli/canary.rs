//! Secrets are planted everywhere they can come from, and all output of hob is searched for them in every encoding. A
//! control text that is not secret takes the same ways and must be found, so that the search can fail.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

/// Origins of secrets.
const PLANTED: [&str; 19] = [
    "bearer",
    "header",
    "basicuser",
    "basicpass",
    "clientid",
    "clientsecret",
    "oauthtoken",
    "loginuser",
    "loginpass",
    "logintoken",
    "urluser",
    "urlpass",
    "cookie",
    "session",
    "marked",
    "hook",
    "writtenkey",
    "storeuser",
    "storepass",
];
/// A numeric secret.
const DIGITS: &str = "770077007701";
/// The control text.
const CONTROL: &str = "CONTROL\"&/+\\%controlEND9";

/// With characters that encodings represent differently.
fn canary(kind: &str) -> String {
    format!("CANARY{kind}\"&/+\\%{kind}TAIL9")
}

/// Parts of the secret that no encoding of text changes.
fn marks(kind: &str) -> [String; 2] {
    [format!("canary{kind}"), format!("{kind}tail9")]
}

fn in_base64(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    let mut all = String::new();
    for run in text.split(|c| !part(c)).filter(|run| run.len() >= 8) {
        for start in 0..4 {
            let run = &run[start..];
            let run = &run[..run.len() - run.len() % 4];
            for decoded in [STANDARD_NO_PAD.decode(run), URL_SAFE_NO_PAD.decode(run)].into_iter().flatten() {
                all.push_str(&String::from_utf8_lossy(&decoded));
                all.push('\n');
            }
        }
    }
    all
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code =
            part.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        all.push(code.unwrap_or('?'));
        all.push_str(part.get(4..).unwrap_or_default());
    }
    all
}

/// `text` with all its decodings.
fn readings(text: &str) -> Vec<(&'static str, String)> {
    let address = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    [
        ("as it is", text.to_owned()),
        ("in an address", address(text)),
        ("in an address twice", address(&address(text))),
        ("by number", unescaped(text)),
        ("in base64", in_base64(text)),
    ]
    .into_iter()
    .map(|(name, text)| (name, text.to_lowercase()))
    .collect()
}

/// Those of `kinds` that can be found in `text`.
fn found(text: &str, kinds: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (reading, text) in readings(text) {
        for kind in kinds {
            if marks(kind).iter().any(|mark| text.contains(mark)) {
                found.push(format!("{kind} {reading}"));
            }
        }
        if text.contains(DIGITS) {
            found.push(format!("digits {reading}"));
        }
    }
    found
}

#[track_caller]
fn discreet(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let found = found(&text, &PLANTED);
    assert!(found.is_empty(), "{what} shows {found:?}:\n{text}");
}

/// Every encoding of `text` that the search can decode.
fn writings(text: &str) -> Vec<String> {
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let number = |c: char| format!("\\u{:04x}", u32::from(c));
    vec![
        text.to_owned(),
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        text.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        json(text),
        json(&json(text)),
        text.chars().map(number).collect(),
        STANDARD.encode(text),
        STANDARD.encode(format!("someone:{text}")),
        URL_SAFE_NO_PAD.encode(format!("a{text}b")),
        text.replace('&', "&amp;").replace('"', "&quot;"),
    ]
}

/// An API that echoes requests, and the tokens that it issued.
fn mirror() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || reflect(stream));
        }
    });
    address
}

fn reflect(mut stream: TcpStream) {
    let mut asked = Vec::new();
    let mut part = [0; 4096];
    let head = loop {
        let read = stream.read(&mut part).unwrap_or(0);
        asked.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&asked).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            if body.len() >= length || read == 0 {
                break head.to_owned();
            }
        }
        if read == 0 {
            return;
        }
    };
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match path {
        "/token" => (200, json!({ "access_token": canary("oauthtoken"), "expires_in": 3600 })),
        "/login" => (200, json!({ "token": canary("logintoken") })),
        _ if path.starts_with("/good/") => (200, json!({ "key": said(&head), "number": 770077007701_u64 })),
        _ => (400, json!({ "message": said(&head) })),
    };
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\
         Set-Cookie: sid={cookie}; HttpOnly\r\nX-Session-Token: {session}\r\nX-Seen: {seen}\r\n\r\n{body}",
        body.len(),
        cookie = canary("cookie"),
        session = canary("session"),
        seen = header(&head, "authorization").unwrap_or_default(),
    );
    stream.write_all(answer.as_bytes()).ok();
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines()
        .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)))
        .map(|(_, v)| v)
}

/// Credentials and path of a request, in every encoding.
fn said(head: &str) -> String {
    let path =
        percent_decode_str(head.split(' ').nth(1).unwrap_or_default()).decode_utf8_lossy().into_owned();
    let mut texts = vec![path];
    for name in ["authorization", "x-api-key", "x-marked"] {
        let Some(value) = header(head, name) else { continue };
        texts.push(value.to_owned());
        if let Some(pair) = value.strip_prefix("Basic ") {
            texts.push(String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap());
        }
    }
    texts.iter().flat_map(|text| writings(text)).collect::<Vec<_>>().join(" | ")
}

const CONNECTOR: &str = "connector: club
title: Club
about: A club.
auth:
  - kind: bearer
  - kind: header
  - kind: basic
  - { kind: oauth, token_url: /token }
  - { kind: login, url: /login, body: { u: '{{ username }}', p: '{{ password }}' }, token: $.token }
errors: { message: [$.message] }
";
const OPERATIONS: &str = "operations:
  club.bad: { title: Bad, summary: S., kinds: [action], method: GET, path: '/bad/{id}', parameters: { id: { in: path, shape: { type: string, required: true } } }, effect: read }
  club.good: { title: Good, summary: S., kinds: [action], method: GET, path: '/good/{id}', parameters: { id: { in: path, shape: { type: string, required: true } } }, effect: read }
";
const CONNECTIONS: [&str; 6] = ["token", "header", "basic", "oauth", "login", "user"];

fn hob_yaml(mirror: SocketAddr) -> String {
    let quoted = |kind: &str| canary(kind).replace('\'', "''");
    let in_address = |kind: &str| utf8_percent_encode(&canary(kind), NON_ALPHANUMERIC).to_string();
    format!(
        "connections:
  token:
    connector: club
    base_url: http://{mirror}
    auth: {{ token: '${{CLUB_TOKEN}}' }}
  header:
    connector: club
    base_url: http://{mirror}
    auth: {{ header: {{ name: X-API-Key, value: '{header}' }} }}
  basic:
    connector: club
    base_url: http://{mirror}
    auth:
      basic:
        username: ${{BASIC_USER}}
        password: '${{BASIC_PASS}}'
  oauth:
    connector: club
    base_url: http://{mirror}
    auth:
      oauth: {{ client_id: '{id}', client_secret: \"${{CLIENT_SECRET}}\" }}
  login:
    connector: club
    base_url: http://{mirror}
    auth: {{ login: {{ username: '{login}', password: '{password}' }} }}
  user:
    connector: club
    base_url: http://{user}:{pass}@{mirror}
    auth: {{ header: {{ name: X-API-Key, value: '{DIGITS}' }} }}
env: [HOOK, ADDRESS, {{ name: MARKED, secret: true }}]
server: {{ metrics: true }}
",
        header = quoted("header"),
        id = quoted("clientid"),
        login = quoted("loginuser"),
        password = quoted("loginpass"),
        user = in_address("urluser"),
        pass = in_address("urlpass"),
    )
}

struct Club {
    folder: tempfile::TempDir,
    mirror: SocketAddr,
}

impl Club {
    fn new() -> Self {
        let (folder, mirror) = (tempfile::tempdir().unwrap(), mirror());
        let path = folder.path();
        fs::create_dir_all(path.join("connectors/club")).unwrap();
        fs::create_dir(path.join("recipes")).unwrap();
        fs::write(path.join("connectors/club/connector.yaml"), CONNECTOR).unwrap();
        fs::write(path.join("connectors/club/operations.yaml"), OPERATIONS).unwrap();
        fs::write(path.join("hob.yaml"), hob_yaml(mirror)).unwrap();
        let dotenv = [
            "BASIC_USER basicuser",
            "BASIC_PASS basicpass",
            "CLIENT_SECRET clientsecret",
            "MARKED marked",
            "HOOK hook",
        ]
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, kind)| format!("{name}='{}'\n", canary(kind)));
        fs::write(path.join(".env"), dotenv.concat() + &format!("ADDRESS=http://{mirror}/bad/x\n")).unwrap();
        for name in CONNECTIONS {
            let recipe = format!(
                "name: {name}-recipe\nconnections: {{ club: {name} }}\ntrigger: {{ manual: {{}} }}\nactions:\n  \
                 - {{ id: good, do: club.good, with: {{ id: \"{{{{ event.id }}}}\" }} }}\n  \
                 - {{ do: log, with: {{ message: \"{{{{ steps.good.key }}}}\" }} }}\n  \
                 - {{ do: club.bad, with: {{ id: \"{{{{ event.id }}}}\" }} }}\n"
            );
            fs::write(path.join(format!("recipes/{name}.yaml")), recipe).unwrap();
        }
        let marked = "name: marked-recipe\ntrigger: { manual: {} }\nactions:\n  - do: http.request\n    with: { method: GET, url: '{{ env.ADDRESS }}', headers: { X-Marked: '{{ env.MARKED }}' } }\n";
        fs::write(path.join("recipes/marked.yaml"), marked).unwrap();
        let hook = "name: hook\ntrigger:\n  webhook: /hook\n  verify: { header: { name: X-Hook, value: '{{ env.HOOK }}' } }\nactions: [{ do: log, with: { message: 'got {{ event.text }}' } }]\n";
        fs::write(path.join("recipes/hook.yaml"), hook).unwrap();
        let literal = format!(
            "name: literal\ntrigger:\n  webhook: /literal\n  verify: {{ hmac: {{ header: X-Sig, secret: '{}' }} }}\nactions: [{{ do: log, with: {{ message: m }} }}]\n",
            canary("writtenkey")
        );
        fs::write(path.join("recipes/literal.yaml"), literal).unwrap();
        Self { folder, mirror }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("hob"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("CLUB_TOKEN", canary("bearer")).env("HOB_LOG", "trace").stdin(Stdio::null());
        command
    }

    /// The output of a command, after searching it.
    #[track_caller]
    fn hob(&self, arguments: &[&str]) -> String {
        let ended = self.command(arguments).output().unwrap();
        let all = String::from_utf8([ended.stdout, b"\n".to_vec(), ended.stderr].concat()).unwrap();
        let found = found(&all, &PLANTED);
        assert!(found.is_empty(), "hob {} shows {found:?}:\n{all}", arguments.join(" "));
        all
    }
}

/// The decodings in which the control is found.
fn control(text: &str) -> Vec<&'static str> {
    let is_there = |(name, text): (&'static str, String)| {
        (text.contains("control\"") || text.contains("controlend9")).then_some(name)
    };
    readings(text).into_iter().filter_map(is_there).collect()
}

#[test]
fn no_secret_is_shown_in_any_encoding() {
    let club = Club::new();
    let all = ["as it is", "in an address", "in an address twice", "by number", "in base64"];
    for name in CONNECTIONS {
        for (operation, raw) in [("club.bad", false), ("club.good", false), ("club.good", true)] {
            let id = format!("id={CONTROL}");
            let mut arguments = vec!["call", operation, "--connection", name, id.as_str()];
            arguments.extend(raw.then_some("--raw"));
            let told = club.hob(&arguments);
            assert_eq!(control(&told), all, "{name} {operation}: {told}");
        }
    }
    for format in ["text", "json"] {
        assert!(club.hob(&["connections", "--format", format]).contains("***@127.0.0.1"));
        club.hob(&["status", "--format", format]);
    }
    let names = CONNECTIONS.iter().map(|name| format!("{name}-recipe")).chain(["marked-recipe".to_owned()]);
    for name in names {
        fs::write(club.path().join("event.json"), json!({ "id": CONTROL }).to_string()).unwrap();
        club.hob(&["trigger", &name, "--event", "event.json"]);
    }
    club.hob(&["run", "--once"]);
    let listed = club.hob(&["runs", "list", "--format", "json"]);
    let listed: Vec<Value> =
        serde_json::from_str(listed.split("\n]").next().map(|text| format!("{text}\n]")).unwrap().as_str())
            .unwrap();
    assert_eq!(listed.len(), CONNECTIONS.len() + 1, "{listed:?}");
    for run in &listed {
        assert_eq!(run["state"], "failed", "{run}");
        let id = run["id"].as_str().unwrap();
        let shown = club.hob(&["runs", "show", id]);
        let as_json = club.hob(&["runs", "show", id, "--format", "json"]);
        if run["recipe"] != "marked-recipe" {
            assert!(control(&shown).contains(&"as it is") && control(&as_json) == all, "{shown}{as_json}");
        }
    }
    club.hob(&["runs", "list"]);
    let exported = club.hob(&["store", "export", "-", "--redact"]);
    assert_eq!(control(&exported), all);
    // Data is unchanged: the API's good answers and nothing else.
    let kept = kept(&club);
    assert_eq!(control(&kept), all);
    let answered =
        ["bearer", "header", "basicuser", "basicpass", "oauthtoken", "logintoken", "urluser", "urlpass"];
    let never: Vec<&str> = PLANTED.iter().copied().filter(|kind| !answered.contains(kind)).collect();
    let shown: Vec<String> =
        found(&kept, &never).into_iter().filter(|found| !found.starts_with("digits")).collect();
    assert!(shown.is_empty(), "the store keeps {shown:?}");
}

/// Every byte of the store.
fn kept(club: &Club) -> String {
    let files = fs::read_dir(club.path().join("state")).unwrap().map(|file| file.unwrap().path());
    let bytes = files.filter(|file| file.is_file()).flat_map(|file| fs::read(file).unwrap());
    String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
}

/// A running server, and its log once it has ended.
struct Server {
    child: Child,
    address: String,
    log: JoinHandle<Vec<u8>>,
}

impl Server {
    fn start(club: &Club) -> Self {
        let mut child = club
            .command(&["run", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = child.stderr.take().unwrap();
        let mut told = Vec::new();
        let address = loop {
            let mut byte = [0];
            assert_eq!(errors.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&told));
            told.push(byte[0]);
            let text = String::from_utf8_lossy(&told);
            if let Some((_, rest)) = text.split_once("listening at http://")
                && let Some((address, _)) = rest.split_once('\n')
            {
                break address.to_owned();
            }
        };
        let log = std::thread::spawn(move || {
            errors.read_to_end(&mut told).unwrap();
            told
        });
        Self { child, address, log }
    }
}

fn ask(address: &str, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn no_secret_is_in_a_page_of_the_dashboard() {
    let club = Club::new();
    fs::write(club.path().join("event.json"), json!({ "id": CONTROL }).to_string()).unwrap();
    let names = CONNECTIONS.iter().map(|name| format!("{name}-recipe")).chain(["marked-recipe".to_owned()]);
    for name in names {
        club.hob(&["trigger", &name, "--event", "event.json"]);
    }
    club.hob(&["run", "--once"]);
    // The control is in the audit log, beside what its page must not show.
    let text = format!("{CONTROL} {}", canary("bearer"));
    club.hob(&["runs", "skip", "--recipe", "token-recipe"]);
    club.hob(&["runs", "skip", "--recipe", "header-recipe", "--text", CONTROL]);
    club.hob(&["runs", "skip", "--state", "failed", "--text", &text]);
    let listed = crate::program::hob(club.path(), &["runs", "list", "--format", "json"]).json();
    let runs = listed.as_array().unwrap().iter().map(|run| format!("/runs/{}", run["id"].as_str().unwrap()));
    let Server { mut child, address, log } = Server::start(&club);
    let pages = ["/", "/audit-log", "/runs", "/recipes", "/connections", "/fleet", "/catalog", "/budget"];
    let query = utf8_percent_encode(&canary("bearer"), NON_ALPHANUMERIC).to_string();
    let asked =
        [format!("/find?q={query}"), format!("/audit-log?operator={query}"), format!("/login?next=/{query}")];
    for page in pages.map(str::to_owned).into_iter().chain(asked).chain(runs) {
        let request = format!(
            "GET {page} HTTP/1.1\r\nHost: {address}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        );
        let answer = ask(&address, &request);
        discreet(&page, &answer);
        if page == "/audit-log" {
            let shown = String::from_utf8_lossy(&answer).replace("&quot;", "\"").replace("&amp;", "&");
            assert!(control(&shown).contains(&"as it is"), "{shown}");
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    discreet("the log", &log.join().unwrap());
}

#[test]
fn no_secret_is_in_the_servers_answers() {
    let club = Club::new();
    let Server { mut child, address, log } = Server::start(&club);
    let ask = |request: String| ask(&address, &request);
    for path in ["/metrics", "/readyz", "/healthz", "/", "/webhooks/hook", "/none"] {
        let answer = ask(format!("GET {path} HTTP/1.1\r\nHost: hob\r\nConnection: close\r\n\r\n"));
        discreet(path, &answer);
    }
    // Even those who know the key do not see it: an event with it in its text.
    let body = json!({ "text": format!("{} {CONTROL}", writings(&canary("hook")).join(" ")) }).to_string();
    for (key, path) in [("wrong", "hook"), ("", "literal"), (canary("hook").as_str(), "hook")] {
        let head = format!(
            "POST /webhooks/{path} HTTP/1.1\r\nHost: hob\r\nConnection: close\r\nX-Hook: {key}\r\nX-Sig: {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        discreet(path, &ask(head + &body));
    }
    let listed = || {
        crate::program::hob(club.path(), &["runs", "list", "--state", "succeeded", "--format", "json"]).json()
    };
    while listed().as_array().unwrap().is_empty() {}
    let run = listed()[0]["id"].as_str().unwrap().to_owned();
    let pages = ["/", "/activity", "/runs", "/find?q=hook", "/recipes", "/recipes/hook", "/recipes/literal"];
    let more =
        ["/recipes/literal/versions", "/connections", "/fleet", "/catalog?q=club", "/catalog/club.bad"];
    for path in pages.into_iter().chain(more).map(str::to_owned).chain([format!("/runs/{run}")]) {
        let answer = ask(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"));
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{path}: {}", String::from_utf8_lossy(&answer));
        discreet(&path, &answer);
        if path.starts_with("/runs/") {
            assert!(
                control(&String::from_utf8_lossy(&answer)).contains(&"as it is"),
                "{path} shows the event"
            );
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let told = log.join().unwrap();
    discreet("the log", &told);
    assert!(
        control(&String::from_utf8_lossy(&told)).contains(&"as it is"),
        "{}",
        String::from_utf8_lossy(&told)
    );
    let id = listed()[0]["id"].as_str().unwrap().to_owned();
    assert!(control(&club.hob(&["runs", "show", &id])).contains(&"as it is"));
}

#[test]
fn no_diagnostic_quotes_a_secret() {
    let club = Club::new();
    let sound = hob_yaml(club.mirror);
    let file = club.path().join("hob.yaml");
    let lines: Vec<&str> = sound.lines().collect();
    let spoilt = |at: usize, spoil: &dyn Fn(&str) -> String| {
        let lines =
            lines.iter().enumerate().map(|(n, line)| if n == at { spoil(line) } else { (*line).to_owned() });
        lines.collect::<Vec<_>>().join("\n")
    };
    let ways: [&dyn Fn(&str) -> String; 7] = [
        &|line| format!("{line} x: ]"),
        &|line| line.replacen(['}', '\''], "", 1),
        &|line| line.replacen(':', "x:", 1),
        &|line| line.replace("value", "valeu").replace("password", "pasword").replace("token", "tokn"),
        &|line| format!("  {line}"),
        &|line| line.replacen(": ", ":", 9),
        &|line| format!("{line}\n{line}"),
    ];
    let mut complained = 0;
    for at in 0..lines.len() {
        for (n, way) in ways.iter().enumerate() {
            // Changes that break little are tried only on lines with content.
            if n > 0 && !lines[at].contains(['\'', '$', '@']) {
                continue;
            }
            fs::write(&file, spoilt(at, way)).unwrap();
            let format = ["text", "json", "sarif", "github"][(at + n) % 4];
            let told = club.hob(&["validate", "--format", format]);
            complained += usize::from(!told.contains("0 errors"));
        }
    }
    assert!(complained > 40, "only {complained} of them are mistakes");

    // Messages about addresses and invalid values in their place.
    let query =
        format!("https://api.example.com/?key={}", utf8_percent_encode(&canary("bearer"), NON_ALPHANUMERIC));
    for (text, word) in [
        (
            format!(
                "connections: {{ a: {{ connector: club, base_url: '{query}', auth: {{ token: x }} }} }}\n"
            ),
            "more than an address",
        ),
        (
            format!(
                "connections: {{ a: {{ connector: club, base_url: 'ftp://{DIGITS}:{DIGITS}@h', auth: {{ token: x }} }} }}\n"
            ),
            "ftp",
        ),
        (
            format!(
                "connections: {{ a: {{ connector: club, base_url: http://h, auth: {{ token: {DIGITS} }} }} }}\n"
            ),
            "token",
        ),
        (
            format!("connections: {{ a: {{ connector: club, base_url: http://h, auth: {DIGITS} }} }}\n"),
            "auth",
        ),
        (
            format!(
                "connections: {{ a: {{ connector: club, base_url: http://h, auth: {{ {DIGITS}: 1 }} }} }}\n"
            ),
            "auth",
        ),
        (
            "connections: { a: { connector: club, base_url: http://h, budget: { burst: '${CLUB_TOKEN}' }, auth: { token: '${CLUB_TOKEN}' } } }\n"
                .to_owned(),
            "is not a rate",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let told = club.hob(&["validate"]);
        assert!(told.contains(word), "{word}: {told}");
    }
    // The same text, not secret, is quoted.
    fs::write(&file, "connections: { a: { connector: club, base_url: http://h, budget: { burst: CONTROL-1 }, auth: { token: x } } }\n").unwrap();
    assert!(club.hob(&["validate"]).contains("`CONTROL-1` is not a rate"));

    let place = |kind: &str| utf8_percent_encode(&canary(kind), NON_ALPHANUMERIC).to_string();
    let store = format!("postgres://{}:{}@127.0.0.1:1/db", place("storeuser"), place("storepass"));
    fs::write(&file, format!("store: {store}\n")).unwrap();
    for arguments in [
        vec!["run", "--once"],
        vec!["store", "info"],
        vec!["store", "migrate", "--from", &store],
        vec!["runs", "list"],
        vec!["validate"],
    ] {
        club.hob(&arguments);
    }
    // A recipe with a literal key, broken.
    let recipe = club.path().join("recipes/literal.yaml");
    fs::write(&file, sound).unwrap();
    let text = fs::read_to_string(&recipe).unwrap();
    for (from, to) in [
        ("secret", "secert"),
        ("}", ""),
        ("X-Sig", "X Sig"),
        ("name: literal", "name: [literal"),
        ("hmac:", "hmc:"),
    ] {
        fs::write(&recipe, text.replacen(from, to, 1)).unwrap();
        let told = club.hob(&["validate"]);
        assert!(told.contains("error["), "{from}: {told}");
    }
}
