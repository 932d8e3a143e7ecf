//! Rates such as `100/10s`: requests per interval.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Error;

/// Requests per interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    /// The number of requests, at least 1.
    pub requests: u32,
    /// The interval.
    pub per: Duration,
}

/// The limits of a connection, as in `budget:` of `hob.yaml` or `limits` of a connector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BudgetSettings {
    /// Requests per interval.
    pub burst: Option<Rate>,
    /// Requests per day.
    pub daily: Option<u64>,
}

impl FromStr for Rate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parsed = text.split_once('/').and_then(|(requests, per)| {
            let requests = requests.trim().parse().ok().filter(|requests| *requests > 0)?;
            Some(Rate { requests, per: interval(per.trim())? })
        });
        parsed.ok_or_else(|| Error::BadRate { text: text.to_owned() })
    }
}

impl TryFrom<String> for Rate {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.per.as_millis();
        if millis.is_multiple_of(1000) {
            write!(f, "{}/{}s", self.requests, millis / 1000)
        } else {
            write!(f, "{}/{millis}ms", self.requests)
        }
    }
}

fn interval(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let count: u64 = if digits == 0 { 1 } else { text[..digits].parse().ok()? };
    let millis = match text[digits..].trim() {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    // At most a day: longer budgets are `daily`.
    count.checked_mul(millis).filter(|ms| (1..=86_400_000).contains(ms)).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rates() {
        let rate = |text: &str| text.parse::<Rate>().map(|rate| rate.to_string());
        assert_eq!(rate("100/10s").unwrap(), "100/10s");
        assert_eq!(rate("5 / m").unwrap(), "5/60s");
        assert_eq!(rate("1/250ms").unwrap(), "1/250ms");
        for wrong in ["", "100", "0/10s", "100/0s", "100/10", "x/s", "100/99999999999999999999s", "1/2h3"] {
            assert!(rate(wrong).unwrap_err().to_string().contains("100/10s"), "{wrong}");
        }
    }
}
