//! The budget of a connection in listings.

use chrono::{DateTime, Utc};

use super::table::table;
use crate::overview::{BudgetRow, Daily, time};

fn cells(budget: &BudgetRow, name: &str) -> Vec<String> {
    let count = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let Daily { limit, used, remaining, reserve, resets, runs_dry, .. } = &budget.daily;
    let at = |when: &Option<DateTime<Utc>>| when.map_or_else(|| "-".to_owned(), time);
    let waiting = match (budget.waiting_runs, budget.waiting_polls) {
        (0, 0) => "-".to_owned(),
        (runs, 0) => counted(runs, "run"),
        (0, polls) => counted(polls, "poll"),
        (runs, polls) => format!("{}, {}", counted(runs, "run"), counted(polls, "poll")),
    };
    let burst = budget.burst.limit.clone().unwrap_or_else(|| "-".to_owned());
    let counts = [limit, used, remaining, reserve].map(|number| count(*number));
    let rest = [at(resets), at(runs_dry), burst, waiting];
    [name.to_owned()].into_iter().chain(counts).chain(rest).collect()
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The budgets of connections, for people.
pub(super) fn budgets<'a>(rows: impl Iterator<Item = (&'a str, &'a BudgetRow)>) -> String {
    let columns = ["NAME", "A DAY", "USED", "LEFT", "KEPT", "RESETS", "RUNS DRY", "AT ONCE", "WAITING"];
    table(&columns, rows.map(|(name, budget)| cells(budget, name)))
}
