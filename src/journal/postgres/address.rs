//! The address of a store: server, database, schema and connection options.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::journal::Error;

use super::tls::Trust;

/// The default schema.
const SCHEMA: &str = "hob";
/// The longest schema name, limited by the name of the notification channel.
const MAX_SCHEMA_NAME: usize = 48;
/// Default time limit of each step of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Default time after which a silent server counts as dead.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(10);
/// The default of tokio-postgres.
const NO_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);

/// A parsed address.
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) trust: Trust,
    pub(super) schema: String,
    /// Its name in messages, without the password.
    pub(super) name: Arc<str>,
}

impl Target {
    /// Reads an address such as `postgres://user:password@host/database?sslmode=require`.
    pub(super) fn read(url: &str) -> Result<Self, Error> {
        // Nothing of an invalid address is shown: any part may belong to the password.
        read(url).map_err(|reason| Error::Unavailable { store: "postgres://…".to_owned(), reason })
    }

    /// The channel on which processes notify each other of work.
    pub(super) fn channel(&self) -> String {
        format!("hob_{}", self.schema)
    }
}

fn read(url: &str) -> Result<Target, String> {
    let malformed = || {
        "has an address that cannot be read; write it like postgres://user:password@host:5432/database, with \
         %40 for @, %2F for /, %3F for ? and %25 for % in user and password"
            .to_owned()
    };
    let rest = url.split_once("://").ok_or_else(malformed)?.1;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let host_end = place.find('/').unwrap_or(place.len());
    if rest.matches('@').count() > 1 || rest.find('@').is_some_and(|at| at > host_end) {
        return Err(malformed());
    }
    let (mut schema, mut trust, mut left) = (SCHEMA.to_owned(), Trust::default(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("schema", value)) => schema = schema_name(value)?,
            Some(("sslrootcert", value)) => trust = trust.roots(&decoded(value)),
            Some(("sslmode", "verify-full")) => {
                trust = trust.verified(true);
                left.push("sslmode=require");
            }
            Some(("sslmode", "verify-ca")) => {
                trust = trust.verified(false);
                left.push("sslmode=require");
            }
            _ => left.push(pair),
        }
    }
    let plain = format!("postgres://{place}?{}", left.join("&"));
    let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| {
        match std::error::Error::source(&error).map(ToString::to_string) {
            Some(cause) if cause.starts_with("unknown option") || cause.starts_with("invalid value") => {
                format!("has a mistake after the ? of its address: {cause}; correct it or leave it out")
            }
            _ => malformed(),
        }
    })?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err("has an address without a host; write it like postgres://user@host/database".to_owned());
    }
    let name = name(&config, &schema).into();
    if trust.is_verifying() && config.get_ssl_mode() == SslMode::Prefer {
        // Otherwise a man in the middle could claim that there is no TLS.
        config.ssl_mode(SslMode::Require);
    }
    fill_defaults(&mut config);
    Ok(Target { config, trust, schema, name })
}

/// Sets defaults for what the address does not state.
fn fill_defaults(config: &mut Config) {
    // Of several hosts, the writable one.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    if config.get_application_name().is_none() {
        config.application_name("hob");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE_TIMEOUT);
    }
    if config.get_keepalives_idle() == NO_KEEPALIVE {
        config.keepalives_idle(SILENCE_TIMEOUT);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(SILENCE_TIMEOUT / 4);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(3);
    }
    let local = |host: &Host| matches!(host, Host::Unix(_));
    if config.get_hosts().iter().all(local) && config.get_hostaddrs().is_empty() {
        config.ssl_mode(SslMode::Disable);
    }
}

fn schema_name(text: &str) -> Result<String, String> {
    let sound = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
        && text.len() <= MAX_SCHEMA_NAME
        && !text.starts_with("pg_");
    if sound {
        return Ok(text.to_owned());
    }
    Err(format!(
        "has an address with a ?schema= that cannot be used; use up to {MAX_SCHEMA_NAME} lower-case letters, digits and _"
    ))
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn name(config: &Config, schema: &str) -> String {
    let mut name = "postgres://".to_owned();
    if config.get_user().is_some() {
        name += "***@";
    }
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(place, host)| {
        let host = match host {
            Host::Tcp(host) => host.clone(),
            Host::Unix(path) => path.display().to_string(),
        };
        match ports.get(place).or(ports.first()) {
            Some(5432) | None => host,
            Some(port) => format!("{host}:{port}"),
        }
    });
    name += &hosts.collect::<Vec<_>>().join(",");
    if let Some(database) = config.get_dbname() {
        name += &format!("/{database}");
    }
    if schema != SCHEMA {
        name += &format!("?schema={schema}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str) -> String {
        Target::read(url).map(|target| target.name.to_string()).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn stores_are_called_by_what_is_no_secret() {
        for (url, name) in [
            ("postgres://me:pw@db.example/hob", "postgres://***@db.example/hob"),
            ("postgresql://me:p%40w@a:5433,b/hob?sslmode=require", "postgres://***@a:5433,b/hob"),
            ("postgres://me@%2Frun%2Fpg/x?schema=studio", "postgres://***@/run/pg/x?schema=studio"),
            ("postgres:///x?host=/run/pg&user=me", "postgres://***@/run/pg/x"),
        ] {
            assert_eq!(named(url), name);
        }
    }

    #[test]
    fn a_password_that_breaks_its_address_is_not_shown() {
        for url in [
            "postgres://me:hunter@2@host/db",
            "postgres://me:1/hunter2@host/db",
            "postgres://me:1?hunter2@host/db",
            "postgres://me:hunter2/x@host/db",
            "postgres://me:pw@host:hunter2/db",
            "postgres://hunter2",
            "postgres:hunter2",
        ] {
            let shown = named(url);
            assert!(!shown.contains("hunter2") || url == "postgres://hunter2", "{url}: {shown}");
        }
    }

    #[test]
    fn the_query_is_checked() {
        let wrong = named("postgres://me@host/db?sslmood=require");
        assert!(wrong.contains("unknown option `sslmood`"), "{wrong}");
        assert!(named("postgres://me@host/db?schema=a-b").contains("?schema="));
        assert!(named("postgres://me@host/db?schema=pg_x").contains("?schema="));
        assert!(named("postgres:///db").contains("without a host"));
    }

    #[test]
    fn verified_servers_require_tls() {
        let mode = |url: &str| Target::read(url).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://me@host/db"), SslMode::Prefer);
        for query in ["sslrootcert=system", "sslrootcert=/ca.pem", "sslmode=prefer&sslrootcert=/ca.pem"] {
            assert_eq!(mode(&format!("postgres://me@host/db?{query}")), SslMode::Require, "{query}");
        }
        assert_eq!(mode("postgres://me@host/db?sslmode=disable&sslrootcert=/ca.pem"), SslMode::Disable);
        assert_eq!(mode("postgres://me@%2Frun%2Fpg/db?sslrootcert=system"), SslMode::Disable);
    }

    #[test]
    fn a_dead_server_is_noticed() {
        let config = Target::read("postgres://me@host/db").unwrap().config;
        assert_eq!(config.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(config.get_tcp_user_timeout(), Some(&SILENCE_TIMEOUT));
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    }
}
