//! The SQL that is specific to SQLite.

use crate::journal::database::{Dialect, Order, Param};
use crate::journal::row::RUN_ROW;

/// The most entries of a run: see the table `entries`.
pub(super) const ENTRIES: i64 = 1 << 20;

/// SQLite's dialect.
pub(in crate::journal) struct SqliteDialect;

impl Dialect for SqliteDialect {
    const KIND: &'static str = "sqlite";
    const ENTRIES: &'static str = "(SELECT json_group_array(n.entry ORDER BY n.id) FROM entries n
         WHERE n.id >= r.seq * 1048576 AND n.id < (r.seq + 1) * 1048576)";
    const WRITES: &'static str = "(SELECT json_group_array(
             json_array(w.record, w.connection, w.operation, w.fields, w.at) ORDER BY w.seq)
         FROM writes w WHERE w.run = r.seq)";
    const REPLACE_LINK: &'static str =
        "INSERT OR REPLACE INTO links (name, from_record, to_record) VALUES ($1, $2, $3)";
    const BYTES: &'static str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    const LATE_NUMBERS: i64 = 0;
    const ENTRY_COLUMNS: &'static str = "entries (id, entry)";

    fn entry_key(seq: i64, place: i64) -> Vec<Param> {
        vec![(seq * ENTRIES + place).into()]
    }

    fn counters() -> String {
        "SELECT name, value FROM counters".to_owned()
    }

    fn contains(plain: &str, json: &str) -> String {
        format!(
            "record LIKE {plain} ESCAPE '\\' OR error LIKE {plain} ESCAPE '\\'
             OR EXISTS (SELECT 1 FROM events WHERE events.seq = runs.event AND payload LIKE {json} ESCAPE '\\')
             OR EXISTS (SELECT 1 FROM entries WHERE entries.id >= runs.seq * {ENTRIES}
                        AND entries.id < (runs.seq + 1) * {ENTRIES} AND entry LIKE {json} ESCAPE '\\')"
        )
    }

    fn runs_in_order(index: &str, conditions: &[String], order: Order, limit: &str) -> String {
        let part = |condition: &String| {
            format!("SELECT {RUN_ROW}, seq FROM runs INDEXED BY {index} WHERE {condition}")
        };
        let parts: Vec<String> = conditions.iter().map(part).collect();
        let order = order.sql();
        format!("{} ORDER BY created {order}, seq {order} LIMIT {limit}", parts.join(" UNION ALL "))
    }
}
