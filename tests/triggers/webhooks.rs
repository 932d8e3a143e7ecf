//! Webhooks over HTTP: who may send them, what they are, whom they belong to, and that each is stored once.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use flate2::Compression;
use flate2::write::GzEncoder;
use hob::catalog::{Catalog, Signature, SignatureAlgorithm};
use hob::event::EventId;
use hob::server::{FAMILIES, Server, Settings, bind, serve};
use hob::trigger::webhook::{AppSettings, Delivery, GRACE, Receiver, Refused};
use indexmap::IndexMap;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::fixture::{Account, Fixture};

const LOCATION: &str = "hobLocation00000001";

/// Bodies built like the documented ones: file, event, record.
const BODIES: [(&str, &str, &str); 33] = [
    ("AppInstall", "AppInstall", LOCATION),
    ("AppInstall-agency", "AppInstall", "hobCompany000000001"),
    ("AppUninstall", "AppUninstall", LOCATION),
    ("AppointmentUpdate", "AppointmentUpdate", "hobAppointment00001"),
    ("AssociationUpdate", "AssociationCreate|AssociationDelete|AssociationUpdate", "hobAssociation00001"),
    ("CampaignStatusUpdate", "CampaignStatusUpdate", "hobCampaign000001"),
    ("ContactDndUpdate", "ContactDndUpdate", "hobContact000000007"),
    ("ContactUpdate", "ContactUpdate", "hobContact000000007"),
    ("ConversationUnread", "ConversationUnreadWebhook", "hobConversation0001"),
    ("ExternalAuthConnected", "ExternalAuthConnected", LOCATION),
    ("InboundMessage", "InboundMessage", "hobEmail0000000001"),
    ("InvoiceDraft", "InvoiceCreate|InvoiceUpdate", "hobInvoice000000002"),
    ("InvoicePaid", "InvoicePaid", "hobInvoice000000001"),
    ("LCEmailStats", "LCEmailStats", "hobMail00000001"),
    ("LocationUpdate", "LocationUpdate", LOCATION),
    ("NoteCreate", "NoteCreate", "hobNote00000001"),
    ("ObjectSchemaCreate", "ObjectSchemaCreate|ObjectSchemaUpdate", "hobObject00000001"),
    ("OpportunityStageUpdate", "OpportunityStageUpdate", "hobOpportunity00001"),
    ("OrderStatusUpdate", "OrderStatusUpdate", "hobOrder00000001"),
    ("OutboundCall", "OutboundMessage", "hobMessage00000001"),
    ("PlanChange", "PlanChange", LOCATION),
    ("PriceCreate", "PriceCreate", "hobPrice0000000002"),
    ("PriceDelete", "PriceDelete|PriceUpdate", "hobPrice0000000001"),
    ("ProductUpdate", "ProductCreate|ProductDelete|ProductUpdate", "hobProduct000000001"),
    ("ProviderOutboundMessage-email", "ProviderOutboundMessage", "hobMessage00000003"),
    ("ProviderOutboundMessage-sms", "ProviderOutboundMessage", "hobMessage00000002"),
    ("RecordUpdate", "RecordCreate|RecordDelete|RecordUpdate", "hobRecord00000001"),
    ("RelationCreate", "RelationCreate|RelationDelete", "hobRelation0000001"),
    ("SaasPlanCreate", "SaaSPlanCreate", "hobSaas0001"),
    ("TaskCreate", "TaskCreate", "hobTask000000001"),
    ("UserCreate-agency", "UserCreate", "hobUser0000000000010"),
    ("UserCreate-location", "UserCreate", "hobUser0000000000009"),
    ("VoiceAiCallEnd", "VoiceAiCallEnd", "hobVoice000000001"),
];

const QUIET: &str = "connections: { highlevel: studio }\ntrigger: { webhook: highlevel.LocationCreate }";

/// A server with its own key.
struct Post {
    fixture: Fixture,
    address: String,
    key: Ed25519KeyPair,
    http: reqwest::Client,
    server: Server,
    settings: IndexMap<String, AppSettings>,
    _stop: watch::Sender<bool>,
}

impl Post {
    async fn new(recipes: &[&str]) -> Self {
        let settings = [("location", LOCATION), ("company", "hobCompany000000001")];
        let accounts: [Account<'_>; 2] = [
            ("studio", "highlevel", "http://127.0.0.1:1", &settings),
            ("other", "highlevel", "http://127.0.0.1:1", &[("location", "elsewhere")]),
        ];
        let fixture = Fixture::new(Catalog::built_in(), &accounts);
        let named = recipes.iter().enumerate().map(|(n, text)| fixture.named(&format!("r{n}"), text));
        // At least one recipe must listen to the app.
        let recipes: Vec<_> = named.chain([fixture.named("quiet", QUIET)]).collect();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let signature = Signature {
            header: "X-GHL-Signature".into(),
            algorithm: SignatureAlgorithm::Ed25519,
            key: STANDARD.encode(key.public_key().as_ref()),
            legacy: false,
        };
        let own = AppSettings { signatures: vec![signature], ..AppSettings::default() };
        let settings = IndexMap::from_iter([("highlevel".to_owned(), own)]);
        let receiver = Receiver::new(&fixture.catalog, &recipes, fixture.context.services.clone(), &settings);
        let server_settings = Settings { largest_body: 100_000, open_metrics: true, ..Settings::default() };
        let services = fixture.context.services.clone();
        let server = Server::new(services, receiver, Arc::default(), server_settings);
        let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (_stop, stopped) = watch::channel(false);
        tokio::spawn(serve(server.router(), listener, stopped));
        Self { fixture, address, key, http: reqwest::Client::new(), server, settings, _stop }
    }

    /// Receives for these recipes instead.
    fn receive_for(&self, recipes: &[&str]) {
        let named = recipes.iter().enumerate().map(|(n, text)| self.fixture.named(&format!("r{n}"), text));
        let recipes: Vec<_> = named.collect();
        let services = self.fixture.context.services.clone();
        self.server.swap(Receiver::new(&self.fixture.catalog, &recipes, services, &self.settings));
    }

    async fn send(
        &self,
        path: &str,
        body: impl Into<Vec<u8>>,
        header: Option<(&str, &str)>,
    ) -> (StatusCode, Value) {
        let mut request = self.http.post(format!("{}/webhooks/{path}", self.address)).body(body.into());
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// Posts to `path` with these headers; returns status, headers and body of the answer.
    async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (StatusCode, HeaderMap, Value) {
        self.ask(Method::POST, path, headers, body).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (StatusCode, HeaderMap, Value) {
        let address = format!("{}/webhooks/{path}", self.address);
        let mut request = self.http.request(method, address).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
    }

    /// The payload of the event from a post to `path`.
    async fn said(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
        let (status, _, answer) = self.post(path, headers, body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        self.event(&answer).await.payload
    }

    async fn is_duplicate(&self, path: &str, headers: &[(&str, &str)], body: &str) -> bool {
        let (status, _, answer) = self.post(path, headers, body.as_bytes()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["duplicate"] == json!(true)
    }

    async fn signed(&self, body: &[u8]) -> (StatusCode, Value) {
        let signature = STANDARD.encode(self.key.sign(body).as_ref());
        self.send("highlevel", body, Some(("x-ghl-signature", &signature))).await
    }

    async fn event(&self, answer: &Value) -> hob::event::Event {
        let id = EventId(answer["event"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
        self.fixture.context.services.journal.event(&id).await.unwrap().unwrap()
    }
}

fn body(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks");
    std::fs::read(folder.join(format!("{name}.json"))).unwrap()
}

#[tokio::test]
async fn every_kind_of_body_is_stored_as_it_is_under_its_real_type() {
    let post = Post::new(&[]).await;
    for (name, kind, record) in BODIES {
        let body = body(name);
        let (status, answer) = post.signed(&body).await;
        assert_eq!((status, &answer["duplicate"]), (StatusCode::OK, &json!(false)), "{name}: {answer}");
        let event = post.event(&answer).await;
        assert_eq!((event.kind.as_str(), event.record.as_deref()), (kind, Some(record)), "{name}");
        assert_eq!(event.connection.as_deref(), Some("studio"), "{name}");
        assert_eq!(event.payload, serde_json::from_slice::<Value>(&body).unwrap(), "{name}");
        let (status, again) = post.signed(&body).await;
        assert_eq!((status, &again["duplicate"]), (StatusCode::OK, &json!(true)), "{name}: {again}");
    }
    let totals = post.fixture.context.services.journal.totals(None).await.unwrap();
    assert_eq!(totals.events, BODIES.len() as u64);
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks")).unwrap();
    assert_eq!(files.count(), BODIES.len(), "every file is listed");
}

#[tokio::test]
async fn documented_bodies_are_taken_too() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/webhook-examples");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: {} is not there", folder.display());
        return;
    };
    let post = Post::new(&[]).await;
    let mut known = 0;
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let body = std::fs::read(&path).unwrap();
        let (status, answer) = post.signed(&body).await;
        assert_eq!(status, StatusCode::OK, "{name}: {answer}");
        if answer["duplicate"] == json!(true) {
            continue; // some events have one example between them
        }
        let event = post.event(&answer).await;
        assert_eq!(event.payload, serde_json::from_slice::<Value>(&body).unwrap(), "{name}");
        let expected = name.split('-').next().unwrap();
        let stated = event.payload["type"].as_str().unwrap_or_default();
        let right = event.kind.split('|').any(|kind| kind == expected || kind == stated);
        assert!(right, "{name} is taken for {}", event.kind);
        known += 1;
    }
    assert!(known > 50, "{known}");
}

#[tokio::test]
async fn runs_come_to_be_for_the_recipes_and_accounts_it_is_for() {
    let post = Post::new(&[
        "connections: { highlevel: [studio, other] }\ntrigger: { webhook: highlevel.ContactUpdate }",
        "connections: { highlevel: studio }\ntrigger: { webhook: [highlevel.ContactUpdate, highlevel.InvoiceUpdate] }",
        "connections: { highlevel: studio }\ntrigger: { webhook: highlevel.NoteCreate }",
    ])
    .await;
    let (_, answer) = post.signed(&body("ContactUpdate")).await;
    assert_eq!(answer["runs"], 2, "one for each recipe, on the account of its location");
    for run in post.fixture.runs().await {
        let detail = post.fixture.context.services.journal.run(&run.id).await.unwrap().unwrap();
        assert_eq!(detail.run.accounts["highlevel"], "studio");
        assert_eq!(detail.run.lane, "hobContact000000007");
    }
    let (_, again) = post.signed(&body("ContactUpdate")).await;
    assert_eq!((&again["runs"], &again["event"]), (&json!(0), &Value::Null));
    assert_eq!(post.signed(&body("InvoiceDraft")).await.1["runs"], 1, "it may be the one asked for");
    let elsewhere = json!({ "type": "ContactUpdate", "locationId": "elsewhere", "id": "c" }).to_string();
    assert_eq!(post.signed(elsewhere.as_bytes()).await.1["runs"], 1, "the first recipe's other account");
    let nowhere = json!({ "type": "ContactUpdate", "locationId": "nowhere", "id": "c" }).to_string();
    let (status, answer) = post.signed(nowhere.as_bytes()).await;
    assert_eq!((status, &answer["runs"]), (StatusCode::OK, &json!(0)));
    assert!(answer["remark"].as_str().unwrap().contains("`nowhere`"), "{answer}");
    let unheard = json!({ "type": "BusinessUpdate", "locationId": LOCATION }).to_string();
    let (status, answer) = post.signed(unheard.as_bytes()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(post.event(&answer).await.kind, "BusinessUpdate");
}

#[tokio::test]
async fn unverified_requests_are_rejected_with_a_reason() {
    let post = Post::new(&[]).await;
    let body = body("ContactUpdate");
    let good = STANDARD.encode(post.key.sign(&body).as_ref());
    let mut changed = body.clone();
    changed.push(b' ');
    for (body, header, words) in [
        (&body, None, "no X-GHL-Signature header"),
        (&body, Some("N/A"), "N/A"),
        (&body, Some(""), "nothing"),
        (&body, Some("not base64!"), "not base64"),
        (&changed, Some(good.as_str()), "does not fit"),
    ] {
        let header = header.map(|value| ("X-GHL-Signature", value));
        let (status, answer) = post.send("highlevel", body.clone(), header).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(answer["error"].as_str().unwrap().contains(words), "{answer}");
    }
    assert_eq!(post.fixture.context.services.journal.totals(None).await.unwrap().events, 0);
    for (body, words) in [("[1]", "a list"), ("7", "single value"), ("{\"a\":", "EOF"), ("", "EOF")] {
        let (status, answer) = post.signed(body.as_bytes()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(answer["error"].as_str().unwrap().contains(words), "{answer}");
    }
    let (status, _) = post.signed(&[b' '; 100_001]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, answer) = post.send("no-such", "{}", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(!answer.to_string().contains("highlevel"), "it does not tell what there is: {answer}");
}

#[tokio::test]
async fn recipe_paths_use_their_own_verification() {
    let post = Post::new(&[
        "trigger: { webhook: /open, verify: none, id: $.id }",
        "trigger: { webhook: /with/header, verify: { header: { name: X-Key, value: \"{{ env.KEY }}\" } } }",
        "trigger: { webhook: /hmac, verify: { hmac: { header: X-Sig, secret: \"{{ env.KEY }}\", prefix: sha256= } } }",
    ])
    .await;
    let (status, first) = post.send("open", r#"{"id": 5, "n": 1}"#, None).await;
    assert_eq!((status, &first["runs"]), (StatusCode::OK, &json!(1)));
    assert_eq!(post.event(&first).await.payload, json!({ "id": 5, "n": 1 }));
    let (_, again) = post.send("open", r#"{"id": 5, "n": 2}"#, None).await;
    assert_eq!(again["duplicate"], true, "the same id is the same delivery");
    assert_eq!(post.send("with/header", "{}", Some(("x-key", "k3y-k3y"))).await.0, StatusCode::OK);
    let (status, answer) = post.send("with/header", "{}", Some(("x-key", "wrong"))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!answer.to_string().contains("k3y"), "{answer}");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"k3y-k3y");
    let value = format!("sha256={}", hex::encode(ring::hmac::sign(&key, b"{\"a\":1}").as_ref()));
    assert_eq!(post.send("hmac", "{\"a\":1}", Some(("x-sig", &value))).await.0, StatusCode::OK);
    assert_eq!(post.send("hmac", "{\"a\":2}", Some(("x-sig", &value))).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn unverified_requests_never_replace_verified_ones() {
    let open = "trigger: { webhook: /in, verify: none, id: $.id }";
    let keyed =
        "trigger: { webhook: /in, verify: { header: { name: X-Key, value: \"{{ env.KEY }}\" } }, id: $.id }";
    let unset =
        "trigger: { webhook: /in, verify: { header: { name: X-Key, value: \"{{ env.GONE }}\" } }, id: $.id }";
    let key = ("x-key", "k3y-k3y");
    let post = Post::new(&[open]).await;
    assert!(!post.is_duplicate("in", &[], r#"{"id":1}"#).await);
    assert!(post.is_duplicate("in", &[], r#"{"id":1}"#).await);
    // `validate` rejects this combination; if both are present anyway, the strictest verification applies to both.
    post.receive_for(&[open, keyed]);
    let (status, _, answer) = post.post("in", &[], br#"{"id":2}"#).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
    assert_eq!(post.post("in", &[("x-key", "guess")], br#"{"id":2}"#).await.0, StatusCode::UNAUTHORIZED);
    let (status, _, answer) = post.post("in", &[key], br#"{"id":2}"#).await;
    assert_eq!((status, &answer["duplicate"]), (StatusCode::OK, &json!(false)), "{answer}");
    assert!(!post.is_duplicate("in", &[key], r#"{"id":1}"#).await, "the copy from before proved nothing");
    assert!(post.is_duplicate("in", &[key], r#"{"id":1}"#).await);
    // Nor does the open one accept requests if the other's key is unset.
    post.receive_for(&[open, unset]);
    assert_eq!(post.post("in", &[], br#"{"id":3}"#).await.0, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn every_request_is_an_event_unless_something_says_that_it_is_a_repeat() {
    let post = Post::new(&[
        "trigger: { webhook: /plain, verify: none }",
        "trigger: { webhook: /other, verify: none }",
        "trigger: { webhook: /path, verify: none, id: $.id }",
        "trigger: { webhook: /header, verify: none, id: { header: X-My-Id } }",
        "trigger: { webhook: /body, verify: none, id: { body: 10m } }",
    ])
    .await;
    let same = r#"{"email":"ada@example.com"}"#;
    assert!(!post.is_duplicate("plain", &[], same).await);
    assert!(!post.is_duplicate("plain", &[], same).await, "two people may send the same form");
    for header in ["webhook-id", "Svix-Id", "X-Request-Id", "Idempotency-Key", "X-GitHub-Delivery"] {
        assert!(!post.is_duplicate("plain", &[(header, "one")], same).await, "{header}");
        assert!(post.is_duplicate("plain", &[(header, "one")], same).await, "{header}");
        assert!(!post.is_duplicate("plain", &[(header, "two")], same).await, "{header}");
        assert!(!post.is_duplicate("other", &[(header, "one")], same).await, "{header}: of each path");
        assert!(!post.is_duplicate("plain", &[(header, " ")], same).await, "{header}");
        assert!(!post.is_duplicate("plain", &[(header, " ")], same).await, "{header}: blank");
    }
    assert!(!post.is_duplicate("plain", &[("x-request-id", "one")], "{}").await, "it may be shared");
    assert!(!post.is_duplicate("path", &[], r#"{"id":1}"#).await);
    assert!(post.is_duplicate("path", &[], r#"{"id":1,"n":2}"#).await);
    assert!(!post.is_duplicate("path", &[], same).await);
    let (_, _, answer) = post.post("path", &[], same.as_bytes()).await;
    assert_eq!(answer["duplicate"], json!(false), "without its id it is an event");
    assert!(answer["remark"].as_str().unwrap().contains("nothing at `$.id`"), "{answer}");
    assert!(!post.is_duplicate("header", &[("X-My-Id", "1")], same).await);
    assert!(post.is_duplicate("header", &[("x-my-id", "1")], "{}").await);
    assert!(!post.is_duplicate("body", &[("webhook-id", "1")], same).await);
    assert!(post.is_duplicate("body", &[("webhook-id", "2")], same).await, "the recipe says so");
    assert!(!post.is_duplicate("body", &[], "{}").await);
    post.fixture.clock.advance(TimeDelta::minutes(9));
    assert!(post.is_duplicate("body", &[], same).await);
    post.fixture.clock.advance(TimeDelta::minutes(2));
    assert!(!post.is_duplicate("body", &[], same).await, "its time is over");
    assert!(post.is_duplicate("body", &[], same).await);
}

#[tokio::test]
async fn bodies_of_every_kind_are_events() {
    let post = Post::new(&[
        "trigger: { webhook: /in, verify: none }",
        "trigger: { webhook: /kept/, verify: { hmac: { header: X-Sig, secret: \"{{ env.KEY }}\" } } }",
    ])
    .await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let parts = ("content-type", "multipart/form-data; boundary=b");
    let part = b"--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@b.example\r\n--b--\r\n";
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(br#"{"n":1}"#).unwrap();
    let packed = packed.finish().unwrap();
    let json = ("content-type", "application/json");
    let gzip = ("content-encoding", "gzip");
    for (headers, body, event) in [
        (
            &[form][..],
            &b"email=a%40b.example&tags[]=x&tags[]=y"[..],
            json!({ "email": "a@b.example", "tags": ["x", "y"] }),
        ),
        (&[form], br#"{"from":"curl -d"}"#, json!({ "from": "curl -d" })),
        (&[parts], part, json!({ "email": "a@b.example" })),
        (&[], b"", json!({})),
        (&[json], b"", json!({})),
        (&[json], br#"{"text":"see you \ud83d"}"#, json!({ "text": "see you \u{fffd}" })),
        (&[json], br#"{"n":12345678901234567890123}"#, json!({ "n": "12345678901234567890123" })),
        (&[json], b"\xef\xbb\xbf{\"n\":1}", json!({ "n": 1 })),
        (&[json, gzip], &packed, json!({ "n": 1 })),
        (&[json], b"[1, 2]", json!([1, 2])),
    ] {
        assert_eq!(post.said("in", headers, body).await, event, "{headers:?}");
    }
    assert_eq!(post.said("in/", &[], b"{}").await, json!({}));
    assert_eq!(post.said("/in//", &[], b"{}").await, json!({}));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"k3y-k3y");
    let signature = hex::encode(ring::hmac::sign(&key, &packed).as_ref());
    let signed = [json, gzip, ("x-sig", signature.as_str())];
    assert_eq!(post.said("kept", &signed, &packed).await, json!({ "n": 1 }), "signed as it was sent");
    for (status, headers, body) in [
        (StatusCode::BAD_REQUEST, &[json][..], &b"{\"a\":"[..]),
        (StatusCode::BAD_REQUEST, &[parts], b"--b\r\nContent"),
        (StatusCode::BAD_REQUEST, &[gzip], b"{}"),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, &[("content-type", "application/xml")], b"<a/>"),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, &[("content-encoding", "br")], b"{}"),
    ] {
        let (found, _, answer) = post.post("in", headers, body).await;
        assert_eq!(found, status, "{headers:?}: {answer}");
        // Errors of a body are revealed only after verification.
        assert_eq!(post.post("kept", headers, body).await.0, StatusCode::UNAUTHORIZED, "{headers:?}");
    }
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 10 << 20]).unwrap();
    let (status, _, _) = post.post("in", &[gzip], &bomb.finish().unwrap()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn browsers_may_send_from_the_origins_that_a_recipe_lists() {
    let post = Post::new(&[
        "trigger: { webhook: /form, verify: none, origins: [https://studio.example, 'http://localhost:3000'] }",
        "trigger: { webhook: /closed, verify: none }",
    ])
    .await;
    let studio = ("origin", "https://studio.example");
    let wants = ("access-control-request-headers", "content-type,x-form-key");
    let (status, headers, _) = post.ask(Method::OPTIONS, "form/", &[studio, wants], b"").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(headers["access-control-allow-origin"], "https://studio.example");
    assert_eq!(headers["access-control-allow-headers"], "content-type,x-form-key");
    assert_eq!(
        (&headers["access-control-allow-methods"], &headers["vary"]),
        (&"POST".parse().unwrap(), &"Origin".parse().unwrap())
    );
    for (path, origin) in
        [("form", "https://studio.example.evil"), ("form", "null"), ("closed", "https://studio.example")]
    {
        let (status, headers, _) = post.ask(Method::OPTIONS, path, &[("origin", origin)], b"").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path} {origin}");
        assert!(!headers.contains_key("access-control-allow-origin"));
    }
    let (status, headers, _) = post.post("form", &[studio], b"{}").await;
    assert_eq!(
        (status, &headers["access-control-allow-origin"]),
        (StatusCode::OK, &"https://studio.example".parse().unwrap())
    );
    let (status, headers, _) = post.post("form", &[studio], b"{").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "and the page can read why");
    assert!(headers.contains_key("access-control-allow-origin"));
    for method in [Method::GET, Method::PUT, Method::HEAD] {
        let (status, headers, _) = post.ask(method.clone(), "form", &[], b"").await;
        assert_eq!(
            (status, &headers["allow"]),
            (StatusCode::METHOD_NOT_ALLOWED, &"OPTIONS, POST".parse().unwrap())
        );
        assert_eq!(post.ask(method, "none", &[], b"").await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn senders_try_again_for_what_is_away() {
    let path = "trigger: { webhook: /in, verify: none }";
    let event = "connections: { highlevel: studio }\ntrigger: { webhook: highlevel.ContactUpdate }";
    let post = Post::new(&[path, event]).await;
    post.receive_for(&[]);
    let (status, headers, _) = post.post("in/", &[], b"{}").await;
    assert_eq!((status, headers.contains_key("retry-after")), (StatusCode::TOO_MANY_REQUESTS, true));
    assert_eq!(post.signed(&body("ContactUpdate")).await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(post.fixture.context.services.journal.totals(None).await.unwrap().events, 0);
    post.receive_for(&[path, event]);
    assert_eq!(post.post("in", &[], b"{}").await.0, StatusCode::OK);
    assert_eq!(post.signed(&body("ContactUpdate")).await.1["runs"], 1);
    post.receive_for(&[]);
    post.fixture.clock.advance(GRACE);
    assert_eq!(post.post("in", &[], b"{}").await.0, StatusCode::NOT_FOUND);
    assert_eq!(post.post("never", &[], b"{}").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn events_that_cannot_be_stored_are_requested_again() {
    let post = Post::new(&[]).await;
    post.fixture.context.services.journal.close().await;
    let (status, answer) = post.signed(&body("ContactUpdate")).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{answer}");
    let ready = post.http.get(format!("{}/readyz", post.address)).send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    let alive = post.http.get(format!("{}/healthz", post.address)).send().await.unwrap();
    assert_eq!(alive.status(), StatusCode::OK);
}

#[tokio::test]
async fn tells_how_it_goes_to_whom_it_concerns() {
    let post = Post::new(&["trigger: { webhook: /in, verify: none }"]).await;
    post.signed(&body("ContactUpdate")).await;
    post.signed(&body("ContactUpdate")).await;
    post.post("in/", &[], b"{}").await;
    post.post("in", &[], b"{").await;
    post.post("no/such/path", &[], b"{}").await;
    let address = format!("{}/metrics", post.address);
    let response = post.http.get(&address).send().await.unwrap();
    assert!(response.headers().contains_key("x-request-id"));
    let text = response.text().await.unwrap();
    for line in [
        "hob_events 2",
        "hob_runs{state=\"waiting\"} 1",
        "hob_runs_unfinished{recipe=\"r0\",connection=\"\",state=\"waiting\"} 1",
        "hob_connection_paused{connection=\"studio\"} 0",
        "hob_webhooks_total{path=\"highlevel\",result=\"duplicate\"} 1",
        "hob_webhooks_total{path=\"in\",result=\"stored\"} 1",
        "hob_webhooks_total{path=\"in\",result=\"refused\"} 1",
        "hob_webhooks_total{path=\"\",result=\"refused\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let told = FAMILIES.iter().all(|family| {
        // In OpenMetrics the suffix belongs to the samples.
        let name = ["_total", "_info"].iter().find_map(|suffix| family.name.strip_suffix(suffix));
        text.contains(&format!("# TYPE {} {}\n", name.unwrap_or(family.name), family.kind.name()))
    });
    assert!(told, "{text}");
}

#[tokio::test]
async fn the_apps_own_keys_can_be_used() {
    let fixture = Fixture::new(
        Catalog::built_in(),
        &[("studio", "highlevel", "http://127.0.0.1:1", &[("location", LOCATION)])],
    );
    let recipes = [fixture.named("quiet", QUIET)];
    let refused = |settings: AppSettings| {
        let settings = IndexMap::from_iter([("highlevel".to_owned(), settings)]);
        let receiver = Receiver::new(&fixture.catalog, &recipes, fixture.context.services.clone(), &settings);
        let body = br#"{"type":"ContactUpdate","id":"c-1"}"#;
        let signature = STANDARD.encode([7; 64]);
        receiver.receive(&Delivery {
            path: "highlevel",
            header: &|name| name.eq_ignore_ascii_case("x-wh-signature").then_some(signature.as_bytes()),
            body,
            largest: 1 << 20,
            received: fixture.context.services.clock.now(),
        })
    };
    // A signature that the vendor has replaced is ignored unless configured.
    let error = refused(AppSettings::default()).unwrap_err();
    assert!(error.to_string().contains("no X-GHL-Signature header"), "{error}");
    let error = refused(AppSettings { legacy: true, ..AppSettings::default() }).unwrap_err();
    assert!(error.to_string().contains("x-wh-signature does not fit"), "{error}");
    let broken = Signature {
        header: "X".into(),
        algorithm: SignatureAlgorithm::RsaSha256,
        key: "????".into(),
        legacy: false,
    };
    let error = refused(AppSettings { signatures: vec![broken], ..AppSettings::default() }).unwrap_err();
    assert_eq!(error, Refused::Absent, "a key that is none lets nobody in");
}

/// Any JSON, often with the names that routing reads.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!(LOCATION)),
        Just(json!("ContactUpdate")),
    ];
    let name = prop_oneof![
        Just("type".to_owned()),
        Just("id".to_owned()),
        Just("locationId".to_owned()),
        Just("companyId".to_owned()),
        Just("webhookId".to_owned()),
        Just("appointment".to_owned()),
        "\\PC{0,6}".prop_map(String::from),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        let fields = proptest::collection::vec((name.clone(), inner.clone()), 0..8);
        prop_oneof![
            proptest::collection::vec(inner, 0..6).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

#[test]
fn no_json_makes_routing_panic() {
    let fixture = Fixture::new(
        Catalog::built_in(),
        &[("studio", "highlevel", "http://127.0.0.1:1", &[("location", LOCATION)])],
    );
    let recipes =
        [fixture.recipe("trigger: { webhook: highlevel.ContactUpdate }\nlane: \"{{ event.a.b }}\"")];
    let open = AppSettings { unverified: true, ..AppSettings::default() };
    let settings = IndexMap::from_iter([("highlevel".to_owned(), open)]);
    let receiver = Receiver::new(&fixture.catalog, &recipes, fixture.context.services.clone(), &settings);
    proptest::proptest!(|(body in any_json())| {
        let text = body.to_string();
        let received = receiver.receive(&Delivery {
            path: "highlevel",
            header: &|_| None,
            body: text.as_bytes(),
            largest: 1 << 20,
            received: fixture.context.services.clock.now(),
        });
        proptest::prop_assert_eq!(received.is_ok(), body.is_object());
    });
}
