//! Recipes that are edited while the program runs.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use hob::connection::http_client;
use hob::sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::listening::{Listening, listen};
use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;

/// Longest wait for anything.
const TIMEOUT: Duration = Duration::from_secs(120);

fn write(folder: &Path, name: &str, tag: &str) {
    let text = format!(
        "name: {name}\ntrigger: {{ webhook: /{name}, verify: none }}\nactions:\n  \
         - {{ do: contacts.upsert, with: {{ email: \"{{{{ event.email }}}}\", tags: [{tag}] }} }}\n"
    );
    // Like an editor.
    let aside = folder.join("recipes").join(format!("{name}.tmp"));
    fs::write(&aside, text).unwrap();
    fs::rename(aside, folder.join("recipes").join(format!("{name}.yaml"))).unwrap();
}

/// Posts to `path` until `done`, or fails.
fn post_until(stand_in: &StandIn, address: &str, path: &str, what: &str, done: impl Fn(u16) -> bool) {
    let client = http_client(&Default::default()).unwrap();
    let begun = Instant::now();
    let mut number = 0;
    loop {
        number += 1;
        let body = json!({ "email": format!("{path}-{number}@example.com"), "number": number });
        let posted = client.post(format!("{address}/webhooks/{path}")).json(&body);
        let status = stand_in.runtime.block_on(async { posted.send().await.unwrap().status().as_u16() });
        if done(status) {
            return;
        }
        assert!(begun.elapsed() < TIMEOUT, "{what} never happens");
        stand_in.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
    }
}

/// Whether a contact was ever saved with this tag.
fn saved_with(stand_in: &StandIn, tag: &str) -> bool {
    stand_in.sandbox.log().iter().any(|entry| entry.body.to_string().contains(&format!("\"{tag}\"")))
}

#[test]
fn a_sound_recipe_is_swapped_and_a_broken_one_stays_what_it_was() {
    let stand_in = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
    write(folder.path(), "form", "first");
    let Listening { mut child, address } = listen(folder.path());
    post_until(&stand_in, &address, "form", "the first version", |_| saved_with(&stand_in, "first"));

    write(folder.path(), "form", "second");
    post_until(&stand_in, &address, "form", "the second version", |_| saved_with(&stand_in, "second"));

    // A broken edit and a new recipe: the old version stays, the new recipe is added.
    fs::write(
        folder.path().join("recipes/form.yaml"),
        "name: form\ntrigger: { webhook: /form }\nactions: 3\n",
    )
    .unwrap();
    write(folder.path(), "other", "third");
    post_until(&stand_in, &address, "other", "the new recipe", |status| status == 200);
    post_until(&stand_in, &address, "other", "the new recipe's run", |_| saved_with(&stand_in, "third"));
    post_until(&stand_in, &address, "form", "the kept recipe", |status| status == 200);

    fs::remove_file(folder.path().join("recipes/other.yaml")).unwrap();
    post_until(&stand_in, &address, "other", "the removal", |status| status == 429);

    // Moved in two steps, into a new folder, while the whole folder is gone for a moment.
    let text = fs::read(folder.path().join("recipes/form.yaml")).unwrap();
    assert!(text.ends_with(b"actions: 3\n"), "it is still the broken one");
    write(folder.path(), "form", "fourth");
    post_until(&stand_in, &address, "form", "the mended recipe", |_| saved_with(&stand_in, "fourth"));
    fs::rename(folder.path().join("recipes/form.yaml"), folder.path().join("form.aside")).unwrap();
    post_until(&stand_in, &address, "form", "its going", |status| status == 429);
    fs::create_dir(folder.path().join("recipes/more")).unwrap();
    fs::rename(folder.path().join("form.aside"), folder.path().join("recipes/more/form.yaml")).unwrap();
    post_until(&stand_in, &address, "form", "its coming back", |status| status == 200);
    fs::rename(folder.path().join("recipes"), folder.path().join("aside")).unwrap();
    post_until(&stand_in, &address, "form", "the folder's going", |status| status == 429);
    fs::rename(folder.path().join("aside"), folder.path().join("recipes")).unwrap();
    post_until(&stand_in, &address, "form", "the folder's coming back", |status| status == 200);
    write(folder.path(), "late", "fifth");
    post_until(&stand_in, &address, "late", "a recipe in the folder that came back", |status| status == 200);
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_run_that_outlives_the_program_ends_with_the_recipe_it_began_with() {
    let stand_in = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
    let recipe = |tag: &str| {
        let text = format!(
            "name: hand\ntrigger: {{ manual: {{}} }}\nactions:\n  \
             - {{ do: contacts.upsert, with: {{ email: a@example.com }} }}\n  \
             - {{ do: contacts.upsert, with: {{ email: a@example.com, tags: [{tag}] }} }}\n"
        );
        fs::write(folder.path().join("recipes/hand.yaml"), text).unwrap();
    };
    recipe("first");
    // There is no answer while it runs.
    stand_in.sandbox.add_fault(Fault { times: Some(1), what: FaultKind::Hang, ..Fault::default() });
    let Listening { mut child, .. } = listen(folder.path());
    hob_with(folder.path(), &["trigger", "hand", "--event", "-"], "{}").code(0);
    let begun = Instant::now();
    while stand_in.sandbox.totals().0 == 0 {
        assert!(begun.elapsed() < TIMEOUT, "the run never begins");
        stand_in.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(5)).await });
    }
    child.kill().unwrap();
    child.wait().unwrap();
    recipe("second");
    hob(folder.path(), &["run", "--once"]).code(0);
    assert!(saved_with(&stand_in, "first") && !saved_with(&stand_in, "second"));
    // The next one uses the current recipe.
    hob_with(folder.path(), &["trigger", "hand", "--event", "-"], "{}").code(0);
    hob(folder.path(), &["run", "--once"]).code(0);
    assert!(saved_with(&stand_in, "second"));
}

#[test]
fn runs_that_waited_for_their_recipe_go_on_as_soon_as_it_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("recipes")).unwrap();
    std::fs::write(folder.join("hob.yaml"), "{}\n").unwrap();
    for name in ["one", "two"] {
        let recipe = format!(
            "name: {name}\ntrigger: {{ manual: {{}} }}\nactions: [{{ do: log, with: {{ message: x }} }}]\n"
        );
        std::fs::write(folder.join(format!("recipes/{name}.yaml")), recipe).unwrap();
        hob(folder, &["trigger", name]).code(0);
    }
    let only_two = hob(folder, &["run", "recipes/two.yaml", "--once", "--format", "json"]);
    assert_eq!(only_two.json()["runs"], serde_json::json!({ "succeeded": 1 }), "{}", only_two.errors);
    let all = hob(folder, &["run", "--once", "--format", "json"]).code(0).json();
    assert_eq!(all["runs"], serde_json::json!({ "succeeded": 1 }), "{all}");
}
