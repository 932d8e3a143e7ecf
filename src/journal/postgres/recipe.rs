//! Texts of recipes, for runs that began with them.

use crate::journal::RecipeText;

use super::failure::Failure;
use super::pool::Pool;
use super::row::{Columns, escape_nul};

/// Keeps a text, unless it is there.
pub(super) async fn save(pool: &Pool, recipe: &RecipeText) -> Result<(), Failure> {
    let sql =
        "INSERT INTO recipes (name, version, file, text) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let RecipeText { name, version, file, text } = recipe;
    pool.query(sql, &[&escape_nul(name), &escape_nul(version), &escape_nul(file), &escape_nul(text)]).await?;
    Ok(())
}

/// The text of a version.
pub(super) async fn find(pool: &Pool, name: &str, version: &str) -> Result<Option<RecipeText>, Failure> {
    let sql = "SELECT file, text FROM recipes WHERE name = $1 AND version = $2";
    let rows = pool.query(sql, &[&escape_nul(name), &escape_nul(version)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let mut columns = Columns::of(row);
    let (file, text) = (columns.text()?, columns.text()?);
    Ok(Some(RecipeText { name: name.to_owned(), version: version.to_owned(), file, text }))
}
