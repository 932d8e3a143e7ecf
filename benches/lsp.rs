//! Completion while typing in a workspace of 1,000 recipes, with the real program over its standard input and output
//! (`cargo bench --bench lsp`). Fails above the limit.

#[expect(dead_code, reason = "tests use more of it")]
#[path = "../tests/cli/language_client.rs"]
mod language_client;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use language_client::{LanguageClient, address};
use serde_json::json;

/// Recipes of the workspace.
const RECIPES: usize = 1_000;
/// Completions of each kind.
const ROUNDS: usize = 100;
/// The longest time between a key and its completions, for 99 of 100.
const LIMIT: Duration = Duration::from_millis(50);

const SETTINGS: &str = "connections:\n  studio: { connector: highlevel, location: l, auth: { token: pit-12345 } }\n  fitr: { connector: fitr, base_url: 'https://fitr.example', auth: { header: { name: X, value: key-12345678 } } }\n";
const BEGINNING: &str = "description: A client becomes a contact.\ntrigger:\n  poll: fitr.clients.list\n  every: 5m\n  emit: [new, changed]\nwhen: \"{{ event.email }}\"\nvars:\n  first: \"{{ event.full_name | split(' ') | first }}\"\nactions:\n  - id: contact\n    do: contacts.upsert\n    with:\n      email: \"{{ event.email | lower }}\"\n      firstName: \"{{ vars.first }}\"\n";
const STEP: &str = "  - do: contacts.notes.create\n    if: \"{{ event.program }}\"\n    with:\n      contactId: \"{{ steps.contact.id }}\"\n      body: \"{{ vars.first }}: {{ event.program }}\"\n";

/// What is typed at the end of the recipe, and a completion that must be offered then.
const KINDS: [(&str, &str, &str); 4] = [
    ("operations", "  - do: ", "opportunities.create"),
    ("inputs", "  - do: contacts.upsert\n    with:\n      ", "phone"),
    ("fields of events", "  - do: log\n    with: { message: \"{{ event.", "full_name"),
    ("fields of results", "  - do: log\n    with: { message: \"{{ steps.contact.", "firstName"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    write(folder.path())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_hob"));
    command.arg("lsp").env_clear();
    let start = Instant::now();
    let mut editor = LanguageClient::start(command, folder.path(), json!({}));
    let path = folder.path().join("recipes/r500.yaml");
    let text = recipe(500);
    editor.open(&path, &text);
    println!("ready         {:>10.1?} after the start", start.elapsed());
    let broken = folder.path().join("recipes/broken.yaml");
    editor.diagnostics(&broken, |told| !told.is_empty());
    println!("all checked   {:>10.1?} after the start ({RECIPES} recipes)", start.elapsed());
    let mut all = Vec::new();
    for (kind, typed, wanted) in KINDS {
        let mut times = Vec::new();
        for round in 0..ROUNDS {
            times.push(complete(&mut editor, &path, &text, typed, wanted, round)?);
        }
        times.sort_unstable();
        println!("{kind:<18}{:>10.1?} median {:>10.1?} worst", times[ROUNDS / 2], times[ROUNDS - 1]);
        all.extend(times);
    }
    all.sort_unstable();
    let slow = all[all.len() * 99 / 100];
    println!("99 of 100     {slow:>10.1?} (at most {LIMIT:?})");
    println!("ratio         {:>10.2} (at most 1)", slow.as_secs_f64() / LIMIT.as_secs_f64());
    editor.end();
    if slow > LIMIT { Err("completion takes too long".into()) } else { Ok(()) }
}

/// The time from a key to the completions after it.
fn complete(
    editor: &mut LanguageClient,
    path: &Path,
    text: &str,
    typed: &str,
    wanted: &str,
    round: usize,
) -> Result<Duration, Box<dyn std::error::Error>> {
    // Another text each time, so that it is checked again, and the other recipes beside it.
    let text = format!("{text}{}{typed}", "# a comment\n".repeat(round % 7));
    let line = text.matches('\n').count();
    let character = text.rsplit('\n').next().unwrap_or_default().len();
    let document = json!({ "uri": address(path), "version": round });
    let start = Instant::now();
    let changes = json!([{ "text": text }]);
    editor.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    let position = json!({ "line": line, "character": character });
    let labels = editor.completions(json!({ "textDocument": document, "position": position }));
    let time = start.elapsed();
    match labels.iter().any(|label| label == wanted) {
        true => Ok(time),
        false => Err(format!("`{wanted}` is not in {labels:?}").into()),
    }
}

fn write(folder: &Path) -> std::io::Result<()> {
    fs::create_dir(folder.join("recipes"))?;
    fs::write(folder.join("hob.yaml"), SETTINGS)?;
    for number in 0..RECIPES - 1 {
        fs::write(folder.join(format!("recipes/r{number}.yaml")), recipe(number))?;
    }
    fs::write(folder.join("recipes/broken.yaml"), recipe(RECIPES).replace("upsert", "upsrt"))
}

/// A recipe of 60 lines.
fn recipe(number: usize) -> String {
    format!("name: r{number}\n{BEGINNING}{}", STEP.repeat(9))
}
