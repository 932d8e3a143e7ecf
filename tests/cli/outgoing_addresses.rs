//! Where values of events lead: a table of addresses and of ways to write them, each sent by the program with its own
//! recipe to a server that records requests.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::program::hob;

/// The expected result of a row.
enum Expected {
    /// The server receives this, apart from the query's `row`.
    Sent(&'static str),
    /// Nothing is sent, and the run fails with this message.
    Refused(&'static str),
    /// A dry run would send it there.
    WouldSend(&'static str),
}
use Expected::{Refused, Sent, WouldSend};

/// How a recipe uses the value in a request.
enum By {
    /// `http.request` with this address; `SERVER` is `http://127.0.0.1:PORT`, `PORT` its port.
    Url(&'static str),
    /// `http.request` with variables, as YAML, and this address.
    Vars(&'static str, &'static str),
    /// An operation of a catalog, with these inputs, as YAML.
    Operation(&'static str, &'static str),
}
use By::{Operation, Url, Vars};

const PUBLIC: &str = "may name public ones only";
const GET: &str = "{ id: '{{ event.value }}' }";

fn rows() -> Vec<(By, &'static str, Expected)> {
    let path = || Url("SERVER/contacts/{{ event.value }}");
    let whole = || Url("{{ event.value }}");
    let several =
        || Url("SERVER{% for part in event.value | trim('/') | split('/') %}/{{ part }}{% endfor %}");
    let host = || Url("http://{{ event.value }}/x");
    let operation = || Operation("things.delete", GET);
    vec![
        // It stays one segment of a path.
        (path(), "c1", Sent("GET /contacts/c1")),
        (path(), "a/b", Sent("GET /contacts/a%2Fb")),
        (path(), "../admin", Sent("GET /contacts/..%2Fadmin")),
        (path(), "x?admin=1#y", Sent("GET /contacts/x%3Fadmin%3D1%23y")),
        (path(), "a\\b", Sent("GET /contacts/a%5Cb")),
        (path(), "a%2fb", Sent("GET /contacts/a%252fb")),
        (path(), "ü é", Sent("GET /contacts/%C3%BC%20%C3%A9")),
        (path(), "a\r\nHost: evil", Sent("GET /contacts/a%0D%0AHost%3A%20evil")),
        (path(), "", Refused("is empty")),
        (path(), " ", Refused("is blank")),
        (path(), "\t\u{200b}", Refused("is blank")),
        (path(), "%20", Refused("is blank")),
        (path(), "\u{3164}", Refused("is blank")),
        (path(), "..", Refused("must not be `..`")),
        (path(), ".", Refused("must not be `.`")),
        (path(), "%2e%2e", Refused("must not be `..`")),
        (path(), "%252E.", Refused("must not be `..`")),
        (Url("SERVER/c/{{ event.value }}.{{ event.value }}"), "", Refused("must not be `.`")),
        (Url("SERVER/c/{{ event.value }}/tasks"), "", Refused("is empty")),
        (Url("SERVER/c/x-{{ event.value }}.json"), "../", Sent("GET /c/x-..%2F.json")),
        (Url("SERVER/{{ event.value | urlencode }}"), "a/b c", Sent("GET /a%2Fb%20c")),
        (Url("{{ 'SERVER/c/' ~ event.value ~ '/t' }}"), "a/b", Sent("GET /c/a%2Fb/t")),
        (Url("{{ ['SERVER', event.value] | join('/') }}"), "..", Refused("must not be `..`")),
        (Vars("{ base: SERVER }", "{{ vars.base }}/{{ event.value }}"), "a/b", Sent("GET /a%2Fb")),
        (Vars("{ u: 'SERVER/{{ event.value }}' }", "{{ vars.u }}"), "a/b", Sent("GET /a%2Fb")),
        (Vars("{ u: 'SERVER/{{ event.value }}' }", "{{ vars.u }}/t"), "", Refused("is empty")),
        (
            Url("SERVER/{% if event.value %}{{ event.value }}{% else %}none{% endif %}"),
            "a/b",
            Sent("GET /a%2Fb"),
        ),
        (several(), "/v1/x y/", Sent("GET /v1/x%20y")),
        (several(), "/v1/../admin", Refused("must not be `..`")),
        (Url("{{ event.value | default('SERVER') }}/x"), "SERVER", Refused(PUBLIC)),
        (Url("{{ event.other | default('SERVER') }}/{{ event.value }}"), "a/b", Sent("GET /a%2Fb")),
        (Url("{{ event.value or env.LAN }}/x"), "", Sent("GET /x")),
        // It stays one value of a query.
        (Url("SERVER/s?q={{ event.value }}"), "a&admin=1#x", Sent("GET /s?q=a%26admin%3D1%23x")),
        (Url("SERVER/s?q={{ event.value }}"), "", Sent("GET /s?q=")),
        (Url("SERVER/s?{{ event.value }}=1"), "a=b&c", Sent("GET /s?a%3Db%26c=1")),
        // Operations of a catalog.
        (operation(), "c1", Sent("DELETE /api/things/c1")),
        (operation(), "a/b?c#d", Sent("DELETE /api/things/a%2Fb%3Fc%23d")),
        (operation(), "..", Refused("must not be `..`")),
        (operation(), "%2e%2e", Refused("must not be `..`")),
        (operation(), " ", Refused("is blank")),
        (operation(), "", Refused("is empty")),
        (operation(), "\u{feff}", Refused("is blank")),
        (Operation("things.bare", GET), ".evil.example", Sent("GET /api/.evil.example")),
        (Operation("things.bare", GET), "@evil.example/", Sent("GET /api/%40evil.example%2F")),
        (
            Operation("things.find", "{ q: '{{ event.value }}' }"),
            "a&b=/",
            Sent("GET /api/things?q=a%26b%3D%2F"),
        ),
        // A host named by the author is allowed.
        (Url("{{ {'a': 'SERVER', 'b': 'http://b.test'}[event.value] }}/x"), "a", Sent("GET /x")),
        (Url("{{ env.LAN }}/{{ event.value }}"), "x", Sent("GET /x")),
        (Url("{{ 'SERVER' if event.value else env.LAN }}/x"), "", Sent("GET /x")),
        (Url("http://localhost:PORT/{{ event.value }}"), "x", Sent("GET /x")),
        // A host chosen by an event must be public, however it is written.
        (whole(), "SERVER/x", Refused(PUBLIC)),
        (whole(), "http://localhost:PORT/x", Refused(PUBLIC)),
        (whole(), "http://localhost.:PORT/x", Refused(PUBLIC)),
        (whole(), "http://127.0.0.1.:PORT/x", Refused(PUBLIC)),
        (whole(), "http://2130706433:PORT/x", Refused(PUBLIC)),
        (whole(), "http://0x7f000001:PORT/x", Refused(PUBLIC)),
        (whole(), "http://0177.0.0.1:PORT/x", Refused(PUBLIC)),
        (whole(), "http://127.1:PORT/x", Refused(PUBLIC)),
        (whole(), "http://0:PORT/x", Refused(PUBLIC)),
        (whole(), "http://%31%32%37.0.0.1:PORT/x", Refused(PUBLIC)),
        (whole(), "http://１２７.０.０.１:PORT/x", Refused(PUBLIC)),
        (whole(), "http://[::1]:PORT/x", Refused(PUBLIC)),
        (whole(), "http://[::]:PORT/x", Refused(PUBLIC)),
        (whole(), "http://[::ffff:127.0.0.1]:PORT/x", Refused(PUBLIC)),
        (whole(), "http://[::ffff:7f00:1]:PORT/x", Refused(PUBLIC)),
        (whole(), "http://[64:ff9b::7f00:1]/x", Refused(PUBLIC)),
        (whole(), "http://[2002:7f00:1::]/x", Refused(PUBLIC)),
        (whole(), "http://good.example@127.0.0.1:PORT/x", Refused(PUBLIC)),
        (whole(), "http://127.0.0.1:PORT\\@good.example/x", Refused(PUBLIC)),
        (whole(), "  http:\\\\127.0.0.1:PORT\\x", Refused(PUBLIC)),
        (whole(), "http:127.0.0.1:PORT/x", Refused(PUBLIC)),
        (whole(), "http://169.254.169.254/latest/meta-data", Refused(PUBLIC)),
        (whole(), "http://[fd00:ec2::254]/latest", Refused(PUBLIC)),
        (whole(), "http://100.100.100.200/", Refused(PUBLIC)),
        (whole(), "http://10.0.0.1/", Refused(PUBLIC)),
        (whole(), "http://172.16.0.1/", Refused(PUBLIC)),
        (whole(), "http://192.168.0.1/", Refused(PUBLIC)),
        (whole(), "http://224.0.0.1/", Refused(PUBLIC)),
        (whole(), "file:///etc/passwd", Refused("must begin with http:// or https://")),
        (host(), "127.0.0.1:PORT", Refused(PUBLIC)),
        (host(), "localhost:PORT", Refused(PUBLIC)),
        (host(), "x@127.0.0.1:PORT", Refused("is part of the host")),
        (host(), "a.example/..", Refused("is part of the host")),
        (host(), "", Refused("is empty")),
        (Url("http://{{ event.value }}.api.example/x"), "evil.example#", Refused("is part of the host")),
        (Url("http://{{ event.value }}.api.example/x"), "evil.example/", Refused("is part of the host")),
        (Url("http://localhost:{{ event.value }}/x"), "PORT", Refused(PUBLIC)),
        (Url("SERVER{{ event.value }}"), "/x", Refused("is part of the host")),
        (Url("SERVER{{ event.value }}"), "@evil.example/", Refused("is part of the host")),
        (Url("{{ event.value }}://127.0.0.1:PORT/x"), "http", Refused(PUBLIC)),
        (Vars("{ u: '{{ event.value }}' }", "{{ vars.u }}"), "SERVER/x", Refused(PUBLIC)),
        (Url("{{ steps.answer.body.next }}"), "x", Refused(PUBLIC)),
        // A redirect is not an answer and is not followed.
        (Url("SERVER/redirect/{{ event.value }}"), "x", Refused("redirects are not followed")),
        (whole(), "https://hooks.example.com/a?b=1", WouldSend("POST https://hooks.example.com/a?b=1")),
        (host(), "hooks.example.com:8443", WouldSend("POST http://hooks.example.com:8443/x")),
        (
            Url("https://{{ event.value }}.example.com/x"),
            "eu-1",
            WouldSend("POST https://eu-1.example.com/x"),
        ),
        (whole(), "https://93.184.215.14/x", WouldSend("POST https://93.184.215.14/x")),
        (whole(), "https://[2606:4700::1111]/x", WouldSend("POST https://[2606:4700::1111]/x")),
        (Operation("things.moved", GET), "x", Refused("redirects are not followed")),
    ]
}

/// A server that records the first line of each request, by `row` of its query.
struct Server {
    port: u16,
    asked: Arc<Mutex<BTreeMap<usize, Vec<String>>>>,
}

impl Server {
    fn start(values: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<BTreeMap<usize, Vec<String>>>> = Arc::default();
        let written = Arc::clone(&asked);
        let values: Vec<String> = values.iter().map(|value| at(value, port)).collect();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (written, values) = (Arc::clone(&written), values.clone());
                std::thread::spawn(move || serve(&stream, port, &values, &written));
            }
        });
        Self { port, asked }
    }
}

fn serve(stream: &TcpStream, port: u16, values: &[String], written: &Mutex<BTreeMap<usize, Vec<String>>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut first, mut length, mut credential) = (String::new(), 0, false);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.to_ascii_lowercase();
            credential |= line.starts_with("authorization:");
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let asked = first.trim().trim_end_matches(" HTTP/1.1");
        let (asked, row) = asked.rsplit_once(['?', '&']).unwrap();
        // The one without a number is the target of the redirect.
        let row: usize = row.trim_start_matches("row=").parse().unwrap_or(usize::MAX);
        let body = if asked.starts_with("GET /api/list") {
            json!({ "items": [{ "id": "1", "value": values[row] }] })
        } else {
            let mark = if credential && row == usize::MAX { " with a credential" } else { "" };
            written.lock().unwrap().entry(row).or_default().push(format!("{asked}{mark}"));
            json!({ "next": format!("http://127.0.0.1:{port}/next?row={row}") })
        };
        let body = body.to_string();
        let status = match asked.contains("/redirect/") {
            true => format!("302 Found\r\nlocation: http://127.0.0.1:{port}/elsewhere?row=stolen"),
            false => "200 OK".to_owned(),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = stream;
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn at(text: &str, port: u16) -> String {
    text.replace("SERVER", &format!("http://127.0.0.1:{port}")).replace("PORT", &port.to_string())
}

const CONNECTOR: &str = "connector: things
title: Things
about: A server of the test.
auth: [{ kind: bearer }]
";
const OPERATIONS: &str = "operations:
  things.list:
    { title: List, summary: All., kinds: [poller, action], method: GET, path: /list, result: ['$.items[*]'],
      parameters: { row: { in: query, shape: { type: string } } },
      list: { items: ['$.items[*]'], id: [id], paging: { style: none } }, effect: read }
  things.delete:
    { title: Delete, summary: One less., kinds: [action], method: DELETE, path: '/things/{id}',
      parameters: { id: { in: path, shape: { type: string } }, row: { in: query, shape: { type: string } } }, effect: idempotent }
  things.bare:
    { title: Bare, summary: A path without its first slash., kinds: [action], method: GET, path: '{id}',
      parameters: { id: { in: path, shape: { type: string } }, row: { in: query, shape: { type: string } } }, effect: read }
  things.moved:
    { title: Moved, summary: It has moved., kinds: [action], method: GET, path: '/redirect/{id}',
      parameters: { id: { in: path, shape: { type: string } }, row: { in: query, shape: { type: string } } }, effect: read }
  things.find:
    { title: Find, summary: By text., kinds: [action], method: GET, path: /things,
      parameters: { q: { in: query, shape: { type: string } }, row: { in: query, shape: { type: string } } }, effect: read }
";

fn recipe(row: usize, by: &By, dry: bool, port: u16) -> String {
    let mut text = format!(
        "name: row-{row}\ntrigger: {{ poll: things.list, with: {{ row: '{row}' }}, every: 5m, start: all }}\n"
    );
    let quoted = |text: &str| format!("'{}'", at(text, port).replace('\'', "''"));
    let request = |url: &str| {
        let method = if dry { "POST" } else { "GET" };
        let query = if dry { "" } else { &format!(", query: {{ row: '{row}' }}") };
        format!("http.request, with: {{ method: {method}, url: {}{query} }}", quoted(url))
    };
    let (vars, step) = match by {
        Url(url) => ("", request(url)),
        Vars(vars, url) => (*vars, request(url)),
        Operation(id, with) => {
            let with = with.trim_end_matches(" }");
            ("", format!("{id}, with: {with}, row: '{row}' }}"))
        }
    };
    if !vars.is_empty() {
        writeln!(text, "vars: {}", at(vars, port)).unwrap();
    }
    text += "actions:\n";
    if step.contains("steps.answer") {
        let answer = format!("http://127.0.0.1:{port}/answer?row={row}");
        writeln!(text, "  - {{ id: answer, do: http.request, with: {{ url: '{answer}' }} }}").unwrap();
    }
    writeln!(text, "  - {{ do: {step}, retry: {{ attempts: 1 }} }}").unwrap();
    text
}

/// Runs the rows, as a dry run or not: the error of each run, and all output.
fn run(rows: &[(By, &str, Expected)], server: &Server, dry: bool) -> (BTreeMap<usize, String>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let port = server.port;
    fs::create_dir_all(path.join("connectors/things")).unwrap();
    fs::create_dir(path.join("recipes")).unwrap();
    fs::write(path.join("connectors/things/connector.yaml"), CONNECTOR).unwrap();
    fs::write(path.join("connectors/things/things.yaml"), OPERATIONS).unwrap();
    fs::write(path.join(".env"), format!("LAN=http://127.0.0.1:{port}\n")).unwrap();
    let connection =
        "connections: { things: { connector: things, base_url: SERVER/api, auth: { token: secret-token } } }";
    fs::write(path.join("hob.yaml"), at(connection, port) + "\nenv: [LAN]\n").unwrap();
    for (row, (by, ..)) in rows.iter().enumerate().filter(|(_, row)| is_dry(row) == dry) {
        fs::write(path.join(format!("recipes/row-{row}.yaml")), recipe(row, by, dry, port)).unwrap();
    }
    if dry {
        let ended = hob(path, &["run", "--once", "--dry-run"]);
        return (BTreeMap::new(), ended.output + &ended.errors);
    }
    let ended = hob(path, &["run", "--once"]);
    let listed = hob(path, &["runs", "list", "--state", "failed", "--limit", "1000", "--format", "json"]);
    let failed = listed.code(0).json();
    let failed = failed.as_array().unwrap().iter().map(|run| {
        let row = run["recipe"].as_str().unwrap().trim_start_matches("row-").parse().unwrap();
        (row, run["error"].as_str().unwrap_or_default().to_owned())
    });
    (failed.collect(), ended.output + &ended.errors)
}

/// The last rows are about public addresses, which tests never contact.
fn is_dry((_, _, expected): &(By, &str, Expected)) -> bool {
    matches!(expected, WouldSend(_))
}

#[test]
fn a_value_of_an_event_stays_within_its_recipes_address() {
    let rows = rows();
    let server = Server::start(rows.iter().map(|(_, value, _)| (*value).to_owned()).collect());
    let (failed, told) = run(&rows, &server, false);
    let asked = server.asked.lock().unwrap().clone();
    let (_, dry) = run(&rows, &server, true);
    let mut wrong = Vec::new();
    for (row, (_, value, expected)) in rows.iter().enumerate() {
        let sent = asked.get(&row).cloned().unwrap_or_default();
        let sent: Vec<&String> = sent.iter().filter(|sent| !sent.contains("/answer")).collect();
        let error = failed.get(&row).map_or("", String::as_str);
        let fine = match expected {
            Sent(to) => sent == [to] && error.is_empty(),
            Refused("redirects are not followed") => {
                sent.len() == 1 && error.contains("redirects are not followed")
            }
            Refused(part) => sent.is_empty() && error.contains(part),
            WouldSend(to) => dry.contains(&format!("would send {to}")),
        };
        if !fine {
            wrong.push(format!("row {row}, {value:?}: sent {sent:?}, failed with {error:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{told}\n{dry}", wrong.join("\n"));
    assert!(rows.len() >= 80, "{} rows", rows.len());
    assert_eq!(asked.get(&usize::MAX), None, "no credential and no request follows a redirect");
}
