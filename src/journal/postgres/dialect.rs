//! The SQL that is specific to PostgreSQL.

use crate::journal::database::{Dialect, Order, Param};
use crate::journal::encoding::code;
use crate::journal::row::RUN_ROW;
use crate::run::RunState;

/// PostgreSQL's dialect.
pub(in crate::journal) struct PostgresDialect;

impl Dialect for PostgresDialect {
    const KIND: &'static str = "postgres";
    const ENTRIES: &'static str = "ARRAY(SELECT n.entry FROM entries n WHERE n.run = r.seq ORDER BY n.place)";
    const WRITES: &'static str =
        "(SELECT json_agg(json_build_array(w.record, w.connection, w.operation, w.fields, w.at) ORDER BY w.seq)::text
         FROM writes w WHERE w.run = r.seq)";
    const REPLACE_LINK: &'static str = "SELECT hob_link_vN($1, $2, $3)";
    const BYTES: &'static str =
        "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'";
    const LATE_NUMBERS: i64 = 2_000;
    const ENTRY_COLUMNS: &'static str = "entries (run, place, entry)";

    fn entry_key(seq: i64, place: i64) -> Vec<Param> {
        vec![seq.into(), place.into()]
    }

    fn counters() -> String {
        let names = RunState::ALL.map(|state| format!(" WHEN {} THEN '{}'", code(state), state.name()));
        format!(
            "SELECT CASE what WHEN -1 THEN 'events'{} ELSE '' END, sum(value)::bigint
             FROM counters GROUP BY what",
            names.concat()
        )
    }

    fn contains(plain: &str, json: &str) -> String {
        format!(
            "record COLLATE \"default\" ILIKE {plain} OR error ILIKE {plain}
             OR (SELECT 1 FROM events e WHERE e.seq = runs.event AND e.payload ILIKE {json}) IS NOT NULL
             OR (SELECT 1 FROM entries n WHERE n.run = runs.seq AND n.entry ILIKE {json} LIMIT 1) IS NOT NULL"
        )
    }

    fn runs_in_order(_index: &str, conditions: &[String], order: Order, limit: &str) -> String {
        let order = order.sql();
        let part = |condition: &String| {
            format!(
                "(SELECT {RUN_ROW}, seq FROM runs WHERE {condition}
                  ORDER BY created {order}, seq {order} LIMIT {limit})"
            )
        };
        let parts: Vec<String> = conditions.iter().map(part).collect();
        let parts = parts.join(" UNION ALL ");
        format!(
            "SELECT {RUN_ROW}, seq FROM ({parts}) AS found ORDER BY created {order}, seq {order} LIMIT {limit}"
        )
    }
}
