//! Recipe texts that runs started with.

use crate::journal::database::{Database, Param, row, rows};
use crate::journal::{Error, RecipeText};

/// Stores a text unless it is stored already.
pub(in crate::journal) async fn save(db: &impl Database, recipe: &RecipeText) -> Result<(), Error> {
    let sql =
        "INSERT INTO recipes (name, version, file, text) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let RecipeText { name, version, file, text } = recipe;
    db.execute(sql, vec![name.into(), version.into(), file.into(), text.into()]).await?;
    Ok(())
}

/// The text of a version.
pub(in crate::journal) async fn find(
    db: &impl Database,
    name: &str,
    version: &str,
) -> Result<Option<RecipeText>, Error> {
    let sql = "SELECT file, text FROM recipes WHERE name = $1 AND version = $2";
    row(db, sql, vec![name.into(), version.into()], |row| {
        let (name, version) = (name.to_owned(), version.to_owned());
        Ok(RecipeText { name, version, file: row.text()?, text: row.text()? })
    })
    .await
}

/// Texts of the versions of a recipe, by version, up to `limit`.
pub(in crate::journal) async fn versions(
    db: &impl Database,
    name: &str,
    limit: usize,
) -> Result<Vec<RecipeText>, Error> {
    let sql = "SELECT version, file, text FROM recipes WHERE name = $1 ORDER BY version LIMIT $2";
    rows(db, sql, vec![name.into(), Param::count(limit)], |row| {
        let name = name.to_owned();
        Ok(RecipeText { name, version: row.text()?, file: row.text()?, text: row.text()? })
    })
    .await
}
