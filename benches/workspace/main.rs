//! A large workspace on one core: 1,000 recipes of 60 lines are validated beside check-jsonschema and ajv, which know
//! their structure only, and 500 tests run (`cargo bench --bench workspace`). Fails above the limits.
//!
//! The other two are taken from PATH, and left out where they are not installed: `pip install check-jsonschema`, `npm
//! install --global ajv-cli`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RECIPES: usize = 1000;
const TESTS: usize = 500;
/// The longest that validating and testing may take.
const LIMITS: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// The fastest of so many counts.
const TIMES: usize = 3;

const RECIPE: &str = include_str!("recipe.yaml");
const HOB: &str = "connections:\n  studio: { connector: highlevel, location: here, auth: { token: not-a-token } }\n  \
    fitr: { connector: fitr, base_url: 'http://127.0.0.1:9', auth: { header: { name: X-API-Key, value: not-a-key } } }\n\
    env: [ALERT_URL]\n";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hob.yaml"), HOB).unwrap();
    write_recipes(&folder.path().join("recipes"));
    let hob = env!("CARGO_BIN_EXE_hob");
    let validated = fastest(folder.path(), &[hob, "validate"]).unwrap();
    println!("hob validate        {validated:>9.2?} of {RECIPES} recipes (at most {:?})", LIMITS[0]);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/recipe.schema.json");
    let schema = schema.to_str().unwrap();
    let files = "shopt -s nullglob; exec \"$0\" \"$@\" recipes/*.yaml";
    compare(
        "check-jsonschema",
        validated,
        fastest(folder.path(), &["bash", "-c", files, "check-jsonschema", "--schemafile", schema]),
    );
    let ajv = ["ajv", "validate", "--spec=draft2020", "--strict=false", "-s", schema, "-d", "recipes/*.yaml"];
    compare("ajv", validated, fastest(folder.path(), &ajv));
    write_tests(&folder.path().join("recipes"));
    let tested = fastest(folder.path(), &[hob, "test"]).unwrap();
    println!("hob test            {tested:>9.2?} of {TESTS} tests (at most {:?})", LIMITS[1]);
    assert!(validated <= LIMITS[0] && tested <= LIMITS[1], "too slow");
}

fn compare(name: &str, validated: Duration, other: Option<Duration>) {
    match other {
        Some(other) => {
            let ratio = other.as_secs_f64() / validated.as_secs_f64();
            println!("{name:<19} {other:>9.2?}, {ratio:.1} times as long");
        }
        None => println!("{name:<19} is not installed: LEFT OUT"),
    }
}

/// How long a command takes in `folder` on one core; `None` if there is no such command.
fn fastest(folder: &Path, command: &[&str]) -> Option<Duration> {
    let program = if command[0] == "bash" { command[3] } else { command[0] };
    let found = Command::new("which").arg(program).stdout(Stdio::null()).status().unwrap();
    if !found.success() {
        return None;
    }
    let time = || {
        let begun = Instant::now();
        let mut one_core = Command::new("taskset");
        let ended = one_core.args(["-c", "0"]).args(command).current_dir(folder).output().unwrap();
        assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
        begun.elapsed()
    };
    (0..TIMES).map(|_| time()).min()
}

fn write_recipes(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for number in 0..RECIPES {
        fs::write(folder.join(format!("{number}.yaml")), RECIPE.replace("NUMBER", &number.to_string()))
            .unwrap();
    }
}

/// Tests of the first ten recipes.
fn write_tests(folder: &Path) {
    for recipe in 0..10 {
        let tests: String = (0..TESTS / 10).map(test).collect();
        fs::write(folder.join(format!("{recipe}.test.yaml")), format!("tests:\n{tests}")).unwrap();
    }
}

fn test(number: usize) -> String {
    format!(
        "  - name: client {number}
    event: {{ id: {number}, email: Ada{number}@Example.com, full_name: Ada Lovelace, phone: \"07400123456\" }}
    stubs: {{ contacts.upsert: {{ result: {{ id: c{number} }} }} }}
    expect:
      requests:
        - {{ do: contacts.upsert, with: {{ email: ada{number}@example.com }} }}
        - {{ do: contacts.tags.add, with: {{ contactId: c{number} }} }}
        - {{ do: contacts.tasks.create, with: {{ contactId: c{number} }} }}
        - {{ do: contacts.notes.create, with: {{ contactId: c{number} }} }}
        - {{ do: contacts.update, with: {{ contactId: c{number} }} }}
"
    )
}
