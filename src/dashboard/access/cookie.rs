//! Cookies with secrets.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

/// A cookie of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The secret of a session.
    Session,
    /// The secret of a login page, to which its form is bound.
    Login,
}

/// Characters of a secret.
const SECRET: usize = 43;

impl Cookie {
    /// Its name. A browser accepts one with this prefix only over https, from this very host.
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-hob_session",
            (Self::Session, false) => "hob_session",
            (Self::Login, true) => "__Host-hob_login",
            (Self::Login, false) => "hob_login",
        }
    }

    /// Its secret in a request. Of several with the name none counts: somebody may have planted one.
    pub(super) fn read(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let name = self.name(secure);
        let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut found = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
        let value = found.next().filter(|_| found.next().is_none())?;
        let fits = value.len() == SECRET
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        fits.then_some(value)
    }

    /// The header that sets it. It ends with the browser.
    pub(super) fn set(self, secret: &str, secure: bool) -> Option<HeaderValue> {
        self.header(secret, "", secure)
    }

    /// The header that deletes it.
    pub(super) fn clear(self, secure: bool) -> Option<HeaderValue> {
        self.header("", "; Max-Age=0", secure)
    }

    fn header(self, value: &str, more: &str, secure: bool) -> Option<HeaderValue> {
        let flag = if secure { "; Secure" } else { "" };
        let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{more}{flag}", self.name(secure));
        HeaderValue::from_str(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_secret_of_the_right_form_counts() {
        let secret = "a-_9".repeat(10) + "abc";
        let read = |cookies: &[&str]| {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(COOKIE, HeaderValue::from_bytes(cookie.as_bytes()).unwrap());
            }
            Cookie::Session.read(&headers, false).map(str::to_owned)
        };
        let own = format!("hob_session={secret}");
        assert_eq!(read(&[&format!("a=b; {own}; c=d")]), Some(secret.clone()));
        assert_eq!(read(&["a=b", &own]), Some(secret.clone()));
        for refused in [
            "",
            ";;;=;",
            "hob_session=",
            "hob_session",
            &format!("{own}x"),
            &format!("hob_session=\"{secret}\""),
            &format!("{own}; {own}"),
            &format!("__Host-hob_session={secret}"),
            &format!("hob_session={}", "é".repeat(21) + "a"),
            &format!("xhob_session={secret}"),
        ] {
            assert_eq!(read(&[refused]), None, "{refused}");
        }
    }

    #[test]
    fn cookies_are_for_this_host_and_no_script() {
        let set = Cookie::Session.set("x", true).unwrap();
        assert_eq!(set, "__Host-hob_session=x; Path=/; HttpOnly; SameSite=Strict; Secure");
        let clear = Cookie::Login.clear(false).unwrap();
        assert_eq!(clear, "hob_login=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }
}
