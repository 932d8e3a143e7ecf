use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;
use wiremock::matchers::{header, method, path as at, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::clock::Clock;
use crate::connection::{Credential, OauthSettings, Setup, TokenFile};
use crate::request::{ClientSettings, FileChoice, OnBytes};
use crate::secret::Secret;

const CONNECTOR: &str = "connector: x\ntitle: X\nabout: X\nauth: [{ kind: oauth, token_url: /token }]\n\
    errors: { message: [$.message] }\nlimits: { headers: { max: x-max, interval_ms: x-int, remaining: x-left } }";

const OPERATIONS: &str = "operations:\n  things.get: { title: t, summary: s, kinds: [action], method: GET, path: '/things/{id}', effect: read,\n    \
      parameters: { id: { in: path, shape: { type: string } } } }\n  \
    things.search: { title: t, summary: s, kinds: [action], method: GET, path: /things, effect: read,\n    \
      parameters: { email: { in: query, shape: { type: string } } } }\n  \
    things.create: { title: t, summary: s, kinds: [action], method: POST, path: /things, effect: create,\n    \
      body: { shape: { type: object } } }\n  \
    things.file: { title: t, summary: s, kinds: [action], method: GET, path: /file, effect: read, download: application/pdf }\n  \
    things.upload: { title: t, summary: s, kinds: [action], method: POST, path: /upload, effect: create,\n    \
      body: { encoding: multipart, shape: { type: object, fields: { file: { type: string, format: binary, required: true }, name: { type: string } } } } }\n  \
    things.untag: { title: t, summary: s, kinds: [action], method: DELETE, path: /tags, effect: idempotent,\n    \
      body: { encoding: form, shape: { type: object, fields: { tag: { type: string } } } } }\n  \
    things.find:\n    title: t\n    summary: s\n    kinds: [action]\n    effect: read\n    \
      input: { type: object, fields: { id: { type: string }, email: { type: string } } }\n    one_of: [id, email]\n    \
      composite:\n    - { when: [id], operation: things.get, with: { id: '{{ id }}' }, result: $.thing, not_found: [404] }\n    \
      - { when: [email], operation: things.search, with: { email: '{{ email }}' }, result: '$.things[0]' }\n";

struct World {
    server: MockServer,
    catalog: Catalog,
    client: Client,
}

impl World {
    async fn new() -> Self {
        let mut catalog = Catalog::default();
        let files = vec![
            ("x/connector.yaml".to_owned(), CONNECTOR.to_owned()),
            ("x/operations.yaml".to_owned(), OPERATIONS.to_owned()),
        ];
        catalog.add_folder("x", files).unwrap();
        let settings = ClientSettings { downloads: std::env::temp_dir(), ..ClientSettings::default() };
        let client = Client::new(settings, Clock::system()).unwrap();
        Self { server: MockServer::start().await, catalog, client }
    }

    fn connection(&self, credential: Credential, base_url: &str) -> Connection {
        let connector = Arc::clone(self.catalog.connector("x").unwrap());
        let setup = Setup { base_url: Some(base_url.to_owned()), credential, ..Setup::default() };
        Connection::new("x", connector, setup).unwrap()
    }

    async fn call(&self, connection: &Connection, operation: &str, inputs: Value) -> Outcome {
        let operation = self.catalog.operation(operation).unwrap();
        let options =
            CallOptions { max_wait: Duration::ZERO, files: FileChoice::Person, ..CallOptions::default() };
        let inputs = inputs.as_object().unwrap();
        self.client.call(&self.catalog, operation, inputs, connection, &options).await.unwrap()
    }

    async fn on_server(&self, operation: &str, inputs: Value) -> Outcome {
        let token = Credential::Bearer(Secret::new("token-abc"));
        self.call(&self.connection(token, &self.server.uri()), operation, inputs).await
    }
}

fn body(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Ok(answer) => answer.body,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_composite_takes_the_first_that_finds_something() {
    let world = World::new().await;
    let found = ResponseTemplate::new(200).set_body_json(json!({ "things": [{ "id": "t2" }] }));
    let empty = ResponseTemplate::new(200).set_body_json(json!({ "things": [] }));
    Mock::given(at("/things/t1")).respond_with(ResponseTemplate::new(404)).mount(&world.server).await;
    Mock::given(at("/things"))
        .and(query_param("email", "a@b"))
        .respond_with(found)
        .mount(&world.server)
        .await;
    Mock::given(at("/things"))
        .and(query_param("email", "no@b"))
        .respond_with(empty)
        .mount(&world.server)
        .await;
    let find = |inputs| world.on_server("things.find", inputs);
    assert_eq!(body(find(json!({ "id": "t1", "email": "a@b" })).await), json!({ "id": "t2" }));
    assert_eq!(body(find(json!({ "id": "t1" })).await), Value::Null);
    assert_eq!(body(find(json!({ "email": "no@b" })).await), Value::Null);
    assert_eq!(world.client.requests(), 4);
}

#[tokio::test]
async fn a_401_refreshes_the_token_once() {
    let world = World::new().await;
    let tokens = std::sync::atomic::AtomicU32::new(0);
    let token = move |_: &wiremock::Request| {
        let n = tokens.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        ResponseTemplate::new(200).set_body_json(json!({ "access_token": format!("token-number-{n}") }))
    };
    Mock::given(at("/token")).respond_with(token).expect(2).mount(&world.server).await;
    Mock::given(at("/things/1"))
        .and(header("authorization", "Bearer token-number-1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "echo": "token-number-1" })))
        .mount(&world.server)
        .await;
    Mock::given(at("/things/1")).respond_with(ResponseTemplate::new(401)).mount(&world.server).await;
    let settings = OauthSettings {
        client_id: "me".into(),
        client_secret: Secret::new("very-secret"),
        scopes: vec![],
        redirect: None,
    };
    let url = Url::parse(&world.server.uri()).unwrap();
    let connector = world.catalog.connector("x").unwrap();
    let file = TokenFile::new(std::path::Path::new("/nowhere"), "x");
    let (http, clock) = (world.client.http(), Clock::system());
    let oauth = Credential::oauth("x", connector, &url, settings, file, http, clock).unwrap();
    let connection = world.connection(oauth, url.as_str());
    let outcome = world.call(&connection, "things.get", json!({ "id": "1" })).await;
    assert_eq!(body(outcome), json!({ "echo": "token-number-1" }), "data is true");
}

#[tokio::test]
async fn the_charset_of_an_answer_is_heeded() {
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    for (bytes, media_type, expected) in [
        (
            b"{\"name\":\"M\xfcller\"}".to_vec(),
            "application/json; charset=ISO-8859-1",
            json!({ "name": "Müller" }),
        ),
        (
            utf_16("{\"name\":\"Müller\"}"),
            "application/json; charset=\"utf-16be\"",
            json!({ "name": "Müller" }),
        ),
        (b"{\"name\":\"M\xfcller\"}".to_vec(), "application/json", json!({ "name": "M\u{fffd}ller" })),
        ("\u{feff}{\"name\":\"Müller\"}".into(), "application/json", json!({ "name": "Müller" })),
        (b"na\xefve".to_vec(), "text/plain; charset=windows-1252", json!("naïve")),
    ] {
        let world = World::new().await;
        let answer = ResponseTemplate::new(200).set_body_raw(bytes, media_type);
        Mock::given(method("GET")).respond_with(answer).mount(&world.server).await;
        assert_eq!(body(world.on_server("things.get", json!({ "id": "1" })).await), expected, "{media_type}");
    }
}

#[tokio::test]
async fn a_refused_token_holds_the_connection() {
    let world = World::new().await;
    let answer = ResponseTemplate::new(401).set_body_json(json!({ "message": "bad token-abc" }));
    Mock::given(method("GET")).respond_with(answer).expect(1).mount(&world.server).await;
    let connection = world.connection(Credential::Bearer(Secret::new("token-abc")), &world.server.uri());
    let held = "connection `x` is held: 401 Unauthorized: bad ***";
    for (status, message) in [(Some(401), "401 Unauthorized: bad ***"), (None, held)] {
        // The second one is not sent.
        match world.call(&connection, "things.get", json!({ "id": "1" })).await {
            Outcome::Unauthorized { refusal, wait, reason } => {
                assert_eq!(
                    (refusal.status, refusal.message.as_str(), reason.as_str()),
                    (status, message, held)
                );
                assert!(wait > Duration::ZERO);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_429_holds_the_next_call_back() {
    let world = World::new().await;
    let answer = ResponseTemplate::new(429).insert_header("x-int", "900000").insert_header("x-max", "10");
    Mock::given(method("GET")).respond_with(answer).expect(1).mount(&world.server).await;
    let connection = world.connection(Credential::None, &world.server.uri());
    let first = world.call(&connection, "things.get", json!({ "id": "1" })).await;
    assert_eq!(first, Outcome::RateLimited { retry_after: Duration::from_secs(900) });
    let second = world.call(&connection, "things.get", json!({ "id": "1" })).await;
    assert!(matches!(second, Outcome::Held { wait, .. } if wait > Duration::from_secs(600)), "{second:?}");
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt_and_a_refused_connection_is_not() {
    let world = World::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let read = socket.read(&mut buffer).await.unwrap();
        assert!(read > 0);
        socket.shutdown().await.unwrap();
    });
    let connection = world.connection(Credential::None, &address);
    let lost = world.call(&connection, "things.create", json!({ "a": 1 })).await;
    assert!(matches!(lost, Outcome::InDoubt { status: None, .. }), "{lost:?}");
    server.await.unwrap();
    let refused = world.call(&connection, "things.create", json!({ "a": 1 })).await;
    assert!(matches!(refused, Outcome::TryAgain { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_connection_that_keeps_failing_is_left_alone() {
    let world = World::new().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(500)).mount(&world.server).await;
    let connection = world.connection(Credential::None, &world.server.uri());
    let mut tried = 0;
    // Left alone for a few seconds at first, which may be over; for longer each time.
    let outcome = loop {
        match world.call(&connection, "things.get", json!({ "id": "1" })).await {
            Outcome::TryAgain { status: Some(500), .. } if tried < 10 => tried += 1,
            other => break other,
        }
    };
    assert!(tried >= 5 && matches!(outcome, Outcome::Held { .. }), "{tried}: {outcome:?}");
    assert_eq!(world.server.received_requests().await.unwrap().len(), tried, "nothing is sent meanwhile");
}

#[tokio::test]
async fn a_download_becomes_a_file() {
    let world = World::new().await;
    let answer = ResponseTemplate::new(200).set_body_raw(b"%PDF".to_vec(), "application/pdf");
    Mock::given(at("/file")).respond_with(answer).mount(&world.server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/a.pdf");
    let connection = world.connection(Credential::None, &world.server.uri());
    let operation = world.catalog.operation("things.file").unwrap();
    let options = CallOptions { output: Some(file.clone()), ..CallOptions::default() };
    let told = Arc::new(std::sync::Mutex::new((0, None)));
    let teller = Arc::clone(&told);
    let on_bytes = OnBytes::new(move |bytes, length| *teller.lock().unwrap() = (bytes, length));
    let client = world.client.clone().with_progress(on_bytes);
    let outcome = client.call(&world.catalog, operation, &Map::new(), &connection, &options).await.unwrap();
    assert_eq!(*told.lock().unwrap(), (4, Some(4)));
    let expected = json!({ "file": file.display().to_string(), "bytes": 4, "media_type": "application/pdf",
        "sha256": "315d429b7714cedb6ad04ac31240145257692630457f3c88253c5beceac76027" });
    assert_eq!(body(outcome), expected);
    assert_eq!(std::fs::read(&file).unwrap(), b"%PDF");
    assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing half-done is left");
}

#[tokio::test]
async fn files_and_forms_are_written_as_they_should_be() {
    let world = World::new().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(201)).mount(&world.server).await;
    Mock::given(method("DELETE")).respond_with(ResponseTemplate::new(204)).mount(&world.server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    std::fs::write(&file, "content of the file").unwrap();
    let uploaded =
        world.on_server("things.upload", json!({ "file": file.display().to_string(), "name": "n" }));
    assert_eq!(body(uploaded.await), Value::Null);
    assert_eq!(body(world.on_server("things.untag", json!({ "tag": "a b" })).await), Value::Null);
    let sent = world.server.received_requests().await.unwrap();
    let upload = String::from_utf8_lossy(&sent[0].body);
    assert!(sent[0].headers["content-type"].to_str().unwrap().starts_with("multipart/form-data; boundary="));
    for part in ["name=\"file\"; filename=\"a.txt\"", "content of the file", "name=\"name\""] {
        assert!(upload.contains(part), "{part} not in {upload}");
    }
    assert_eq!(sent[1].headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(sent[1].body, b"tag=a%20b");
    let missing = world.on_server("things.upload", json!({ "file": "/no/such/file" })).await;
    assert!(
        matches!(&missing, Outcome::Refused(refusal) if refusal.message.contains("/no/such/file")),
        "{missing:?}"
    );
    assert_eq!(world.client.requests(), 2, "it is not sent without its file");
}

#[tokio::test]
async fn answers_of_apis_are_bounded() {
    let world = World::new().await;
    let answer = |status: u16, body: String| {
        let answer = ResponseTemplate::new(status).set_body_raw(body, "application/json");
        Mock::given(method("GET")).respond_with(answer).up_to_n_times(1).mount(&world.server)
    };
    let ask = || world.on_server("things.search", json!({}));
    let long = "x".repeat(3 << 20);
    for body in [
        json!({ "message": long }).to_string(),
        json!({ "message": vec![&long[..1 << 20]; 3] }).to_string(),
        json!({ "other": long }).to_string(),
        json!({ "message": long.repeat(2) }).to_string(),
        long.clone(),
        format!("[{}0]", "[],".repeat(500_000)),
    ] {
        answer(400, body).await;
        let Outcome::Refused(refusal) = ask().await else { panic!("refused") };
        let length = refusal.message.len();
        assert!((20..1200).contains(&length), "{length}: {}", &refusal.message[..100]);
    }
    for body in [format!("[{}0]", "[],".repeat(500_000)), format!("{{\"a\":\"{}\"}}", "x".repeat(33 << 20))] {
        answer(200, body).await;
        let told = ask().await.describe();
        assert!(told.contains("cannot be kept") || told.contains("larger than 32 MiB"), "{told}");
    }
}
