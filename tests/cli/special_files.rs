//! Pipes and devices instead of files, and files with unexpected content.

#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use std::path::Path;

#[cfg(unix)]
use crate::program::hob;

#[cfg(unix)]
const RECIPE: &str =
    "name: one\ntrigger: { webhook: /one, verify: none }\nactions: [{ do: log, with: { message: m } }]\n";

#[cfg(unix)]
fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Nobody writes to them, so reading one would never end.
#[cfg(unix)]
#[test]
fn pipes_in_place_of_files_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("connectors/club")).unwrap();
    fs::create_dir(path.join("recipes")).unwrap();
    fs::write(path.join("hob.yaml"), "").unwrap();
    fs::write(path.join("connectors/club/connector.yaml"), "connector: club\ntitle: Club\nabout: A.\n")
        .unwrap();
    fs::write(path.join("recipes/one.yaml"), RECIPE).unwrap();
    let pipes =
        ["recipes/x.yaml", "recipes/y.YML", ".env", "connectors/club/x.yaml", "connectors/club/sandbox.yaml"];
    pipes.iter().for_each(|name| pipe(&path.join(name)));
    std::os::unix::fs::symlink("/dev/zero", path.join("recipes/zero.yaml")).unwrap();
    let told = hob(path, &["validate"]).code(0).errors;
    for name in pipes.iter().filter(|name| !name.ends_with("sandbox.yaml")).chain(&["recipes/zero.yaml"]) {
        assert!(told.lines().any(|line| line.contains(name) && line.contains("left out")), "{name}: {told}");
    }
    for name in ["recipes/x.yaml", "recipes/zero.yaml", "/dev/zero"] {
        assert!(hob(path, &["validate", name]).code(2).errors.contains("a pipe or a device"), "{name}");
    }
    // A link back is not followed, and a device is not a store.
    std::os::unix::fs::symlink(".", path.join("recipes/loop")).unwrap();
    let looped = hob(path, &["validate"]).code(0).errors;
    assert!(looped.contains("it is a link to a folder that it lies in"), "{looped}");
    pipe(&path.join("pipe.db"));
    fs::write(path.join("hob.yaml"), "store: sqlite:pipe.db\n").unwrap();
    assert!(hob(path, &["run", "--once"]).code(3).errors.contains("is a pipe or a device, not a file"));
    fs::write(path.join("hob.yaml"), "").unwrap();
    let sandbox = hob(path, &["run", "--sandbox", "--once"]).code(0).errors;
    assert!(sandbox.contains("sandbox.yaml"), "{sandbox}");

    // Reloading still works.
    let mut running = crate::listening::listen(path);
    fs::write(path.join("recipes/two.yaml"), RECIPE.replace(": one", ": two").replace("/one", "/two"))
        .unwrap();
    pipe(&path.join("recipes/z.yaml"));
    let begun = std::time::Instant::now();
    while crate::pause_resume::post(&running.address, "/webhooks/two", "{}") != 200 {
        assert!(begun.elapsed().as_secs() < 60, "the new recipe is not taken up");
    }
    running.child.kill().unwrap();
    running.child.wait().unwrap();

    fs::remove_file(path.join("hob.yaml")).unwrap();
    pipe(&path.join("hob.yaml"));
    assert!(hob(path, &["validate"]).code(2).errors.contains("hob.yaml"));
    assert!(hob(path, &["run", "--once"]).code(2).errors.contains("a pipe or a device"));
}

#[cfg(unix)]
#[test]
fn unmaskable_secrets_and_ambiguous_lines_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("recipes")).unwrap();
    let text = "connections: { a: { connector: fitr, base_url: http://h, auth: { header: { name: X-Key, value: '${KEY}' } } } }\nenv: [HOOK, { name: PIN, secret: true }, LONG]\n";
    fs::write(path.join("hob.yaml"), text).unwrap();
    fs::write(path.join(".env"), "KEY=k-1\nPIN=1234\nHOOK=ab12\nLONG=x\nsk-live-secret\nLONG=\"open\n")
        .unwrap();
    let recipe =
        RECIPE.replace("verify: none", "verify: { header: { name: X-Key, value: '{{ env.HOOK }}' } }");
    fs::write(path.join("recipes/one.yaml"), recipe).unwrap();
    let ended = hob(path, &["validate"]).code(0);
    let once = hob(path, &["run", "--once"]).code(0).errors;
    let places = ["hob.yaml:1:96", "hob.yaml:2:21", ".env:5:1", ".env:6:1"];
    for place in places {
        assert!(ended.output.contains(place) && once.contains(place), "{place}: {}\n{once}", ended.output);
    }
    assert!(
        ended.output.contains("one.yaml:2:67") && ended.output.contains("soon guessed"),
        "{}",
        ended.output
    );
    for secret in ["k-1", "1234", "ab12", "sk-live", "open"] {
        assert!(!ended.output.contains(secret) && !once.contains(secret), "{secret}: {}", ended.output);
    }
}
