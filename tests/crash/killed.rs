//! The real program, killed at random moments while it works, and started again.

use crate::ordeal::Ordeal;
use crate::settings;

#[test]
fn one_process_on_sqlite_is_killed_again_and_again() {
    let ordeal = Ordeal {
        name: "crash harness, SQLite",
        store: None,
        processes: 1,
        arguments: &[],
        kills: settings::kills(200),
        pause: None,
    };
    ordeal.go().assert_telling();
}
