//! Real input to begin with.

use std::path::Path;

use hob::catalog::Catalog;
use hob::template::{filters, tests as template_tests};

/// Recipes: those of the gallery, and those of the checker's tests, which have every kind of mistake.
pub fn recipes() -> Vec<Vec<u8>> {
    let folders = ["recipes", "tests/check/err", "tests/check/ok", "tests/check/codes"];
    folders.iter().flat_map(|folder| files(folder, false)).collect()
}

/// Test files of the gallery.
pub fn tests() -> Vec<Vec<u8>> {
    files("recipes", true)
}

/// The examples of all filters and tests, each with an event.
pub fn templates() -> Vec<Vec<u8>> {
    let event =
        r#"{"id":7,"email":"Ada@Example.com","tags":["a","b"],"none":null,"notes":[{"text":"x"}],"n":19.9}"#;
    let own = [
        "https://a.test/{{ event.id }}/x?q={{ event.email }}",
        "{% for n in event.notes %}{{ loop.index }}{{ n.text }}{% else %}none{% endfor %}",
        "{% set total = event.n * 100 %}{% if total > 5 and event.tags %}{{ total }}{% endif %}",
        "{{ [event.first, event.last] | join_present | default(omit) }}",
        "{{ event.email | lower if event.email else event.tags[0] | default('x') }}",
        "{{ {'a': event.notes | map(attribute='text') | list, 'b': event.tags[1:]} }}",
    ];
    let examples = filters().iter().chain(template_tests()).map(|spec| spec.example);
    examples.chain(own).map(|text| format!("{text}\0{event}").into_bytes()).collect()
}

/// JSONPaths of the catalog, and of other forms, each with what they search.
pub fn paths() -> Vec<Vec<u8>> {
    let catalog = Catalog::built_in();
    let mut known: Vec<String> = catalog.operations().flat_map(|one| one.result.clone()).collect();
    known.sort();
    known.dedup();
    let own = [
        "$.a[?@.b > 1 && @.c == 'x']['c d']",
        "$..b[-1:0:-1]",
        "$['a'][*,0,?length(@.b) == 2 || count(@.*) > 1]",
        "$.a[?match(@.b, '^[0-9]{1,9}$')].b",
        "$.a[?search(@.b, '(a|b)*c') && !@.d]",
        "$[?@ == $.a[0].b]",
        "$.\u{e9}['\\u00e9'][1000000000000]",
    ];
    let data = r#"{"a":[{"b":1,"c d":null,"c":"x"},{"b":[2,[]]}],"contacts":[{"id":"1"}],"":{"*":"x"}}"#;
    known
        .into_iter()
        .chain(own.map(str::to_owned))
        .map(|path| format!("{path}\0{data}").into_bytes())
        .collect()
}

/// Cron expressions with time zones.
pub fn schedules() -> Vec<Vec<u8>> {
    let all = [
        "*/5 9-17 * * MON-FRI\0Europe/Berlin",
        "0 0 29 2 *\0UTC",
        "@daily\0America/New_York",
        "5,10 1/2 L * 7",
        "30 2 * 3,10 SUN#2\0Europe/London",
        "0 0 31 */2 0-6/2\0Australia/Lord_Howe",
        "59 23 1-7,15 JAN-DEC ?\0Asia/Kathmandu",
    ];
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The steps of recipes, with a place in them.
pub fn messages() -> Vec<Vec<u8>> {
    let steps = |recipe: Vec<u8>| {
        let text = String::from_utf8(recipe).unwrap();
        let (_, steps) = text.split_once("\nactions:\n")?;
        Some([b"\x06\x14", steps.as_bytes()].concat())
    };
    recipes().into_iter().filter_map(steps).collect()
}

/// Bodies of webhooks, with the bytes that choose their type.
pub fn bodies() -> Vec<Vec<u8>> {
    let all: [&[u8]; 6] = [
        b"\0\0{\"type\":\"ContactCreate\",\"id\":\"c1\",\"n\":[1.5e3,null,{}]}",
        b"\x03\0a[b][]=1&a%5Bc%5D=%zz&=&x",
        b"\x05\0--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\nb\r\n--x--",
        b"\x02\0\xff\xfea\0b\0",
        b"\x02\x01\x1f\x8b\x08\0\0\0\0\0\0\x03",
        b"\x07\0\x83\x65\x83\x58\x83\x67",
    ];
    all.iter().map(|body| body.to_vec()).collect()
}

/// Answers of APIs, with the bytes that choose operation and status.
pub fn answers() -> Vec<Vec<u8>> {
    let all: [&[u8]; 4] = [
        b"\x05\0{\"contacts\":[{\"id\":\"1\"}],\"meta\":{\"total\":1e30,\"nextPage\":18446744073709551615}}",
        b"\x11\x09{\"message\":[\"a\",{\"b\":1}],\"traceId\":[]}",
        b"\x20\0[]",
        b"\x21\x01<html>",
    ];
    let chosen = |(body, operation): (&[u8], u8)| [&[operation], &body[1..]].concat();
    (0..=255).flat_map(|operation| all.map(|body| chosen((body, operation)))).collect()
}

/// The YAML files of a folder: tests of recipes, or all others.
fn files(folder: &str, tests: bool) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_wanted = |path: &std::path::PathBuf| {
        let name = path.to_string_lossy();
        name.ends_with(".yaml") && name.ends_with(".test.yaml") == tests
    };
    let mut paths: Vec<_> = entries.filter(is_wanted).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}
