//! `hob replay`: recorded runs with edited recipes, without any request.

use std::fs;

use serde_json::Value;

use crate::program::{EndedRun, hob, hob_with};
use crate::stand_in::StandIn;

/// Reads each contact, gives it a tag, and notes it.
const RECIPE: &str = "name: tagger
trigger: { poll: contacts.search, start: all }
when: \"{{ event.id }}\"
actions:
  - { id: whole, do: contacts.get, with: { contactId: \"{{ event.id }}\" } }
  - { id: tag, do: contacts.tags.add, with: { contactId: \"{{ event.id }}\", tags: [from-hob] } }
  - { id: note, do: contacts.notes.create, with: { contactId: \"{{ steps.whole.id }}\", body: \"seen {{ now() | date('%Y') }}\" } }
";

/// A workspace in which the recipe has run on all contacts.
struct Recorded {
    stand_in: StandIn,
    folder: tempfile::TempDir,
    contacts: Vec<String>,
    requests: u64,
}

impl Recorded {
    fn new(recipe: &str) -> Self {
        let (stand_in, folder) = (StandIn::start(), tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("recipes")).unwrap();
        fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
        fs::write(folder.path().join("recipes/tagger.yaml"), recipe).unwrap();
        hob(folder.path(), &["run", "--once"]).code(0);
        let contacts = stand_in.sandbox.records("highlevel", "contacts", usize::MAX).unwrap();
        let contacts = contacts.iter().map(|contact| contact["id"].as_str().unwrap().to_owned()).collect();
        let requests = stand_in.sandbox.totals().0;
        Self { stand_in, folder, contacts, requests }
    }

    fn edit(&self, recipe: &str) {
        fs::write(self.folder.path().join("recipes/tagger.yaml"), recipe).unwrap();
    }

    /// Replays; nothing is sent.
    fn replay(&self, arguments: &[&str], code: i32) -> EndedRun {
        let ended = hob(self.folder.path(), &[&["replay"], arguments].concat()).code(code);
        assert_eq!(self.stand_in.sandbox.totals().0, self.requests, "a replay sends nothing");
        ended
    }

    fn json(&self, arguments: &[&str], code: i32) -> Value {
        self.replay(&[arguments, &["--format", "json"]].concat(), code).json()
    }
}

#[test]
fn edits_are_told_by_record() {
    let recorded = Recorded::new(RECIPE);
    let all = recorded.contacts.len();
    assert!(all >= 40, "{all} contacts");
    // As it is, and with what makes no difference.
    for same in [
        RECIPE.to_owned(),
        format!("# a comment\n{RECIPE}"),
        RECIPE.replace("id: whole", "id: contact").replace("steps.whole", "steps.contact"),
        RECIPE.replace("id: note, ", "id: note, retry: { attempts: 3 }, "),
    ] {
        recorded.edit(&same);
        let page = recorded.json(&["tagger"], 0);
        assert_eq!((&page["replayed"], &page["same"]), (&all.into(), &all.into()), "{page:#}");
    }
    // Another tag for 37 of them.
    let chosen = serde_json::to_string(&recorded.contacts[..37]).unwrap().replace('"', "'");
    let planted = format!("\"{{{{ ['other'] if event.id in {chosen} else ['from-hob'] }}}}\"");
    recorded.edit(&RECIPE.replace("[from-hob]", &planted));
    let page = recorded.json(&["--since", "24h"], 1);
    assert_eq!((&page["different"], &page["inconclusive"]), (&37.into(), &0.into()), "{page:#}");
    let [change] = page["changes"].as_array().unwrap().as_slice() else { panic!("{page:#}") };
    assert_eq!(
        (&change["records"], &change["what"], &change["step"]),
        (&37.into(), &"changed".into(), &"tag".into())
    );
    assert_eq!((&change["file"], &change["line"]), (&"recipes/tagger.yaml".into(), &6.into()));
    let field = &change["values"][0]["fields"][0];
    assert_eq!(
        (&field["field"], &field["before"][0], &field["after"][0]),
        (&"tags".into(), &"from-hob".into(), &"other".into())
    );
    let text = recorded.replay(&[], 1).output;
    let expected = "recipes/tagger.yaml:6:20 tagger, step `tag` (contacts.tags.add): 37 contacts would get other values\n  \
                    tags: [\"from-hob\"] → [\"other\"]\n";
    assert!(text.starts_with(expected) && text.contains(" and 34 more; --all shows each"), "{text}");
    let every = recorded.replay(&["--all"], 1).output;
    assert!(recorded.contacts[..37].iter().all(|contact| every.contains(contact.as_str())), "{every}");
    let one = recorded.json(&["--limit", "1"], 1);
    assert_eq!(one["changes"][0]["examples"].as_array().unwrap().len(), 1);
    // One run by its id.
    let run = one["changes"][0]["examples"][0]["run"].as_str().unwrap();
    let page = recorded.json(&["--run", run], 1);
    assert_eq!((&page["replayed"], &page["different"]), (&1.into(), &1.into()), "{page:#}");
}

#[test]
fn what_was_not_recorded_is_inconclusive() {
    let recorded = Recorded::new(RECIPE);
    let all: Value = recorded.contacts.len().into();
    let filtered = RECIPE.replace("when: \"{{ event.id }}\"", "when: \"{{ event.id == 'nobody' }}\"");
    recorded.edit(&filtered);
    let page = recorded.json(&[], 1);
    let ends = &page["changes"][0];
    assert_eq!((&ends["before"], &ends["after"]), (&"succeeded".into(), &"filtered".into()), "{page:#}");
    let gone: Vec<&Value> =
        page["changes"].as_array().unwrap()[1..].iter().map(|change| &change["what"]).collect();
    assert_eq!(gone, ["removed", "removed"]);
    // A read that was not made.
    let read = RECIPE.replace(
        "  - { id: note, ",
        "  - { id: notes, do: contacts.notes.list, with: { contactId: \"{{ event.id }}\" } }\n  - { id: note, if: \"{{ steps.notes }}\", ",
    );
    recorded.edit(&read);
    let page = recorded.json(&[], 1);
    assert_eq!((&page["inconclusive"], &page["different"]), (&all, &0.into()), "{page:#}");
    let uncertainties = page["uncertainties"].as_array().unwrap();
    let steps: Vec<&Value> = uncertainties.iter().map(|uncertainty| &uncertainty["step"]).collect();
    assert_eq!(steps, ["note", "notes"], "{page:#}");
    let text = recorded.replay(&[], 1).output;
    assert!(text.contains("contacts.notes.list was not read with these inputs"), "{text}");
    assert!(text.contains("so that these steps are not known either: `note` in"), "{text}");
    let follows: Vec<&Value> = uncertainties.iter().map(|uncertainty| &uncertainty["follows"]).collect();
    assert_eq!(follows, [true, false], "{page:#}");
    // One less, and in another order.
    recorded.edit(
        &RECIPE
            .lines()
            .filter(|line| !line.contains("id: tag,"))
            .fold(String::new(), |all, line| all + line + "\n"),
    );
    let page = recorded.json(&[], 1);
    assert_eq!(
        (&page["changes"][0]["what"], &page["changes"][0]["records"]),
        (&"removed".into(), &all),
        "{page:#}"
    );
    let mut lines: Vec<&str> = RECIPE.lines().collect();
    lines.swap(5, 6);
    recorded.edit(&(lines.join("\n") + "\n"));
    let page = recorded.json(&[], 1);
    assert_eq!(
        (&page["changes"][0]["what"], &page["changes"][0]["records"]),
        (&"moved".into(), &all),
        "{page:#}"
    );
}

#[test]
fn recipes_that_cannot_be_replayed_are_told() {
    let recorded = Recorded::new(RECIPE);
    recorded.edit(&RECIPE.replace("contacts.tags.add", "contacts.tag.add"));
    let broken = recorded.replay(&["tagger"], 1);
    assert!(broken.errors.contains("recipes/tagger.yaml:6:"), "{}", broken.errors);
    recorded.edit(&RECIPE.replace("name: tagger", "name: contact-tagger"));
    let renamed = recorded.replay(&[], 1);
    assert!(
        renamed.errors.contains("of `tagger`")
            && renamed.errors.contains("if it is called `contact-tagger` now"),
        "{}",
        renamed.errors
    );
    let named = recorded.replay(&["contact-tagger"], 0);
    assert!(named.errors.contains("its file was that of `tagger`"), "{}", named.errors);
    assert!(recorded.replay(&["tagger"], 2).errors.contains("no recipe is called `tagger`"));
    recorded.edit(RECIPE);
    assert!(recorded.replay(&["--state", "failed"], 0).errors.contains("there are no such runs"));
    assert!(recorded.replay(&["--run", "run_ff"], 2).errors.contains("no run"));
    let empty = tempfile::tempdir().unwrap();
    hob(empty.path(), &["init", "."]).code(0);
    assert!(hob(empty.path(), &["replay"]).code(2).errors.contains("there is no history yet"));
}

#[test]
fn runs_of_the_sandbox_are_replayed_too() {
    let folder = tempfile::tempdir().unwrap();
    hob(folder.path(), &["init", "."]).code(0);
    let path = folder.path().join("recipes/tagger.yaml");
    // Few requests: the sandbox has the limits of the API.
    let recipe = "name: tagger\ntrigger: { poll: contacts.search, start: all }\nactions:\n  \
        - { do: contacts.tags.add, with: { contactId: \"{{ event.id }}\", tags: [\"in {{ connection.highlevel.location }}\"] } }\n";
    fs::write(&path, recipe).unwrap();
    hob(folder.path(), &["run", "--sandbox", "--once", "recipes/tagger.yaml"]).code(0);
    let replay = |code: i32| {
        hob(folder.path(), &["replay", "tagger", "--sandbox", "--format", "json"]).code(code).json()
    };
    let page = replay(0);
    assert!(page["same"].as_u64().unwrap() >= 40, "{page:#}");
    fs::write(&path, recipe.replace("in {{", "of {{")).unwrap();
    assert_eq!(replay(1)["different"], page["same"]);
}

#[test]
fn a_run_under_way_is_counted_and_left_out() {
    let recipe = "name: tagger\ntrigger: { manual: {} }\nactions:\n  - { do: wait, with: { for: 1h } }\n";
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), "connections: {}\n").unwrap();
    fs::write(folder.path().join("recipes/tagger.yaml"), recipe).unwrap();
    hob_with(folder.path(), &["trigger", "tagger", "--event", "-"], "{}").code(0);
    let page = hob(folder.path(), &["replay", "--format", "json"]).code(0).json();
    assert_eq!(
        (&page["replayed"], &page["not_replayed"][0]["reason"]),
        (&0.into(), &"unfinished".into()),
        "{page:#}"
    );
}
