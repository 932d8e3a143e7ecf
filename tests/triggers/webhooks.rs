//! Webhooks over HTTP: who may send them, what they are, whose they are, and that each is kept once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hob::catalog::{Catalog, Signature, SignatureAlgorithm};
use hob::event::EventId;
use hob::server::{Server, Settings, bind, serve};
use hob::trigger::webhook::{AppSettings, Receiver};
use indexmap::IndexMap;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use reqwest::StatusCode;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::stage::{Account, Stage};

const LOCATION: &str = "hobLocation00000001";

/// Bodies of our own making, built like the documented ones: file, event, record.
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

/// A server with a key of its own.
struct Post {
    stage: Stage,
    address: String,
    key: Ed25519KeyPair,
    http: reqwest::Client,
    _stop: watch::Sender<bool>,
}

impl Post {
    async fn new(recipes: &[&str]) -> Self {
        let settings = [("location", LOCATION), ("company", "hobCompany000000001")];
        let accounts: [Account<'_>; 2] = [
            ("studio", "highlevel", "http://127.0.0.1:1", &settings),
            ("other", "highlevel", "http://127.0.0.1:1", &[("location", "elsewhere")]),
        ];
        let stage = Stage::new(Catalog::built_in(), &accounts);
        let named = recipes.iter().enumerate().map(|(n, text)| stage.named(&format!("r{n}"), text));
        let recipes: Vec<_> = named.collect();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let signature = Signature {
            header: "X-GHL-Signature".into(),
            algorithm: SignatureAlgorithm::Ed25519,
            key: STANDARD.encode(key.public_key().as_ref()),
        };
        let own = AppSettings { unverified: false, signatures: vec![signature] };
        let settings = IndexMap::from_iter([("highlevel".to_owned(), own)]);
        let receiver = Receiver::new(&stage.catalog, &recipes, stage.around.clone(), &settings).unwrap();
        let around = &stage.around;
        let server = Server::new(
            Arc::clone(&around.journal),
            receiver,
            around.client.clone(),
            around.clock.clone(),
            Settings { largest_body: 100_000, ..Settings::default() },
        );
        let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (_stop, stopped) = watch::channel(false);
        tokio::spawn(async move { serve(&server, listener, stopped).await });
        Self { stage, address, key, http: reqwest::Client::new(), _stop }
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

    async fn signed(&self, body: &[u8]) -> (StatusCode, Value) {
        let signature = STANDARD.encode(self.key.sign(body).as_ref());
        self.send("highlevel", body, Some(("x-ghl-signature", &signature))).await
    }

    async fn event(&self, answer: &Value) -> hob::event::Event {
        let id = EventId(answer["event"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
        self.stage.around.journal.event(&id).await.unwrap().unwrap()
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
    let totals = post.stage.around.journal.totals(None).await.unwrap();
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
    for run in post.stage.runs().await {
        let detail = post.stage.around.journal.run(&run.id).await.unwrap().unwrap();
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
async fn what_proves_nothing_is_refused_with_a_reason() {
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
    assert_eq!(post.stage.around.journal.totals(None).await.unwrap().events, 0);
    for (body, words) in [("[1]", "a list"), ("7", "single value"), ("{\"a\":", "EOF"), ("", "EOF")] {
        let (status, answer) = post.signed(body.as_bytes()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(answer["error"].as_str().unwrap().contains(words), "{answer}");
    }
    let (status, _) = post.signed(&[b' '; 100_001]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, answer) = post.send("no-such", "{}", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(answer["error"].as_str().unwrap().contains("/webhooks/highlevel"), "{answer}");
}

#[tokio::test]
async fn paths_of_recipes_own_prove_themselves_in_their_own_ways() {
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
async fn what_cannot_be_stored_is_asked_for_again() {
    let post = Post::new(&[]).await;
    post.stage.around.journal.close().await;
    let (status, answer) = post.signed(&body("ContactUpdate")).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{answer}");
    let ready = post.http.get(format!("{}/readyz", post.address)).send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    let alive = post.http.get(format!("{}/healthz", post.address)).send().await.unwrap();
    assert_eq!(alive.status(), StatusCode::OK);
}

#[tokio::test]
async fn tells_how_it_goes() {
    let post = Post::new(&[]).await;
    post.signed(&body("ContactUpdate")).await;
    post.signed(&body("ContactUpdate")).await;
    let response = post.http.get(format!("{}/metrics", post.address)).send().await.unwrap();
    assert!(response.headers().contains_key("x-request-id"));
    let text = response.text().await.unwrap();
    for line in ["hob_events 1", "hob_webhooks_total{result=\"duplicate\"} 1"] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

#[tokio::test]
async fn the_apps_own_keys_can_be_used() {
    let stage = Stage::new(Catalog::built_in(), &[]);
    let receiver = Receiver::new(&stage.catalog, &[], stage.around.clone(), &IndexMap::new());
    assert!(receiver.is_ok(), "{:?}", receiver.err());
    let broken = AppSettings {
        unverified: false,
        signatures: vec![Signature {
            header: "X".into(),
            algorithm: SignatureAlgorithm::RsaSha256,
            key: "????".into(),
        }],
    };
    let settings = IndexMap::from_iter([("highlevel".to_owned(), broken)]);
    let error = Receiver::new(&stage.catalog, &[], stage.around.clone(), &settings).err().unwrap();
    assert!(error.to_string().contains("header X"), "{error}");
}

/// Any JSON, more often than not with the names that routing looks at.
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
    let stage = Stage::new(
        Catalog::built_in(),
        &[("studio", "highlevel", "http://127.0.0.1:1", &[("location", LOCATION)])],
    );
    let recipes = [stage.recipe("trigger: { webhook: highlevel.ContactUpdate }\nlane: \"{{ event.a.b }}\"")];
    let open = AppSettings { unverified: true, signatures: vec![] };
    let settings = IndexMap::from_iter([("highlevel".to_owned(), open)]);
    let receiver = Receiver::new(&stage.catalog, &recipes, stage.around.clone(), &settings).unwrap();
    proptest::proptest!(|(body in any_json())| {
        let text = body.to_string();
        let received = receiver.receive("highlevel", |_| None, text.as_bytes(), stage.around.clock.now());
        proptest::prop_assert_eq!(received.is_ok(), body.is_object());
    });
}
