//! TLS to a real server: which ones are trusted.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::sync::OnceLock;

use hob::journal::{Access, Journal, Postgres, Queries};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

use crate::cluster::{ADMIN, Cluster, PASSWORD, QUICK};
use crate::fixture::add;

/// A certificate authority, with the file to trust it.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("root.crt"), root.pem()).expect("a file");
        Self { issuer: Issuer::new(params, key), folder }
    }

    /// A certificate for a host, and its key.
    fn sign(&self, host: &str) -> (String, String) {
        let mut params = CertificateParams::new([host.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, host);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root.crt")
    }
}

/// A cluster with `certificate` that requires TLS of all but its superuser; `None` without PostgreSQL.
fn cluster_with_tls(certificate: &str, key: &str) -> Option<Cluster> {
    let rules =
        format!("host all {ADMIN} 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n");
    Cluster::prepared(&[QUICK, &["ssl=on"]].concat(), |cluster| {
        add_file(cluster, "server.crt", certificate);
        add_file(cluster, "server.key", key);
        add_file(cluster, "pg_hba.conf", &rules);
    })
}

/// Adds a file to the data directory, readable by the server only.
fn add_file(cluster: &Cluster, name: &str, text: &str) {
    let path = cluster.data().join(name);
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a file of our own");
    if let Some((user, group)) = cluster.user {
        chown(&path, Some(user), Some(group)).expect("the file can be given away");
    }
}

/// A server `localhost` that requires TLS, with its certificate authority.
struct Secured {
    cluster: Cluster,
    authority: Authority,
}

impl Secured {
    /// `None` where PostgreSQL is not installed.
    fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Secured>> = OnceLock::new();
        let start = || {
            let authority = Authority::new("the tests' own");
            let (certificate, key) = authority.sign("localhost");
            Some(Secured { cluster: cluster_with_tls(&certificate, &key)?, authority })
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// The address of a new store on it, with the host name `host`.
    fn url(&self, host: &str, password: &str, tls: &str) -> String {
        let store = self.cluster.store();
        let schema = store.split("schema=").nth(1).expect("a schema").split('&').next().expect("a schema");
        let port = self.cluster.port;
        format!("postgres://hob:{password}@{host}:{port}/hob?hostaddr=127.0.0.1&schema={schema}&{tls}")
    }

    fn trusting(&self, mode: &str) -> String {
        format!("{mode}&sslrootcert={}", self.authority.root().display())
    }
}

async fn refusal(url: &str) -> String {
    match Postgres::open(url, Access::Runner).await {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_store_is_reached_by_tls() {
    let Some(secured) = Secured::shared() else { return };
    for (host, tls) in [
        ("localhost", String::new()),
        ("localhost", "sslmode=require".to_owned()),
        ("localhost", "sslmode=require&channel_binding=require".to_owned()),
        ("localhost", secured.trusting("sslmode=require")),
        ("localhost", secured.trusting("sslmode=verify-ca")),
        ("localhost", secured.trusting("sslmode=verify-full")),
        // The name is not verified.
        ("elsewhere.example", secured.trusting("sslmode=verify-ca")),
        ("elsewhere.example", "sslmode=require".to_owned()),
    ] {
        // Otherwise the server would reject us.
        let url = secured.url(host, PASSWORD, &tls);
        let store =
            Postgres::open(&url, Access::Runner).await.unwrap_or_else(|error| panic!("{url}: {error}"));
        let run = add(&store, "1", "a", "x").await;
        assert_eq!(store.run(&run).await.unwrap().unwrap().run.lane, "x");
        store.close().await;
        let again = Postgres::open_existing(&url, Access::Client).await.unwrap().expect("it is there");
        assert_eq!(again.totals(None).await.unwrap().events, 1);
    }
}

#[tokio::test]
async fn untrusted_servers_are_rejected() {
    let Some(secured) = Secured::shared() else { return };
    let stranger = Authority::new("a stranger");
    let strange = format!("sslrootcert={}", stranger.root().display());
    let missing = format!("sslrootcert={}", stranger.folder.path().join("none.crt").display());
    let empty = stranger.folder.path().join("empty.crt");
    fs::write(&empty, "").unwrap();
    for (host, tls, reason) in [
        ("localhost", strange.clone(), "UnknownIssuer"),
        ("localhost", format!("sslmode=verify-ca&{strange}"), "UnknownIssuer"),
        ("localhost", format!("sslmode=verify-full&{strange}"), "UnknownIssuer"),
        ("localhost", "sslmode=verify-full".to_owned(), "cannot be"),
        ("localhost", "sslrootcert=system".to_owned(), "cannot be"),
        ("elsewhere.example", secured.trusting("sslmode=verify-full"), "elsewhere.example"),
        ("localhost", missing, "none.crt"),
        ("localhost", format!("sslrootcert={}", empty.display()), "empty.crt"),
    ] {
        let error = refusal(&secured.url(host, PASSWORD, &tls)).await;
        assert!(error.contains(reason), "{tls}: {error}");
        assert!(error.contains("check sslmode and sslrootcert"), "{tls}: {error}");
        assert!(!error.contains(PASSWORD), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_demands_tls_says_so() {
    let Some(secured) = Secured::shared() else { return };
    let error = refusal(&secured.url("localhost", PASSWORD, "sslmode=disable")).await;
    assert!(error.contains("does not let hob in") && error.contains("check sslmode"), "{error}");
    assert!(!error.contains(PASSWORD), "{error}");
    let wrong = format!("wrong-{PASSWORD}");
    let error = refusal(&secured.url("localhost", &wrong, "sslmode=require")).await;
    assert!(error.contains("check the user and the password"), "{error}");
    assert!(!error.contains(PASSWORD), "{error}");
}

#[tokio::test]
async fn where_somebody_is_to_be_verified_nothing_goes_without_tls() {
    let (Some(plain), Some(secured)) = (Cluster::shared(), Secured::shared()) else { return };
    let store = plain.store();
    for tls in [
        "sslmode=require".to_owned(),
        secured.trusting("sslmode=verify-ca"),
        secured.trusting("sslmode=verify-full"),
        secured.trusting("sslmode=prefer"),
        secured.trusting("connect_timeout=5"),
        "sslrootcert=system".to_owned(),
    ] {
        let error = refusal(&format!("{store}&{tls}")).await;
        assert!(error.contains("check sslmode") && !error.contains(PASSWORD), "{tls}: {error}");
    }
    // TLS can be disabled.
    let url = format!("{store}&sslmode=disable");
    Postgres::open(&url, Access::Runner).await.expect("opens").close().await;
}
