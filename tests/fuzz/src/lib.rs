//! Properties of any bytes from outside. Fuzz targets call these functions with generated input, ordinary tests with
//! a little random input. None may panic or take long.

use std::sync::{Arc, LazyLock};

use chrono::DateTime;
use hob::catalog::{Catalog, Effect, Operation, path};
use hob::check::{WorkspaceInfo, check};
use hob::recipe::Cron;
use hob::recipe_test;
use hob::request::paging::{self, Page, Rounds};
use hob::request::{Answer, Expected, Form, Outcome, Received, classify, result};
use hob::source::SourceFile;
use hob::template::{Scope, Sources, Template};
use hob::trigger::webhook::{Delivery, identify_event};
use hob::value::address::fill;
use hob::value::{Map, Value, read_json};
use serde_json::json;

static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::built_in()));

/// Operations whose answers are processed: one of each paging style, and of each effect.
static OPERATIONS: LazyLock<Vec<Arc<Operation>>> =
    LazyLock::new(|| CATALOG.operations().step_by(7).map(Arc::clone).collect());

/// Two bytes that choose, and the rest.
fn choice(data: &[u8]) -> Option<(usize, usize, &[u8])> {
    match data {
        [first, second, rest @ ..] => Some((usize::from(*first), usize::from(*second), rest)),
        _ => None,
    }
}

/// The body of a webhook, of any type and encoding, becomes an event or a rejection.
pub fn webhook(data: &[u8]) {
    const TYPES: [&str; 8] = [
        "application/json",
        "",
        "text/plain; charset=utf-16",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=latin1",
        "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=\"--a b\"; charset=utf-8",
        "application/vnd.api+json; charset=shift_jis",
    ];
    const ENCODINGS: [&str; 6] = ["", "gzip", "deflate", "identity", "gzip, deflate", "br"];
    const MAX_SIZE: usize = 1 << 20;
    let Some((kind, encoding, body)) = choice(data) else { return };
    let (kind, encoding) = (TYPES[kind % TYPES.len()], ENCODINGS[encoding % ENCODINGS.len()]);
    let header = |name: &str| match name {
        "content-type" => Some(kind.as_bytes()),
        "content-encoding" => Some(encoding.as_bytes()),
        _ => None,
    };
    let delivery =
        Delivery { path: "x", header: &header, body, largest: MAX_SIZE, received: DateTime::UNIX_EPOCH };
    match delivery.payload() {
        Ok(event) => {
            assert!(event.to_string().len() <= 40 * MAX_SIZE);
            for connector in CATALOG.connectors() {
                if let Some(webhooks) = &connector.webhooks {
                    identify_event(connector, webhooks, &event).kind();
                }
            }
        }
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
}

/// A recipe is parsed and checked, or rejected with spans within its text.
pub fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = SourceFile::new("any.yaml", text);
    let checked = check(&file, &CATALOG, &WorkspaceInfo::none());
    let report = checked.report;
    assert!(checked.recipes.is_empty() || !report.has_errors());
    assert!(report.diagnostics.iter().all(|diagnostic| diagnostic.span.end <= text.len()));
    let _ = report.to_string();
}

/// A template is parsed and evaluated; its pieces together are its value, and in an address values never change the
/// author's host.
pub fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, value) = text.split_once('\0').unwrap_or((text, "a/../b?c#d"));
    let Ok(template) = Template::parse(text) else { return };
    let event = read_json(value.as_bytes(), None).unwrap_or_else(|_| Value::from(value));
    let scope = Scope::new(DateTime::UNIX_EPOCH).with("event", event);
    let _ = template.holds(&scope);
    let value = template.evaluate_input(&scope);
    let pieces = template.pieces(&scope, &Sources::default());
    if let (Ok(Some(Value::String(value))), Ok(Some(pieces))) = (&value, &pieces)
        && !value.contains(['\u{fdd0}', '\u{fdd1}', '\u{fdd2}'])
    {
        let together: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(&together, value, "{text}");
    }
    if let Ok(Some(pieces)) = pieces
        && let Ok(address) = fill(&pieces)
        && let Some(rest) = text.strip_prefix("https://a.test/")
        && !rest.contains("{%")
    {
        let url = url::Url::parse(&address.text).expect("it begins with a sound host");
        assert_eq!(url.host_str(), Some("a.test"), "{}", address.text);
    }
}

/// Any answer has a meaning, and paging through a list ends.
pub fn answer(data: &[u8]) {
    const STATUS: [u16; 12] = [200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 503];
    let Some((operation, status, body)) = choice(data) else { return };
    let operation = &OPERATIONS[operation % OPERATIONS.len()];
    let status = STATUS[status % STATUS.len()];
    let (form, body) = match read_json(body, None) {
        Ok(body) => (Form::Json, body),
        Err(_) if body.is_empty() => (Form::Nothing, Value::Null),
        Err(_) => (Form::Text, String::from_utf8_lossy(body).into()),
    };
    let connector = CATALOG.connector(&operation.connector);
    for effect in [Effect::Read, Effect::Idempotent, Effect::Create] {
        let received = Received::Answer {
            status,
            headers: Default::default(),
            form,
            body: body.clone(),
            at: DateTime::UNIX_EPOCH,
        };
        let outcome =
            classify(effect, &Expected::from_operation(operation), connector.map(AsRef::as_ref), received);
        assert!(outcome.describe().chars().count() < 4000);
        if let Outcome::Ok(answer) = outcome {
            take_apart(operation, &answer);
        }
    }
}

fn take_apart(operation: &Operation, answer: &Answer) {
    let _ = result(operation, &answer.body, None);
    let _ = hob::run::differences(operation, &Map::new(), &answer.body);
    let Some(listing) = &operation.list else { return };
    let mut rounds = Rounds::default();
    let mut at = paging::first(&listing.paging);
    for number in 1..50 {
        let Ok(items) = paging::items(operation, listing, &answer.body) else { return };
        let page = Page { answer: &answer.body, link: None, items: &items, number };
        let Ok(next) = paging::next(operation, &listing.paging, &at, page) else { return };
        let texts: Vec<String> = items.iter().map(Value::to_string).collect();
        if rounds.check(&operation.id, &at, number, &texts, next.as_ref()).is_err() {
            return;
        }
        let Some(next) = next else { return };
        at = next;
    }
    panic!("the same page of `{}` is read again and again", operation.id);
}

/// Every request about any text is answered, and so is what is no message.
pub fn lsp(data: &[u8]) {
    let Some((line, character, text)) = choice(data) else { return };
    let uri = "file:///any/recipes/any.yaml";
    let at = json!({
        "textDocument": { "uri": uri },
        "position": { "line": line, "character": character },
        "range": { "start": { "line": 0, "character": 0 }, "end": { "line": line, "character": character } },
        "context": { "includeDeclaration": true, "diagnostics": [], "triggerKind": 1 },
        "newName": "other",
    });
    // Beginning like a recipe, so that it is taken for one.
    let text = format!("name: a\ntrigger: {{ manual: {{}} }}\nactions:\n{}", String::from_utf8_lossy(text));
    let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
    let mut messages = vec![
        json!({ "id": 0, "method": "initialize", "params": { "capabilities": {} } }),
        json!({ "method": "textDocument/didOpen", "params": { "textDocument": document } }),
    ];
    let methods =
        ["completion", "hover", "definition", "references", "rename", "documentSymbol", "codeAction"];
    let requests = methods.iter().zip(1..);
    messages.extend(
        requests.map(
            |(method, id)| json!({ "id": id, "method": format!("textDocument/{method}"), "params": at }),
        ),
    );
    let mut input: Vec<u8> = Vec::new();
    for message in messages {
        let message = message.to_string();
        input.extend(format!("Content-Length: {}\r\n\r\n{message}", message.len()).bytes());
    }
    input.extend(format!("Content-Length: {}\r\n\r\n", data.len()).bytes());
    input.extend(data);
    input.extend(data);
    let mut output: Vec<u8> = Vec::new();
    let served = hob::lsp::serve(Box::new(std::io::Cursor::new(input)), &mut output, [].into());
    assert!(served.is_ok());
    let output = String::from_utf8_lossy(&output);
    assert!(!output.contains("hob has a fault"), "{output}");
    assert!(output.matches("\"id\":").count() > methods.len(), "{output}");
}

/// A cron expression is rejected, or its times ascend.
pub fn cron(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (expression, zone) = text.split_once('\0').map_or((text, None), |(text, zone)| (text, Some(zone)));
    let Ok(cron) = Cron::parse(expression, zone) else { return };
    let mut at = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
    for _ in 0..4 {
        let Some(next) = cron.next_after(at) else { return };
        assert!(next > at, "{expression}: {next} after {at}");
        at = next;
    }
}

/// A JSONPath is rejected, or finds something or nothing, as a template's too; what is found is a list only where the
/// path may lead to several values.
pub fn jsonpath(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, value) =
        text.split_once('\0').unwrap_or((text, r#"{"a":[{"b":1,"c d":null},{"b":[2,[]]}],"":{"*":"x"}}"#));
    let value = read_json(value.as_bytes(), None).unwrap_or_else(|_| Value::from(value));
    let found = path::read(&value, text);
    if path::check(text).is_err() {
        assert!(text == "$" || found.is_none(), "{text} finds {found:?}");
    }
    if let Ok(taken) = path::take(value.clone(), text) {
        assert!(!taken.is_null(), "{text}");
    }
    let scope = Scope::new(DateTime::UNIX_EPOCH).with("event", value).with("path", Value::from(text));
    let template = Template::parse("{{ event | jsonpath(path) | default(none) }}").expect("a template");
    let _ = template.evaluate(&scope);
}

/// A test file is read, or rejected with spans within its text.
pub fn tests(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = SourceFile::new("any.test.yaml", text);
    let (tests, found) = recipe_test::parse(&file, &CATALOG);
    assert!(found.iter().all(|diagnostic| diagnostic.span.end <= text.len()));
    assert!(!tests.cases.is_empty() || !found.is_empty(), "{text}");
}
