//! What `hob run` says of its dashboard at the start.

use std::net::SocketAddr;

use crate::workspace::DashboardAccess;

/// Where the dashboard is, or why nobody gets in.
pub(super) fn notice(listening: SocketAddr, access: &DashboardAccess) -> String {
    let is_here = listening.ip().to_canonical().is_loopback();
    let address = match &access.url {
        Some(url) => url.to_string(),
        None => format!("http://{listening}/"),
    };
    match (is_here && !access.login_always, access.operators.is_empty()) {
        (true, _) => format!("dashboard at {address}"),
        (false, false) if access.url.is_some() && access.proxies.is_empty() => format!(
            "dashboard at {address}, with a login. If a proxy is in front of it, name its address in `server: {{ proxies: [ADDRESS] }}`: \
             else all clients have that address, and a stranger's wrong passwords keep everyone from logging in"
        ),
        (false, false) => format!("dashboard at {address}, with a login"),
        (false, true) => "warning: the dashboard is closed: here it needs a login, and hob.yaml has no operators. \
             Add them as `server: { dashboard: { operators: [{ name: NAME, role: act, password_hash: HASH }] } }`; \
             `hob operators password` makes the hash"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::{Account, Role};

    #[test]
    fn who_gets_in_is_told() {
        let open = DashboardAccess::default();
        let account = Account { name: "ada".to_owned(), role: Role::Act, proofs: vec![] };
        let with = DashboardAccess { operators: vec![account], ..DashboardAccess::default() };
        let always = DashboardAccess { login_always: true, ..DashboardAccess::default() };
        let url = "https://hob.example.com".parse().ok();
        let unknown = DashboardAccess { url, login_always: true, ..with.clone() };
        let proxies = vec!["127.0.0.1".parse().unwrap()];
        let proxied = DashboardAccess { proxies, ..unknown.clone() };
        for (listening, access, told) in [
            ("127.0.0.1:8787", &open, "dashboard at http://127.0.0.1:8787/"),
            ("127.0.0.1:8787", &with, "dashboard at http://127.0.0.1:8787/"),
            ("127.0.0.1:8787", &proxied, "dashboard at https://hob.example.com/, with a login"),
            ("127.0.0.1:8787", &unknown, "dashboard at https://hob.example.com/, with a login. If a proxy"),
            ("192.0.2.1:8787", &with, "dashboard at http://192.0.2.1:8787/, with a login"),
            ("127.0.0.1:8787", &always, "warning: the dashboard is closed"),
            ("0.0.0.0:8787", &open, "warning: the dashboard is closed"),
        ] {
            let notice = notice(listening.parse().unwrap(), access);
            assert!(notice.starts_with(told), "{notice}");
        }
    }
}
