//! Asks a dashboard over HTTP, byte for byte, and logs in to it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};

use tempfile::TempDir;

use crate::program::hob_with;
use crate::spawn::spawn;

/// The password of every operator with one.
pub const PASSWORD: &str = "correct horse battery";

/// A running `hob run` with a dashboard.
pub struct Site {
    pub folder: TempDir,
    pub port: u16,
    child: Child,
}

/// What is asked.
#[derive(Clone)]
pub struct Ask {
    method: String,
    target: String,
    version: &'static str,
    headers: Vec<(String, String)>,
    body: String,
}

/// What is answered.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// A login: its cookie and the token of its pages.
#[derive(Clone)]
pub struct Login {
    pub cookie: String,
    pub csrf: String,
}

impl Ask {
    pub fn new(method: &str, target: &str) -> Self {
        let (method, target) = (method.to_owned(), target.to_owned());
        Self { method, target, version: "HTTP/1.1", headers: Vec::new(), body: String::new() }
    }

    pub fn get(target: &str) -> Self {
        Self::new("GET", target).with("Accept", "text/html")
    }

    /// A form, as a browser sends it from the page itself.
    pub fn form(target: &str, fields: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let asked = Self::new("POST", target).with("Accept", "text/html");
        Self { body: form.finish(), ..asked.with("Content-Type", "application/x-www-form-urlencoded") }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another value of a header.
    pub fn instead(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.with(name, value)
    }

    pub fn body(self, body: &str) -> Self {
        Self { body: body.to_owned(), ..self }
    }

    pub fn old_version(self) -> Self {
        Self { version: "HTTP/1.0", ..self }
    }

    pub fn by(self, login: &Login) -> Self {
        self.with("Cookie", &login.cookie)
    }
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = match head.to_lowercase().contains("transfer-encoding: chunked") {
            true => unchunked(body),
            false => body.to_owned(),
        };
        Self { status, head: head.to_owned(), body }
    }

    /// The values of a header.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers(name).first().copied().unwrap_or_default()
    }

    /// The token in the forms of a page.
    pub fn csrf(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"csrf\" value=\"").unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// The cookies that it sets, as they are sent back.
    pub fn cookies(&self) -> Vec<String> {
        let pair = |cookie: &str| cookie.split(';').next().unwrap_or_default().to_owned();
        self.headers("set-cookie").into_iter().map(pair).collect()
    }
}

fn unchunked(mut text: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size.min(rest.len())]);
        text = rest.get(size + 2..).unwrap_or_default();
    }
    whole
}

impl Site {
    /// `hob run` in `folder` at a free port of `host`.
    pub fn start(folder: TempDir, host: &str) -> Self {
        let (child, port) = run(folder.path(), host);
        Self { folder, port, child }
    }

    /// Ends the process, as a crash does, and starts another one.
    pub fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.port) = run(self.folder.path(), "127.0.0.1");
    }

    /// The process, such as to stop it.
    pub fn process(&mut self) -> &mut Child {
        &mut self.child
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The host as a browser on this machine names it.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The answer to a request, to this host unless it names another.
    pub fn ask(&self, asked: Ask) -> Answer {
        let Ask { method, target, version, mut headers, body } = asked;
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            headers.push(("Host".to_owned(), self.host()));
        }
        headers.push(("Connection".to_owned(), "close".to_owned()));
        if !body.is_empty() || method == "POST" {
            headers.push(("Content-Length".to_owned(), body.len().to_string()));
        }
        let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>();
        self.raw(format!("{method} {target} {version}\r\n{lines}\r\n{body}").as_bytes())
    }

    /// The answer to these bytes; without a status if the connection was closed instead.
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // A server that has refused may not read to the end.
        stream.write_all(bytes).ok();
        let mut answered = Vec::new();
        stream.read_to_end(&mut answered).ok();
        Answer::read(&String::from_utf8_lossy(&answered))
    }

    /// The login page's cookie and token.
    pub fn login_page(&self) -> Login {
        let page = self.ask(Ask::get("/login"));
        assert_eq!(page.status, 200, "{}", page.body);
        Login { cookie: page.cookies().remove(0), csrf: page.csrf() }
    }

    /// Sends the form of the login page.
    pub fn try_login(&self, name: &str, password: &str) -> Answer {
        let page = self.login_page();
        let fields = [("csrf", page.csrf.as_str()), ("name", name), ("password", password), ("next", "/")];
        self.ask(Ask::form("/login", &fields).by(&page))
    }

    /// Logs in.
    pub fn login(&self, name: &str) -> Login {
        let answer = self.try_login(name, PASSWORD);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.cookies().remove(0);
        let mut login = Login { cookie, csrf: String::new() };
        let page = self.ask(Ask::get("/audit-log").by(&login));
        assert_eq!(page.status, 200, "{}", page.body);
        login.csrf = page.csrf();
        assert_eq!(login.csrf.len(), 43, "{}", page.body);
        login
    }
}

fn run(folder: &Path, host: &str) -> (Child, u16) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("hob"));
    command.args(["run", "--listen", &format!("{host}:0")]);
    let (child, mut lines) = spawn(command, folder);
    let address = lines.find_map(|line| line.strip_prefix("listening at http://").map(str::to_owned));
    let address = address.expect("it prints its address");
    std::thread::spawn(move || lines.for_each(drop));
    (child, address.rsplit(':').next().unwrap().parse().unwrap())
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().unwrap();
    }
}

/// The hash of [`PASSWORD`], as the program makes it.
pub fn password_hash(folder: &Path) -> String {
    let made = hob_with(folder, &["operators", "password"], &format!("{PASSWORD}\n")).code(0);
    made.output.trim().strip_prefix("password_hash: ").unwrap().to_owned()
}

/// A workspace with a recipe that does nothing by itself.
pub fn workspace(hob_yaml: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), hob_yaml).unwrap();
    let recipe = "name: quiet\ntrigger: { manual: {} }\nactions: [{ do: log, with: { message: m } }]\n";
    fs::write(folder.path().join("recipes/quiet.yaml"), recipe).unwrap();
    folder
}

/// A workspace with operators: `ada`, who may act, and `bob`, who may look, with passwords, and `script` with a token, which
/// is returned. `more` is added to `server`.
pub fn guarded_workspace(more: &str) -> (TempDir, String) {
    let folder = workspace("");
    let hash = password_hash(folder.path());
    let made = hob_with(folder.path(), &["operators", "token"], "").code(0).output;
    let (token, token_hash) = made.trim().split_once('\n').unwrap();
    let token = token.strip_prefix("token: ").unwrap().to_owned();
    let text = format!(
        "server:
{more}  dashboard:
    login: always
    operators:
      - {{ name: ada, role: act, password_hash: {hash} }}
      - {{ name: bob, password_hash: {hash} }}
      - {{ name: script, role: act, {token_hash} }}
"
    );
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    (folder, token)
}
