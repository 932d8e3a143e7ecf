//! A table of attacks on the dashboard, tried on the real program over HTTP. Each row says what is tried, and what shows that
//! it was refused; beside them are controls, which show that what is refused works when it is right.

use std::fs;

use crate::dashboard_client::{Answer, Ask, Login, PASSWORD, Site, guarded_workspace, workspace};
use crate::program::{hob, hob_with};

/// The attacks that were tried.
#[derive(Default)]
struct Table {
    rows: Vec<String>,
    failed: Vec<String>,
}

impl Table {
    fn row(&mut self, tried: &str, refused: bool, answer: &Answer) {
        self.rows.push(tried.to_owned());
        if !refused {
            self.failed.push(format!("{tried}: {}\n{}", answer.head, answer.body));
        }
    }

    /// An attack that is answered with `status`.
    fn status(&mut self, tried: &str, status: u16, answer: &Answer) {
        self.row(tried, answer.status == status, answer);
    }

    /// An attack after which the answer shows `payload` only harmlessly.
    fn harmless(&mut self, tried: &str, payload: &str, answer: &Answer) {
        let is_page = answer.header("content-type").starts_with("text/html");
        let raw = is_page && answer.body.contains(payload);
        self.row(tried, !raw && answer.status != 500 && answer.status != 0, answer);
    }

    #[track_caller]
    fn end(self, least: usize) {
        assert!(self.failed.is_empty(), "{} attacks:\n{}", self.failed.len(), self.failed.join("\n\n"));
        assert!(self.rows.len() >= least, "only {} attacks: {:#?}", self.rows.len(), self.rows);
    }
}

/// Something that is done with a post.
const ACT: &str = "/recipes/quiet/pause";
/// The answer to it.
const DONE: u16 = 303;

/// A request that acts, with a valid token.
fn act(login: &Login) -> Ask {
    Ask::form(ACT, &[("csrf", &login.csrf)]).by(login)
}

/// How often it was done, as the audit log tells.
fn done(site: &Site) -> usize {
    let listed =
        hob(site.path(), &["operators", "log", "--act", "pause", "--limit", "0", "--format", "json"]);
    listed.code(0).json().as_array().unwrap().len()
}

#[test]
fn no_other_site_makes_a_browser_act() {
    let (folder, token) = guarded_workspace("");
    let site = Site::start(folder, "127.0.0.1");
    let (ada, other) = (site.login("ada"), site.login("ada"));
    let own = format!("http://{}", site.host());
    let mut table = Table::default();
    assert_eq!(site.ask(act(&ada)).status, DONE);
    assert_eq!(site.ask(act(&ada).with("Origin", &own).with("Sec-Fetch-Site", "same-origin")).status, DONE);
    assert_eq!(site.ask(act(&ada).body("").with("X-CSRF-Token", &ada.csrf)).status, DONE);

    let form = |fields: &[(&str, &str)]| Ask::form(ACT, fields).by(&ada);
    table.status("a form without a token", 403, &site.ask(form(&[("run", "1")])));
    table.status("a form with an empty token", 403, &site.ask(form(&[("csrf", "")])));
    table.status("a form with a wrong token", 403, &site.ask(form(&[("csrf", &"A".repeat(43))])));
    table.status("a form with the token of another session", 403, &site.ask(form(&[("csrf", &other.csrf)])));
    let page = site.login_page();
    table.status("a form with the token of a login page", 403, &site.ask(form(&[("csrf", &page.csrf)])));
    let secret = ada.cookie.split_once('=').unwrap().1;
    table.status("a form with the cookie as token", 403, &site.ask(form(&[("csrf", secret)])));
    table.status(
        "a token in the address",
        403,
        &site.ask(Ask::form(&format!("{ACT}?csrf={}", ada.csrf), &[]).by(&ada)),
    );
    table.status(
        "a form sent as plain text, which needs no preflight",
        403,
        &site.ask(act(&ada).instead("Content-Type", "text/plain")),
    );
    table.status(
        "JSON with the token in it",
        403,
        &site.ask(act(&ada).instead("Content-Type", "application/json")),
    );
    for (tried, origin) in [
        ("from another site", "https://evil.example"),
        ("from a site whose name begins alike", &format!("{own}.evil.example")),
        ("from another port of this machine", "http://127.0.0.1:1"),
        ("from a page without an origin", "null"),
        ("from a user at another site", "http://127.0.0.1@evil.example"),
        ("with an empty origin", ""),
    ] {
        let answer = site.ask(act(&ada).with("Origin", origin));
        table.status(&format!("a form with a valid token {tried}"), 403, &answer);
    }
    let answer = site.ask(act(&ada).with("Origin", &own).with("Origin", "https://evil.example"));
    table.status("a form with two origins", 403, &answer);
    for fetched in ["cross-site", "same-site"] {
        let answer = site.ask(act(&ada).with("Sec-Fetch-Site", fetched));
        table.status(&format!("a form that the browser calls {fetched}"), 403, &answer);
    }
    table.status(
        "a page within another site's page",
        403,
        &site.ask(
            Ask::get("/")
                .by(&ada)
                .with("Sec-Fetch-Site", "cross-site")
                .with("Sec-Fetch-Mode", "navigate")
                .with("Sec-Fetch-Dest", "iframe"),
        ),
    );
    table.status(
        "a page as an image of another site",
        403,
        &site.ask(
            Ask::get("/").by(&ada).with("Sec-Fetch-Site", "cross-site").with("Sec-Fetch-Mode", "no-cors"),
        ),
    );
    let stream = Ask::get("/changes?of=now").instead("Accept", "text/event-stream").by(&ada);
    for fetched in ["cross-site", "same-site"] {
        let answer = site.ask(stream.clone().with("Sec-Fetch-Site", fetched).with("Sec-Fetch-Mode", "cors"));
        table.status(
            &format!("a stream of events for a page that the browser calls {fetched}"),
            403,
            &answer,
        );
    }
    let page = site.login_page();
    let fields = [("csrf", page.csrf.as_str()), ("name", "ada"), ("password", PASSWORD)];
    table.status("a login without the page's cookie", 403, &site.ask(Ask::form("/login", &fields)));
    table.status(
        "a login from another site",
        403,
        &site.ask(Ask::form("/login", &fields).by(&page).with("Origin", "https://evil.example")),
    );
    table.status("a logout by a link", 405, &site.ask(Ask::get("/logout").by(&ada)));
    table.status("a logout without a token", 403, &site.ask(Ask::form("/logout", &[]).by(&ada)));
    assert_eq!(site.ask(Ask::get("/").by(&ada)).status, 200);

    // A script's token is never sent by a browser itself.
    let script = Ask::new("POST", ACT).with("Authorization", &format!("Bearer {token}"));
    assert_eq!(site.ask(script.clone()).status, DONE);
    table.status(
        "a script's token from another site's page",
        403,
        &site.ask(script.with("Origin", "https://evil.example")),
    );
    table.status("an act by GET", 405, &site.ask(Ask::get(ACT).by(&ada)));
    assert_eq!(done(&site), 4, "nothing was done but the controls");
    table.end(27);
}

#[test]
fn loopback_needs_a_token_too_and_its_own_name() {
    let site = Site::start(workspace("server: { hosts: [hob.internal] }\n"), "127.0.0.1");
    let mut table = Table::default();
    table.status("a form without a token on loopback", 403, &site.ask(Ask::form(ACT, &[])));
    table.status(
        "a form with another token on loopback",
        403,
        &site.ask(Ask::form(ACT, &[("csrf", &"A".repeat(43))])),
    );
    for (tried, host) in [
        ("a name that was rebound to this machine", "rebound.example"),
        ("a name with the port", &format!("rebound.example:{}", site.port)),
        ("a name that begins like localhost", "localhost.rebound.example"),
        ("an address as part of a name", "127.0.0.1.rebound.example"),
        ("a name with a user", "localhost@rebound.example"),
        ("another address", "192.0.2.1"),
    ] {
        table.status(&format!("a request for {tried}"), 421, &site.ask(Ask::get("/").with("Host", host)));
    }
    let two =
        format!("GET / HTTP/1.1\r\nHost: {}\r\nHost: evil.example\r\nConnection: close\r\n\r\n", site.host());
    table.status("a request for two hosts", 400, &site.raw(two.as_bytes()));
    let whole =
        format!("GET http://evil.example/ HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", site.host());
    table.status("a request for a proxy", 400, &site.raw(whole.as_bytes()));
    table.status(
        "a configured name, which is no login",
        403,
        &site.ask(Ask::get("/").with("Host", "hob.internal")),
    );
    table.status(
        "a client behind a proxy that claims to be on this machine",
        403,
        &site.ask(Ask::get("/").with("X-Forwarded-For", "127.0.0.1").with("Host", "localhost")),
    );
    table.end(12);
}

#[test]
fn nobody_gets_in_by_guessing_or_with_another_ones_cookie() {
    let (folder, token) = guarded_workspace("");
    let site = Site::start(folder, "127.0.0.1");
    let (ada, bob) = (site.login("ada"), site.login("bob"));
    let mut table = Table::default();

    let planted = format!("hob_session={}", "A".repeat(43));
    let page = site.login_page();
    let fields = [("csrf", page.csrf.as_str()), ("name", "ada"), ("password", PASSWORD)];
    let both = Login { cookie: format!("{}; {planted}", page.cookie), csrf: page.csrf.clone() };
    let answer = site.ask(Ask::form("/login", &fields).by(&both));
    let fresh = answer.cookies().into_iter().next().unwrap_or_default();
    table.row("a session id planted before the login", answer.status == 303 && fresh != planted, &answer);
    table.status("the planted session id afterwards", 303, &site.ask(Ask::get("/").with("Cookie", &planted)));
    let again = Login { cookie: format!("{}; {fresh}", page.cookie), csrf: page.csrf.clone() };
    let answer = site.ask(Ask::form("/login", &fields).by(&again));
    table.row("a login while logged in, which keeps the session", answer.cookies().is_empty(), &answer);

    for (tried, cookie) in [
        ("no value", "hob_session=".to_owned()),
        ("a short value", "hob_session=abc".to_owned()),
        ("a value in quotes", format!("hob_session=\"{}\"", &ada.cookie["hob_session=".len()..])),
        ("two values", format!("{}; {}", ada.cookie, planted)),
        ("the cookie twice", format!("{}; {}", ada.cookie, ada.cookie)),
        ("a changed last character", {
            let (cut, last) = ada.cookie.split_at(ada.cookie.len() - 1);
            format!("{cut}{}", if last == "A" { "B" } else { "A" })
        }),
        ("the name in other letters", ada.cookie.replace("hob_session", "HOB_SESSION")),
        ("a script's token", format!("hob_session={}", &token[4..])),
        ("statements of SQL", "hob_session=' OR 1=1; DROP TABLE sessions; --".to_owned()),
        ("nothing but separators", ";;;=;=;,".to_owned()),
        ("60,000 characters", format!("hob_session={}", "A".repeat(60_000))),
    ] {
        let answer = site.ask(Ask::get("/").with("Cookie", &cookie));
        table.status(&format!("a cookie with {tried}"), 303, &answer);
    }
    let long = format!("GET / HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n", site.host(), "a".repeat(200_000));
    let answer = site.raw(long.as_bytes());
    table.row("a cookie of 200,000 characters", matches!(answer.status, 0 | 400 | 431), &answer);
    let bytes = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: hob_session=\xff\xfe\x80\r\n\r\n",
    ];
    table.status("a cookie that is no text", 401, &site.raw(bytes[0]));

    for (tried, target) in [
        ("token", format!("/?token={token}")),
        ("access_token", format!("/?access_token={token}")),
        ("Authorization", format!("/?Authorization=Bearer%20{token}")),
    ] {
        let answer = site.ask(Ask::new("GET", &target));
        table.status(&format!("a token in the address as {tried}"), 401, &answer);
    }
    for (tried, value) in [
        ("none", "Bearer".to_owned()),
        ("an empty one", "Bearer ".to_owned()),
        ("a wrong one", format!("Bearer hob_{}", "A".repeat(43))),
        ("its hash", {
            let text = fs::read_to_string(site.path().join("hob.yaml")).unwrap();
            format!("Bearer {}", text.split_once("token_hash: ").unwrap().1.split(' ').next().unwrap())
        }),
        ("of another scheme", format!("Basic {token}")),
    ] {
        let answer = site.ask(Ask::new("GET", "/").with("Authorization", &value));
        table.status(&format!("a bearer token: {tried}"), 401, &answer);
    }
    let wrong = format!("Bearer hob_{}", "A".repeat(43));
    let answer = site.ask(Ask::get("/").by(&ada).with("Authorization", &wrong));
    table.status("a wrong bearer token beside a good cookie", 401, &answer);

    table.status("an act of somebody who may look", 403, &site.ask(act(&bob)));
    for (tried, target) in [
        ("a pause on an account", "/recipes/quiet/connections/studio/pause"),
        ("a try of an operation", "/catalog/contacts.get/try"),
    ] {
        let bobs = [("csrf", bob.csrf.as_str())];
        table.status(
            &format!("{tried} by somebody who may look"),
            403,
            &site.ask(Ask::form(target, &bobs).by(&bob)),
        );
        table.status(&format!("{tried} without a token"), 403, &site.ask(Ask::form(target, &[]).by(&ada)));
        let got = site.ask(Ask::form(target, &[("csrf", &ada.csrf)]));
        table.status(&format!("{tried} without a login"), 401, &got);
    }
    table.row(
        "the page that says so, without secrets",
        {
            let answer = site.ask(act(&bob));
            answer.body.contains("role: act") && !answer.body.contains("pbkdf2")
        },
        &site.ask(act(&bob)),
    );
    let stream = Ask::get("/changes?of=now").instead("Accept", "text/event-stream");
    table.status("a stream of events without a login", 401, &site.ask(stream.clone()));
    let answer = site.ask(stream.with("Cookie", &planted));
    table.status("a stream of events with a made-up session", 401, &answer);
    for header in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let answer = site.ask(Ask::get("/logout").by(&bob).with(header, "POST"));
        table.status(&format!("an act by {header}"), 405, &answer);
    }
    let mixed = Login { cookie: bob.cookie.clone(), csrf: ada.csrf.clone() };
    table.status("the cookie of one and the token of another", 403, &site.ask(act(&mixed)));
    let as_ada = Ask::form(ACT, &[("csrf", &bob.csrf), ("role", "act"), ("operator", "ada")]);
    table.status("a role in the form", 403, &site.ask(as_ada.by(&bob)));
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"] {
        let answer = site.ask(Ask::new(method, "/audit-log").by(&ada));
        table.row(&format!("the method {method}"), matches!(answer.status, 400 | 404 | 405), &answer);
    }
    assert_eq!(done(&site), 0);
    table.end(46);
}

#[test]
fn passwords_cannot_be_tried_without_end() {
    let (folder, _) = guarded_workspace("  proxies: [127.0.0.1]\n");
    let site = Site::start(folder, "127.0.0.1");
    let mut table = Table::default();
    let page = site.login_page();
    let attempt = |name: &str, password: &str, address: &str| {
        let fields = [("csrf", page.csrf.as_str()), ("name", name), ("password", password)];
        site.ask(Ask::form("/login", &fields).by(&page).with("X-Forwarded-For", address))
    };
    let known = attempt("ada", "wrong horse battery", "192.0.2.1");
    let unknown = attempt("eve", "wrong horse battery", "192.0.2.1");
    let alike = known.status == 401 && known.body == unknown.body;
    table.row("telling whether a name exists", alike, &unknown);
    for n in 2..10 {
        assert_eq!(attempt(&format!("name-{n}"), "x", "192.0.2.1").status, 401);
    }
    let answer = attempt("ada", PASSWORD, "192.0.2.1");
    table.status("an eleventh attempt from an address, with the right password", 429, &answer);
    assert!((1..=900).contains(&answer.header("retry-after").parse::<u32>().unwrap()));
    table.status(
        "another address made up before the proxy's",
        429,
        &attempt("ada", PASSWORD, "198.51.100.1, 192.0.2.1"),
    );
    assert_eq!(attempt("ada", PASSWORD, "192.0.2.2").status, 303, "others log in");
    let listed = hob(site.path(), &["operators", "log", "--act", "login-failed", "--format", "json"]);
    assert_eq!(listed.json().as_array().unwrap().len(), 10, "{}", listed.output);
    assert_eq!(listed.json()[0]["origin"], "192.0.2.1");
    table.end(3);
}

/// Markup that would run a script in every place of a page: text, attribute, script, style.
const PAYLOAD: &str = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>";

#[test]
fn nothing_from_outside_is_markup_and_every_answer_is_protected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("recipes")).unwrap();
    fs::write(path.join("hob.yaml"), "{}").unwrap();
    let recipe = "name: phones\ndescription: \"<script>alert(3)</script>\"\ntrigger: { manual: {} }\nlane: \"{{ event.id }}\"\nactions:\n  - { do: log, with: { message: \"{{ event.phone | e164('GB') }}\" } }\n";
    fs::write(path.join("recipes/phones.yaml"), recipe).unwrap();
    let named = recipe.replace("name: phones", &format!("name: '{}'", PAYLOAD.replace('\'', "''")));
    fs::write(path.join("recipes/named.yaml"), named).unwrap();
    let event = serde_json::json!({ "id": PAYLOAD, "phone": PAYLOAD, PAYLOAD: PAYLOAD }).to_string();
    hob_with(path, &["trigger", "phones", "--event", "-"], &event).code(0);
    hob(path, &["run", "--once"]).code(1);
    let runs = hob(path, &["runs", "list", "--format", "json"]).code(0).json();
    assert!(runs[0]["error"].as_str().unwrap().contains("onerror=alert(1)"), "{runs}");
    let run = runs[0]["id"].as_str().unwrap().to_owned();
    let mut command = assert_cmd::Command::cargo_bin("hob").unwrap();
    command.env_clear().env("USER", PAYLOAD).current_dir(path);
    command.args(["runs", "retry", "--text", PAYLOAD]).assert().success();

    let site = Site::start(folder, "127.0.0.1");
    let encoded: String = url::form_urlencoded::byte_serialize(PAYLOAD.as_bytes()).collect();
    let mut table = Table::default();
    let pages = [
        ("what is wrong", "/".to_owned()),
        ("what operators did", "/audit-log".to_owned()),
        ("a filter of the audit log", format!("/audit-log?operator={encoded}&act={encoded}")),
        ("a place in the audit log", format!("/audit-log?before={encoded}")),
        ("the find box", format!("/find?q={encoded}")),
        ("a list of runs", format!("/runs?recipe={encoded}&state={encoded}&text={encoded}")),
        ("a run", format!("/runs/{run}")),
        ("a run that is not there", format!("/runs/{encoded}")),
        ("recipes", "/recipes".to_owned()),
        ("a recipe that is not there", format!("/recipes/{encoded}")),
        ("connections", "/connections".to_owned()),
        ("the fleet", "/fleet".to_owned()),
        ("an operation", format!("/catalog/{encoded}")),
        ("a thing to watch", format!("/changes?of={encoded}&id={encoded}")),
        ("an operation to try", format!("/catalog/{encoded}/try")),
        ("a login's next page", format!("/login?next={encoded}")),
        ("an address that is not there", format!("/{encoded}")),
    ];
    for (page, target) in &pages {
        let answer = site.ask(Ask::get(target));
        table.harmless(&format!("markup in {page}"), "<img src=x", &answer);
        table.row(&format!("a script in {page}"), !answer.body.contains("<script>alert"), &answer);
    }
    assert!(site.ask(Ask::get("/audit-log")).body.contains("&lt;img"), "the control is there, as text");

    let own = ["/", "/audit-log", "/login"].map(|page| site.ask(Ask::get(page)));
    let refused = site.ask(Ask::get("/").with("X-Forwarded-For", "192.0.2.7"));
    let foreign = site.ask(Ask::get("/").with("Host", "evil.example"));
    let wrong = site.ask(Ask::form("/", &[]));
    for answer in own.iter().chain([&refused, &foreign, &wrong]) {
        let policy = answer.header("content-security-policy");
        table.row(
            "being framed",
            policy.contains("frame-ancestors 'none'") && answer.header("x-frame-options") == "DENY",
            answer,
        );
        let strict = policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';");
        table.row("a script or style in a page", strict && !policy.contains("unsafe"), answer);
        table.row(
            "a guess at the kind of content",
            answer.header("x-content-type-options") == "nosniff",
            answer,
        );
        table.row("a page in a cache", answer.header("cache-control") == "no-store", answer);
        let apart = answer.header("cross-origin-opener-policy") == "same-origin"
            && answer.header("cross-origin-resource-policy") == "same-origin"
            && answer.header("referrer-policy") == "same-origin";
        table.row("a window or a resource of another site", apart, answer);
    }
    table.end(50);
}

#[test]
fn no_path_leads_to_files_and_no_value_into_headers() {
    let (folder, _) = guarded_workspace("  url: https://hob.example.com\n");
    fs::write(folder.path().join("secret.txt"), "the secret of this file").unwrap();
    let site = Site::start(folder, "127.0.0.1");
    let ada = site.login("ada");
    let mut table = Table::default();
    for target in [
        "/assets/../hob.yaml",
        "/assets/../../secret.txt",
        "/assets/x/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/x/..%2f..%2fsecret.txt",
        "/assets/x/..%5c..%5csecret.txt",
        "/assets/x/%00style.css",
        "/assets//etc/passwd",
        "/assets/x//etc/passwd",
        "/runs/..%2f..%2fsecret.txt",
        "/runs/%2e%2e%2f%2e%2e%2fhob.yaml",
        "/runs/..;/..;/secret.txt",
        "/recipes/..%2f..%2f.env",
        "/..%c0%af..%c0%afsecret.txt",
    ] {
        let answer = site.ask(Ask::get(target).by(&ada));
        let told = answer.body.contains("secret of this file") || answer.body.contains("pbkdf2");
        table.row(&format!("the path {target}"), !told && matches!(answer.status, 303 | 400 | 404), &answer);
    }
    for next in
        ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/%0d%0aX: y"]
    {
        let page = site.login_page();
        let fields = [("csrf", page.csrf.as_str()), ("name", "ada"), ("password", PASSWORD), ("next", next)];
        let answer = site.ask(Ask::form("/login", &fields).by(&page));
        let local = answer.header("location").starts_with('/') && !answer.header("location").contains("evil");
        table.row(&format!("being led to {next} after a login"), answer.status == 303 && local, &answer);
    }
    let elsewhere = Ask::get("//evil.example/")
        .with("Sec-Fetch-Site", "cross-site")
        .with("Sec-Fetch-Mode", "navigate")
        .with("Sec-Fetch-Dest", "document");
    let answer = site.ask(elsewhere);
    table.row("being led elsewhere by a link", !answer.body.contains("url=//"), &answer);
    for target in ["/login?next=/%0d%0aSet-Cookie:%20x=y", "/audit-log?operator=%0d%0aSet-Cookie:%20x=y"] {
        let answer = site.ask(Ask::get(target).by(&ada));
        let added = answer.headers("set-cookie").iter().any(|cookie| cookie.starts_with("x="));
        table.row(&format!("a header by {target}"), !added, &answer);
    }
    let huge = "x".repeat(300_000);
    table.status(
        "a form of 300,000 bytes",
        413,
        &site.ask(Ask::form("/login", &[("name", &huge)]).by(&site.login_page())),
    );

    // Reached by its public name, cookies are for https and this host only.
    let page = site.ask(Ask::get("/login").with("Host", "hob.example.com"));
    let set = page.header("set-cookie");
    let flags = ["__Host-hob_login=", "; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure"];
    table.row("a cookie without protection", flags.iter().all(|flag| set.contains(flag)), &page);
    let plain = Ask::get("/").with("Host", "hob.example.com").with("Cookie", &ada.cookie);
    table.status("a cookie planted by http", 303, &site.ask(plain));
    let page = site.ask(Ask::get("/").by(&ada));
    table.row(
        "a credential in a page",
        !page.body.contains("pbkdf2") && !page.body.contains("sha256:"),
        &page,
    );
    table.end(25);
}

#[test]
fn a_link_from_elsewhere_arrives_logged_in() {
    let (folder, _) = guarded_workspace("");
    let site = Site::start(folder, "127.0.0.1");
    let ada = site.login("ada");
    let from_elsewhere = Ask::get("/audit-log?act=login")
        .with("Sec-Fetch-Site", "cross-site")
        .with("Sec-Fetch-Mode", "navigate")
        .with("Sec-Fetch-Dest", "document");
    // The browser leaves the cookie out, so the page leads on to itself.
    let arrival = site.ask(from_elsewhere);
    assert_eq!(arrival.status, 200);
    assert!(arrival.body.contains("content=\"0; url=&#x2f;audit-log?act=login\""), "{}", arrival.body);
    let own = Ask::get("/audit-log?act=login").with("Sec-Fetch-Site", "same-origin");
    assert_eq!(site.ask(own.clone().by(&ada)).status, 200);
    assert_eq!(site.ask(own).status, 303, "who is not logged in gets to the login page");
}
