//! Tables for people.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use crate::printable;

/// Most characters of a cell.
const MAX_LENGTH: usize = 4_000;

/// A table without lines, as wide as needed.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| printable::line(cell, MAX_LENGTH)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_without_trailing_space() {
        let shown =
            table(&["ID", "TITLE"], [vec!["a.b".into(), "First".into()], vec!["c".into(), "x".into()]]);
        assert_eq!(shown, "ID   TITLE\na.b  First\nc    x");
    }

    #[test]
    fn a_row_is_one_line_whatever_its_content() {
        let shown = table(&["ID"], [vec!["a\nb\u{1b}[2J".into()], vec!["x".repeat(5_000)]]);
        assert!(shown.starts_with("ID\na\\nb\\u{1b}[2J\nxxx") && shown.ends_with("x…"), "{shown}");
        assert!(shown.len() < 4_100);
    }
}
