//! Response time of the sandbox, sequentially, as a ratio to a server that returns the same answer directly (`cargo
//! bench --bench sandbox`). Fails above the limit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use hob::catalog::Catalog;
use hob::sandbox::{Budget, Options, Sandbox};
use tokio::net::TcpListener;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The maximum ratio.
const LIMIT: f64 = 2.0;
const TIME: Duration = Duration::from_secs(3);

fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(measure())
}

async fn measure() -> Result<()> {
    let options = Options { budget: Budget::Unlimited, ..Options::default() };
    let sandbox = Sandbox::new(Arc::new(Catalog::built_in()), options)?;
    let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await?;
    let contact = sandbox.example("contacts.get").ok_or("no contact to read")?;
    let contact = contact["contactId"].as_str().ok_or("a contact without an id")?;
    let http = reqwest::Client::builder().tcp_nodelay(true).build()?;
    let credential = sandbox.credential("highlevel").ok_or("no credential")?;
    let token = credential["token"].as_str().ok_or("a credential without a token")?;
    let address = running.base_url("highlevel");
    let get = |url: &str| http.get(url).bearer_auth(token).header("Version", "2021-07-28");
    let of_sandbox = format!("{address}/contacts/{contact}");
    let answer = get(&of_sandbox).send().await?.error_for_status()?.bytes().await?;

    let router = Router::new().fallback(async move || ([(CONTENT_TYPE, "application/json")], answer.clone()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let of_bare = format!("http://{}/contacts/{contact}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let bare = each(async || Ok(get(&of_bare).send().await?.error_for_status()?.bytes().await?)).await?;
    let sandboxed =
        each(async || Ok(get(&of_sandbox).send().await?.error_for_status()?.bytes().await?)).await?;
    let ratio = sandboxed.as_secs_f64() / bare.as_secs_f64();
    println!("bare server   {bare:>10.1?}");
    println!("sandbox       {sandboxed:>10.1?}");
    println!("ratio         {ratio:>10.2} (at most {LIMIT})");
    if ratio > LIMIT { Err("the sandbox is slow".into()) } else { Ok(()) }
}

/// Mean time of `act`.
async fn each<T>(mut act: impl AsyncFnMut() -> Result<T>) -> Result<Duration> {
    act().await?;
    let (start, mut times) = (Instant::now(), 0);
    while start.elapsed() < TIME {
        act().await?;
        times += 1;
    }
    Ok(start.elapsed() / times)
}
