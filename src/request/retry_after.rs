//! The `Retry-After` header, in seconds or as a date.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Longest wait that is accepted; a longer one is capped as a mistake of the server.
const MAX_LENGTH: Duration = Duration::from_secs(86_400);

/// The wait that the server asks for.
pub(super) fn read(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc);
            (until - now).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(MAX_LENGTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_dates_and_nonsense() {
        let now = DateTime::parse_from_rfc3339("2026-11-23T10:00:00Z").unwrap().with_timezone(&Utc);
        let cases = [
            ("30", Some(30)),
            ("Mon, 23 Nov 2026 10:01:00 GMT", Some(60)),
            ("Mon, 23 Nov 2026 09:00:00 GMT", Some(0)),
            ("999999999", Some(86_400)),
            ("-5", None),
            ("soon", None),
        ];
        for (text, seconds) in cases {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(read(&headers, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
