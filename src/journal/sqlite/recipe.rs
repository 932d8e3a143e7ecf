//! Texts of recipes, for runs that began with them.

use rusqlite::{Connection, OptionalExtension};

use crate::journal::RecipeText;

use super::failure::Failure;
use super::writer::Tx;

/// Keeps a text, unless it is there.
pub(super) fn save(tx: &Tx<'_>, recipe: &RecipeText) -> Result<(), Failure> {
    tx.conn
        .prepare_cached(
            "INSERT INTO recipes (name, version, file, text) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute((&recipe.name, &recipe.version, &recipe.file, &recipe.text))?;
    Ok(())
}

/// The text of a version.
pub(super) fn find(conn: &Connection, name: &str, version: &str) -> Result<Option<RecipeText>, Failure> {
    let found = conn
        .prepare_cached("SELECT file, text FROM recipes WHERE name = ?1 AND version = ?2")?
        .query_row((name, version), |row| {
            let (name, version) = (name.to_owned(), version.to_owned());
            Ok(RecipeText { name, version, file: row.get(0)?, text: row.get(1)? })
        })
        .optional()?;
    Ok(found)
}
