//! Tests of the query plans of statements whose cost could grow with the store.

use chrono::DateTime;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::event::Priority;
use crate::journal::database::Order;
use crate::journal::queries::{activity, cursors, ended_alike, identifiers, links, runs, totals, writes};
use crate::journal::{EndedIn, RunFilter, RunPlace};
use crate::run::RunState;

use super::dialect::SqliteDialect;
use super::schema::{Durability, open_writer};
use super::{grant, lease, prune};

/// The query plan of a statement, one step per line.
fn plan(conn: &Connection, sql: &str) -> String {
    let mut read = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let nulls = vec![Value::Null; read.parameter_count()];
    let steps = read.query_map(params_from_iter(nulls), |row| row.get::<_, String>("detail")).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

fn lists() -> Vec<String> {
    let mut lists = Vec::new();
    for recipe in [None, Some("r".to_owned())] {
        for record in [None, Some("c".to_owned())] {
            for state in [None, Some(RunState::Failed)] {
                for since in [None, DateTime::from_timestamp(1, 0)] {
                    for text in [None, Some("x".to_owned())] {
                        let (recipe, record) = (recipe.clone(), record.clone());
                        let filter = RunFilter {
                            recipe,
                            state,
                            record,
                            since,
                            until: since,
                            before: None,
                            text,
                            priority: Some(Priority::Poll),
                            limit: Some(9),
                        };
                        let place = RunPlace { created: DateTime::UNIX_EPOCH, number: 1 };
                        for (order, after) in [
                            (Order::NewestFirst, None),
                            (Order::NewestFirst, Some(place)),
                            (Order::OldestFirst, Some(place)),
                        ] {
                            lists.push(runs::statement::<SqliteDialect>(&filter, order, after).0);
                        }
                    }
                }
            }
        }
    }
    lists
}

#[test]
fn nothing_reads_or_sorts_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let conn = open_writer(&folder.path().join("hob.db"), "test", true, Durability::Full).unwrap();
    let mut statements = lists();
    statements.extend([prune::oldest(), totals::since(), runs::neighbours_statement()]);
    let fixed = [
        grant::WAKE_DUE,
        lease::NEXT_DUE,
        lease::ADVANCE,
        lease::RECLAIM,
        prune::ENDED_BEFORE,
        prune::EVENTS_WITHOUT_RUNS,
        prune::FORGET_KEYS,
        cursors::VANISHED,
        cursors::VANISHED_AFTER,
        writes::BY_RECORD,
        identifiers::EVENTS_AFTER,
        identifiers::WRITES_AFTER,
        identifiers::BY_KEY,
    ];
    statements.extend(fixed.into_iter().chain(grant::NEXT).map(str::to_owned));
    for sql in statements {
        // SQLite calls a step without a table a scan, and also the first rows of an index that has no others than
        // the wanted ones.
        let plan = plan(&conn, &sql)
            .replace("SCAN CONSTANT ROW", "")
            .replace("SCAN runs USING COVERING INDEX runs_ready", "");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
    // Sorts only the few links of one record.
    let links = plan(&conn, links::BY_RECORD);
    assert!(!links.contains("SCAN"), "{links}");
    // Groups only a range of the index of states.
    let by_minute = plan(&conn, &activity::statement());
    let steps =
        by_minute.lines().filter(|line| line.contains("runs_state (state=? AND created>? AND created<?)"));
    assert_eq!(steps.count(), RunState::ALL.len(), "{by_minute}");
    // Groups only the rows that a range of the index of states leads to.
    let which = EndedIn { state: RunState::Parked, since: None, limit: Some(9) };
    let alike = plan(&conn, &ended_alike::statement(&which));
    for (step, index) in
        [("SEARCH r ", "runs_state (state=? AND created>?)"), ("SEARCH w ", "runs_lane (recipe=? AND lane=?")]
    {
        let line =
            alike.lines().find(|line| line.starts_with(step)).unwrap_or_else(|| panic!("{step}: {alike}"));
        assert!(line.contains(index), "{alike}");
    }
    assert!(!alike.contains("SCAN r"), "{alike}");
}
