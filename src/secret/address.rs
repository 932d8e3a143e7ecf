//! Addresses that are safe to display.

use super::REDACTED;

/// `address` without user information (RFC 3986, 3.2.1), query and fragment, which may contain keys. Accepts
/// malformed addresses.
pub fn shown_address(address: &str) -> String {
    let (address, query) = match address.find(['?', '#']) {
        Some(at) => (&address[..at], format!("{}{REDACTED}", &address[at..=at])),
        None => (address, String::new()),
    };
    let Some((scheme, rest)) = address.split_once("://") else {
        // `user:password@host`, without a scheme.
        return match address.rsplit_once('@') {
            Some((_, host)) => format!("{REDACTED}@{host}{query}"),
            None => format!("{address}{query}"),
        };
    };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{REDACTED}@{host}{query}"),
        None => format!("{address}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_requests_are_not_shown() {
        for (address, shown) in [
            ("https://api.example.com/v1", "https://api.example.com/v1"),
            ("https://me:pw@api.example.com:8443/v1", "https://***@api.example.com:8443/v1"),
            ("https://me:p@w@api.example.com", "https://***@api.example.com"),
            ("https://token@api.example.com/?key=k&x=y@z", "https://***@api.example.com/?***"),
            ("https://h/v1#token", "https://h/v1#***"),
            ("me:pw@api.example.com", "***@api.example.com"),
            ("api.example.com?key=1", "api.example.com?***"),
            ("", ""),
        ] {
            assert_eq!(shown_address(address), shown);
        }
    }
}
