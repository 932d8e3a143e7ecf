//! What a dry run would have sent, run by run.

use crate::journal::{Error, Journal, RunFilter};
use crate::run::Entry;

/// A heading per run and a line per request, oldest run first.
pub(super) async fn told(journal: &dyn Journal) -> Result<Vec<String>, Error> {
    let mut rows = journal.runs(&RunFilter::default()).await?;
    rows.reverse();
    let mut lines = Vec::new();
    for row in rows {
        let Some(detail) = journal.run(&row.id).await? else { continue };
        let record = row.record.map(|record| format!(" {record}")).unwrap_or_default();
        let why = row.error.map(|error| format!(": {error}")).unwrap_or_default();
        lines.push(format!("{}{record}: {}{why}", row.recipe, row.state));
        for entry in &detail.entries {
            if let Entry::Remark { message, .. } = &entry.entry {
                lines.push(format!("  {message}"));
            }
        }
    }
    Ok(lines)
}
