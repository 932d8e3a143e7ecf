//! Fetched credentials: by consent in a browser, and by a login.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use hob::connection::http_client;
use serde_json::{Value, json};
use url::Url;

use crate::listening::Running;
use crate::program::hob;
use crate::stand_in::StandIn;

const SECRET: &str = "app-secret-1";

/// A workspace with an OAuth app on a stand-in for HighLevel.
struct Studio {
    stand_in: StandIn,
    folder: tempfile::TempDir,
}

impl Studio {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::leading_to(&format!("http://127.0.0.1:{port}/callback"))
    }

    fn leading_to(redirect: &str) -> Self {
        let (stand_in, folder) = (StandIn::start(), tempfile::tempdir().unwrap());
        let (base_url, location) =
            (stand_in.base_url("highlevel"), &stand_in.sandbox.settings("highlevel")["location"]);
        let text = format!(
            "connections:\n  studio:\n    connector: highlevel\n    location: {location}\n    base_url: {base_url}\n    \
             auth: {{ oauth: {{ client_id: app-1, client_secret: {SECRET}, scopes: [contacts.readonly, \
             contacts.write], redirect: '{redirect}' }} }}\n"
        );
        fs::write(folder.path().join("hob.yaml"), text).unwrap();
        Self { stand_in, folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn call(&self) -> crate::program::EndedRun {
        hob(self.path(), &["call", "contacts.search", "pageLimit=1"])
    }

    fn tokens(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path().join("state/tokens/studio.json")).unwrap()).unwrap()
    }

    fn spoil(&self, names: &[&str]) {
        let mut tokens = self.tokens();
        names.iter().for_each(|name| tokens[name] = json!(format!("spoiled-{name}")));
        fs::write(self.path().join("state/tokens/studio.json"), tokens.to_string()).unwrap();
    }

    /// Status and body at `url`, which a browser would open.
    fn visit(&self, url: &str) -> (u16, String) {
        let client = http_client(&Default::default()).unwrap();
        self.stand_in.runtime.block_on(async {
            let answer = client.get(url).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }
}

/// A `hob connect studio` that waits for the browser.
struct Waiting {
    child: Child,
    page: Url,
    output: BufReader<std::process::ChildStdout>,
}

impl Waiting {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("hob"))
            .args(["connect", "studio"])
            .current_dir(folder)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let page = Url::parse(line.trim()).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { child, page, output }
    }

    fn field(&self, name: &str) -> String {
        self.page.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
    }

    /// The redirect address with this query.
    fn back(&self, query: &[(&str, &str)]) -> String {
        Url::parse_with_params(&self.field("redirect_uri"), query).unwrap().into()
    }

    /// Exit code, rest of the output, and errors.
    fn end(mut self) -> (i32, String, String) {
        let (mut output, mut errors) = (String::new(), String::new());
        self.output.read_to_string(&mut output).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.child.wait().unwrap().code().unwrap_or(-1), output, errors)
    }
}

#[test]
fn consent_leads_to_tokens_that_are_refreshed() {
    let studio = Studio::new();
    let refused = studio.call().code(1);
    assert!(refused.errors.contains("run `hob connect studio`"), "{}", refused.errors);
    let connected =
        || hob(studio.path(), &["connections", "--format", "json"]).json()[0]["connected"].clone();
    assert_eq!(connected(), json!(false));

    let waiting = Waiting::start(studio.path());
    assert!(
        waiting.page.as_str().starts_with("https://marketplace.gohighlevel.com/v2/oauth/chooselocation?")
    );
    assert_eq!((waiting.field("response_type"), waiting.field("client_id")), ("code".into(), "app-1".into()));
    assert_eq!(waiting.field("scope"), "contacts.readonly contacts.write");
    let state = waiting.field("state");
    for query in [vec![("code", "code-123456")], vec![("code", "code-123456"), ("state", "another")]] {
        assert_eq!(studio.visit(&waiting.back(&query)).0, 400);
    }
    assert_eq!(studio.visit(&waiting.back(&[]).replace("callback", "favicon.ico")).0, 404);
    assert!(!studio.path().join("state/tokens/studio.json").exists());
    let (status, page) = studio.visit(&waiting.back(&[("code", "code-123456"), ("state", &state)]));
    assert!(status == 200 && page.contains("Connected"), "{page}");
    let (code, output, errors) = waiting.end();
    assert_eq!((code, output.contains("connected `studio`")), (0, true), "{output}{errors}");
    assert_eq!(connected(), json!(true));

    let first = studio.tokens();
    for text in [&first["access_token"], &first["refresh_token"], &json!("code-123456"), &json!(SECRET)] {
        assert!(!format!("{output}{errors}").contains(text.as_str().unwrap()), "{output}{errors}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = studio.path().join("state/tokens/studio.json");
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    studio.call().code(0);
    assert_eq!(studio.tokens(), first, "a token that is valid stays");

    studio.spoil(&["access_token"]);
    studio.call().code(0);
    let second = studio.tokens();
    for name in ["access_token", "refresh_token"] {
        assert!(second[name] != first[name] && second[name] != json!(format!("spoiled-{name}")), "{second}");
    }
    studio.call().code(0);
    assert_eq!(studio.tokens(), second, "one refresh");

    studio.spoil(&["access_token", "refresh_token"]);
    let ended = studio.call().code(1);
    assert!(ended.errors.contains("run `hob connect studio` again"), "{}", ended.errors);
    assert!(!ended.errors.contains("spoiled") && !ended.errors.contains(SECRET), "{}", ended.errors);
}

#[test]
fn programs_that_find_a_token_ended_refresh_it_once() {
    let studio = Studio::new();
    hob(studio.path(), &["connect", "studio", "--code", "code-123456"]).code(0);
    let first = studio.tokens();
    studio.spoil(&["access_token"]);
    std::thread::scope(|scope| {
        let calls = [(); 4].map(|()| scope.spawn(|| studio.call()));
        calls.into_iter().for_each(|call| drop(call.join().unwrap().code(0)));
    });
    let grants = studio.stand_in.sandbox.log().into_iter().filter(|entry| entry.path == "/oauth/token");
    assert_eq!(grants.map(|entry| entry.status).collect::<Vec<_>>(), [200, 200], "one code, one refresh");
    assert_ne!(studio.tokens()["refresh_token"], first["refresh_token"]);
}

#[test]
fn without_an_address_of_our_own_the_code_is_given_by_hand() {
    let studio = Studio::leading_to("https://app.example.com/callback");
    let asked = hob(studio.path(), &["connect", "studio"]).code(0);
    assert!(
        asked.output.contains("redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback"),
        "{}",
        asked.output
    );
    assert!(asked.errors.contains("hob connect studio --code CODE"), "{}", asked.errors);
    hob(studio.path(), &["connect", "studio", "--code", "code-123456"]).code(0);
    studio.call().code(0);
    let again = hob(studio.path(), &["connect", "studio", "--code", "code-123456"]).code(1);
    assert!(again.errors.contains("authorization code is invalid"), "{}", again.errors);
    assert!(!again.errors.contains("code-123456"), "{}", again.errors);
    studio.call().code(0);
}

#[test]
fn consent_can_be_denied_and_waiting_ends_at_a_signal() {
    let studio = Studio::new();
    let waiting = Waiting::start(studio.path());
    let state = waiting.field("state");
    let denied = waiting.back(&[("error", "access_denied"), ("state", &state)]);
    assert_eq!(studio.visit(&denied).0, 400);
    let (code, _, errors) = waiting.end();
    assert!(code == 1 && errors.contains("no consent: access_denied"), "{errors}");
    if cfg!(unix) {
        let waiting = Waiting::start(studio.path());
        let process = waiting.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &process]).status().unwrap().success());
        let (code, _, errors) = waiting.end();
        assert!(code == 1 && errors.contains("nothing was connected"), "{errors}");
    }
    let unknown = hob(studio.path(), &["connect", "studoi"]).code(2);
    assert!(unknown.errors.contains("did you mean `studio`?"), "{}", unknown.errors);
}

#[test]
fn connections_without_consent_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let text = "connections:\n  a: { connector: highlevel, location: l, auth: { token: t } }\n  \
        b: { connector: fitr, base_url: 'http://127.0.0.1:9', auth: { oauth: { client_id: i, client_secret: s } } }\n";
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    for (name, part) in [("a", "has no `oauth`"), ("b", "client credentials")] {
        let refused = hob(folder.path(), &["connect", name]).code(2);
        assert!(refused.errors.contains(part), "{}", refused.errors);
    }
    let rows = hob(folder.path(), &["connections", "--format", "json"]).code(0).json();
    assert_eq!((&rows[0]["connected"], &rows[1]["connected"]), (&Value::Null, &Value::Null));
    let wrong = text.replace("client_id: i", "client_id: i, redirect: nowhere");
    fs::write(folder.path().join("hob.yaml"), wrong).unwrap();
    let refused = hob(folder.path(), &["connections"]).code(1);
    assert!(refused.errors.contains("`nowhere` is not an http(s) address"), "{}", refused.errors);
}

/// A workspace with its own connector that uses a login.
fn club(scheme: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("connectors/club");
    fs::create_dir_all(&own).unwrap();
    let connector =
        format!("connector: club\ntitle: Club\nabout: A club.\nauth: [{{ kind: login, {scheme} }}]\n");
    fs::write(own.join("connector.yaml"), connector).unwrap();
    let operations = "operations:\n  club.members.list: { title: List, summary: All., kinds: [action], \
        method: GET, path: /members, effect: read }\n";
    fs::write(own.join("members.yaml"), operations).unwrap();
    folder
}

fn club_workspace(folder: &Path, base_url: &str, password: &str) {
    let auth = format!("{{ login: {{ username: sandbox, password: {password} }} }}");
    let text = format!("connections:\n  club: {{ connector: club, base_url: '{base_url}', auth: {auth} }}\n");
    fs::write(folder.join("hob.yaml"), text).unwrap();
}

#[test]
fn a_login_gives_a_token() {
    for scheme in [
        "url: /login, body: { email: '{{ username }}', password: '{{ password }}' }, token: $.token",
        "url: session/new, form: true, body: { u: '{{ username }}', p: '{{ password }}' }, \
         token: $.data.token, expires_in: $.data.ttl, header: X-Session, scheme: ''",
    ] {
        let folder = club(scheme);
        let path = folder.path();
        let stand_in = StandIn::of(Arc::new(hob::workspace::catalog(path).unwrap()));
        let base_url = stand_in.base_url("club");
        club_workspace(path, &base_url, "club-sandbox-key");
        hob(path, &["call", "club.members.list"]).code(0);
        hob(path, &["call", "club.members.list", "--sandbox"]).code(0);
        club_workspace(path, &base_url, "wrong-password");
        let refused = hob(path, &["call", "club.members.list"]).code(1);
        assert!(
            refused.errors.contains("401 Unauthorized: {\"message\":\"user name or password is wrong\"}")
        );
        assert!(!refused.errors.contains("wrong-password"), "{}", refused.errors);
    }
}

#[test]
fn an_unusable_login_is_reported_before_use() {
    let folder = club("url: /login, body: { p: '{{ password }}' }, token: $.token, lifetime: soon");
    club_workspace(folder.path(), "http://127.0.0.1:9", "secret");
    let refused = hob(folder.path(), &["validate"]).code(1);
    assert!(format!("{}{}", refused.output, refused.errors).contains("`soon` is not a duration"));
}

#[test]
fn the_template_can_be_logged_in_to() {
    let (stand_in, folder) = (StandIn::start(), tempfile::tempdir().unwrap());
    let text = format!(
        "connections: {{ fitr: {{ connector: fitr, base_url: '{}', \
         auth: {{ login: {{ username: sandbox, password: fitr-sandbox-key }} }} }} }}\n",
        stand_in.base_url("fitr")
    );
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    hob(folder.path(), &["call", "fitr.clients.list"]).code(0);
}

const MANUAL_RECIPE: &str = "name: hand\ntrigger: { manual: {} }\nactions:\n  \
                    - { do: contacts.upsert, with: { email: \"{{ event.email }}\" } }\n";

#[test]
fn a_consent_that_ended_holds_the_runs_until_somebody_consents_again() {
    let studio = Studio::new();
    fs::create_dir(studio.path().join("recipes")).unwrap();
    fs::write(studio.path().join("recipes/hand.yaml"), MANUAL_RECIPE).unwrap();
    hob(studio.path(), &["connect", "studio", "--code", "code-123456"]).code(0);
    for n in 0..8 {
        let event = json!({ "email": format!("p{n}@example.com") }).to_string();
        crate::program::hob_with(studio.path(), &["trigger", "hand", "--event", "-"], &event).code(0);
    }
    studio.spoil(&["access_token", "refresh_token"]);
    let states = || {
        let listed = hob(studio.path(), &["runs", "list", "--format", "json"]).code(0).json();
        let state = |run: &Value| run["state"].as_str().unwrap().to_owned();
        listed.as_array().unwrap().iter().map(state).collect::<Vec<_>>()
    };
    let held = || {
        let rows = hob(studio.path(), &["connections", "--format", "json"]).code(0).json();
        rows[0]["held"]["reason"].as_str().unwrap_or_default().to_owned()
    };
    let _running = Running::start(studio.path());
    let begun = std::time::Instant::now();
    let wait_until = |what: &str, done: &dyn Fn() -> bool| {
        while !done() {
            assert!(begun.elapsed().as_secs() < 60, "{what}: {:?} {}", states(), held());
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
    };
    wait_until("it is held", &|| held().contains("run `hob connect studio` again"));
    // Long enough for a second attempt.
    let log = || studio.stand_in.sandbox.log();
    let asked = || log().iter().filter(|entry| entry.path == "/oauth/token").count();
    wait_until("it is looked at again", &|| begun.elapsed().as_secs() >= 7);
    assert_eq!(states(), ["waiting"; 8]);
    assert_eq!(asked(), 2, "once for the code, once for a refresh");
    hob(studio.path(), &["connect", "studio", "--code", "code-654321"]).code(0);
    wait_until("the runs go on", &|| states() == ["succeeded"; 8]);
    assert_eq!(asked(), 3);
}
