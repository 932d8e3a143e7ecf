//! Defects of an SQLite file, and their messages.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hob::event::Seen;
use hob::journal::{Access, Batch, Error, Progress, Queries, RunFilter, Sqlite};

use crate::fixture::{StoreLocation, add, cursor};

fn refusal(path: &Path) -> Error {
    match Sqlite::open(path, Access::Runner) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

/// The message, with `PATH` for the path.
fn message(path: &Path) -> String {
    refusal(path).to_string().replace(&path.display().to_string(), "PATH")
}

#[tokio::test]
async fn a_newer_format_is_refused_and_left_alone() {
    let location = StoreLocation::sqlite();
    location.open().await.close().await;
    let conn = rusqlite::Connection::open(location.path()).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let before = fs::read(location.path()).unwrap();
    assert!(matches!(refusal(&location.path()), Error::Newer { found: 99, known: 13, .. }));
    assert_eq!(
        message(&location.path()),
        "the store PATH has format 99, but this hob knows formats up to 13; use a newer hob"
    );
    assert_eq!(fs::read(location.path()).unwrap(), before);
}

#[test]
fn a_file_that_is_not_a_database_is_rejected_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hob.db");
    let text = "name: a recipe\n".repeat(100);
    fs::write(&path, &text).unwrap();
    assert_eq!(
        message(&path),
        "the store PATH cannot be read: it is not an SQLite database; name another file"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE photos (name)").unwrap();
    assert_eq!(message(&path), "the store PATH belongs to another program; name another file");
}

#[tokio::test]
async fn a_damaged_file_is_reported() {
    let location = StoreLocation::sqlite();
    let journal = location.open().await;
    for n in 0..50 {
        add(&*journal, &n.to_string(), "a", &n.to_string()).await;
    }
    journal.close().await;
    // Everything except the first page, which contains the schema.
    let mut bytes = fs::read(location.path()).unwrap();
    bytes[4096..].fill(0x55);
    fs::write(location.path(), bytes).unwrap();
    // When this is noticed depends on how much of the schema it damages.
    let error = match Sqlite::open(&location.path(), Access::Runner) {
        Err(error) => error,
        Ok(journal) => journal.runs(&RunFilter::default()).await.unwrap_err(),
    };
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("restore a backup"), "{error}");
}

#[test]
fn a_folder_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let error = message(folder.path());
    assert!(error.starts_with("the store PATH is a folder, not a file"), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = refusal(&file.join("state/hob.db")).to_string();
    assert!(error.contains("has no folder, and") && error.contains("cannot be created"), "{error}");
}

#[tokio::test]
async fn a_read_only_file_is_reported() {
    let location = StoreLocation::sqlite();
    location.open().await.close().await;
    fs::set_permissions(location.path(), fs::Permissions::from_mode(0o444)).unwrap();
    if fs::OpenOptions::new().append(true).open(location.path()).is_ok() {
        eprintln!("SKIPPED: this user may write read-only files, so there is nothing to see");
        return;
    }
    assert_eq!(
        message(&location.path()),
        "the store PATH cannot be written: it is read-only; give the user that runs hob write permission on the file and its folder"
    );
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let location = StoreLocation::sqlite();
    fs::create_dir_all(location.path().parent().unwrap()).unwrap();
    fs::write(location.path(), "").unwrap();
    add(&*location.open().await, "1", "a", "x").await;
}

/// Ten million records that a poller compares by content take less than a gigabyte.
#[tokio::test]
async fn a_record_that_is_known_by_its_content_takes_less_than_a_hundred_bytes() {
    const RECORDS: usize = 100_000;
    const PAGE: usize = 2_000;
    let location = StoreLocation::sqlite();
    let journal = location.open().await;
    let cursor = cursor("highlevel contacts.list", 1234);
    let empty = size(&location);
    // Ids and hashes as long as real ones, in no order.
    let mut letters = 1_u64;
    for page in 0..RECORDS / PAGE {
        let seen = (page * PAGE..(page + 1) * PAGE).map(|number| {
            letters = letters.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let record = format!("{:013x}{number:07x}", letters >> 12);
            Seen { record, fingerprint: format!("sha256:{:032x}", u128::from(letters)) }
        });
        let seen = seen.collect();
        let (forgotten, cursor) = (Vec::new(), cursor.clone());
        let progress = Progress { cursor, seen, forgotten, reset: false, claim: None, beside: false };
        journal.append(Batch { events: Vec::new(), progress: Some(progress) }).await.unwrap();
    }
    let known = journal.count_seen(&cursor.key, 1).await.unwrap();
    assert_eq!(known.known, RECORDS as u64);
    journal.close().await;
    let each = (size(&location) - empty) as f64 / RECORDS as f64;
    assert!(each < 100.0, "{each} bytes");
}

/// What the store takes on the disk.
fn size(location: &StoreLocation) -> u64 {
    let files = fs::read_dir(location.path().parent().unwrap()).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}
