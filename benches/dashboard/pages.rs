//! Times and sizes of pages.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::header::ACCEPT_ENCODING;

use crate::Result;
use crate::history::{email, record};

/// How often each page is asked for, all pages in turn.
const TIMES: usize = 60;
/// Time between two requests, as of a person who looks at another page.
const PAUSE: Duration = Duration::from_millis(20);

/// What was measured of a page.
pub struct Page {
    pub path: String,
    pub first: Duration,
    pub p50: Duration,
    pub p95: Duration,
    pub worst: Duration,
    /// Compressed, with all its assets.
    pub bytes: usize,
}

impl fmt::Display for Page {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        write!(
            out,
            "{:<34} first {:>7.1} ms, p50 {:>6.1}, p95 {:>6.1}, worst {:>7.1} ms, {:>6} bytes with assets",
            self.path,
            ms(self.first),
            ms(self.p50),
            ms(self.p95),
            ms(self.worst),
            self.bytes
        )
    }
}

/// Asks for each page.
pub async fn measure(address: SocketAddr) -> Result<Vec<Page>> {
    // It does not decompress, so that the size is what is sent.
    let http = reqwest::Client::builder().tcp_nodelay(true).gzip(false).build()?;
    let base = format!("http://{address}");
    let mut paths: Vec<String> = ["/", "/activity", "/runs", "/runs?state=failed", "/runs?state=parked"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    let now = http.get(&base).send().await?.text().await?;
    // Parked runs come first, failed ones last.
    for beginning in ["/runs?cause=", "/fix?cause="] {
        let causes = linked(&now, beginning);
        paths.extend(causes.first().into_iter().chain(causes.last().filter(|_| causes.len() > 1)).cloned());
    }
    let failed = http.get(format!("{base}/runs?state=failed")).send().await?.text().await?;
    paths.extend(linked(&failed, "/runs/run_").into_iter().take(1));
    paths.extend(
        ["/runs?recipe=won-deals", "/recipes", "/recipes/won-deals", "/recipes/bench"].map(str::to_owned),
    );
    paths.push(format!("/runs?record={}", record(77)));
    paths.push(format!("/find?q={}", email(4_001)));
    paths.push(format!("/find?q={}", record(4_002)));
    paths.push("/find?q=nobody@example.com".to_owned());
    let others = [
        "/recipes/bench/versions",
        "/connections",
        "/fleet",
        "/catalog",
        "/catalog/contacts.upsert",
        "/audit-log",
    ];
    paths.extend(others.map(str::to_owned));

    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); paths.len()];
    let mut sizes = vec![0; paths.len()];
    for _ in 0..TIMES {
        for (place, path) in paths.iter().enumerate() {
            let begun = Instant::now();
            let answer = http.get(format!("{base}{path}")).header(ACCEPT_ENCODING, "gzip").send().await?;
            let answer = answer.error_for_status()?.bytes().await?;
            times[place].push(begun.elapsed());
            sizes[place] = answer.len();
            tokio::time::sleep(PAUSE).await;
        }
    }
    let mut pages = Vec::new();
    for ((path, mut times), bytes) in paths.into_iter().zip(times).zip(sizes) {
        let assets = assets(&http, &base, &path).await?;
        let first = times[0];
        times.sort_unstable();
        let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
        pages.push(Page { first, p50: at(50), p95: at(95), worst: at(100), bytes: bytes + assets, path });
    }
    Ok(pages)
}

/// Addresses in a page that begin so.
fn linked(html: &str, beginning: &str) -> Vec<String> {
    let unescaped = html.split('"').map(|text| text.replace("&amp;", "&").replace("&#x2f;", "/"));
    let quoted = unescaped.filter(|text| text.starts_with(beginning));
    quoted.collect()
}

/// Bytes of a page's assets, compressed.
async fn assets(http: &reqwest::Client, base: &str, path: &str) -> Result<usize> {
    let html = http.get(format!("{base}{path}")).send().await?.text().await?;
    let mut bytes = 0;
    for asset in linked(&html, "/assets/").into_iter().collect::<BTreeSet<_>>() {
        let answer = http.get(format!("{base}{asset}")).header(ACCEPT_ENCODING, "gzip").send().await?;
        bytes += answer.error_for_status()?.bytes().await?.len();
    }
    Ok(bytes)
}
