//! Checking a recipe, as a ratio to a bare parse of the same YAML (`cargo bench --bench check`). Fails above the
//! limits.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hob::catalog::Catalog;
use hob::check::{ConnectionInfo, WorkspaceInfo, check};
use hob::source::SourceFile;

/// The maximum ratio.
const LIMIT: f64 = 25.0;
/// The maximum time, whatever the parse takes: an editor waits for it.
const MAX_TIME: Duration = Duration::from_millis(1);
const TIME: Duration = Duration::from_secs(2);

const RECIPE: &str = include_str!("../tests/check/ok/sample.yaml");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = SourceFile::new("sample.yaml", RECIPE.to_owned());
    let catalog = Arc::new(Catalog::built_in());
    let workspace_info = workspace_info();
    let checks = || check(&file, &catalog, &workspace_info).into_recipe();
    checks().map_err(|report| report.to_string())?;
    let bare = each(|| black_box(serde_yaml::from_str::<serde_json::Value>(RECIPE)).is_ok());
    let checked = each(|| black_box(checks()).is_ok());
    let ratio = checked.as_secs_f64() / bare.as_secs_f64();
    println!("bare parse    {bare:>10.1?}");
    println!("check         {checked:>10.1?} (at most {MAX_TIME:?})");
    println!("ratio         {ratio:>10.1} (at most {LIMIT})");
    if ratio > LIMIT || checked > MAX_TIME {
        return Err("checking takes too long".into());
    }
    Ok(())
}

fn workspace_info() -> WorkspaceInfo {
    let connection = |connector: &str, settings: &[&str]| ConnectionInfo {
        connector: connector.to_owned(),
        settings: settings.iter().map(|name| (*name).to_owned()).collect(),
        version: None,
    };
    let studio = connection("highlevel", &["location"]);
    let connections = [("studio-1".to_owned(), studio), ("fitr".to_owned(), connection("fitr", &[]))];
    WorkspaceInfo {
        known: true,
        connections: connections.into_iter().collect(),
        env: vec!["ALERT_URL".to_owned(), "HOOK_SECRET".to_owned()],
        ..WorkspaceInfo::default()
    }
}

/// Mean time of `act`.
fn each(mut act: impl FnMut() -> bool) -> Duration {
    let (start, mut times) = (Instant::now(), 0);
    while start.elapsed() < TIME {
        assert!(act());
        times += 1;
    }
    start.elapsed() / times
}
