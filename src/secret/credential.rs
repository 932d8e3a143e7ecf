//! Recognises credentials by their form.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What credentials look like, in words, and their pattern, of which the first group is the credential. Classes hold
/// ASCII only: thirty repetitions of the `\w` of Unicode take longer to compile than all the rest of a start.
const FORMS: [(&str, &str); 12] = [
    ("a private integration token of HighLevel", r"\b(pit-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"),
    ("a signed token", r"\b(eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,})"),
    ("a secret key of Stripe", r"\b((?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,})"),
    ("an API key", r"\b(sk-(?:[a-z]+-)*[0-9A-Za-z_-]{24,})"),
    ("a token of Slack", r"\b(xox[abeprs]-[0-9A-Za-z-]{10,})"),
    ("a token of GitHub", r"\b((?:gh[opsru]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{30,}))"),
    ("an access key of AWS", r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b"),
    ("an API key of Google", r"\b(AIza[0-9A-Za-z_-]{35})"),
    ("an API key of SendGrid", r"\b(SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,})"),
    (
        "a webhook address of Slack, which is a secret",
        r"(hooks\.slack\.com/services/T[0-9A-Za-z_]{6,}/B[0-9A-Za-z_]{6,}/[0-9A-Za-z_]{16,})",
    ),
    ("a user name and a password", r"https?://([!-~&&[^/:@?#]]+:[!-~&&[^/:@?#]]{3,})@"),
    (
        "a key in an address",
        r"(?i)[?&](?:api_?key|access_?token|auth_?token|token|secret|password|key)=([0-9A-Za-z_.~-]*[0-9][0-9A-Za-z_.~-]{7,})",
    ),
];

/// The first credential in `text`, and what it looks like.
pub fn credential_in(text: &str) -> Option<(Range<usize>, &'static str)> {
    static PATTERNS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
        FORMS.iter().filter_map(|(what, pattern)| Some((*what, Regex::new(pattern).ok()?))).collect()
    });
    // Shorter texts hold none.
    if text.len() < 16 {
        return None;
    }
    PATTERNS.iter().find_map(|(what, pattern)| Some((pattern.captures(text)?.get(1)?.range(), *what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_recognised() {
        let examples = [
            "pit-0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f".to_owned(),
            format!("eyJ{0}.eyJ{0}.{0}", "hbGciOiJIUz"),
            format!("sk_live_{}", "a1".repeat(12)),
            format!("sk-proj-{}", "a1".repeat(15)),
            format!("xoxb-{}", "12345-".repeat(4)),
            format!("ghp_{}", "a1".repeat(18)),
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            format!("AIza{}", "a".repeat(35)),
            format!("SG.{0}.{0}", "a1".repeat(10)),
            format!("https://hooks.slack.com/services/T0123456/B0123456/{}", "a1".repeat(10)),
            "https://me:hunter2@a.test".to_owned(),
            "https://a.test/?key=8f14e45fceea167a".to_owned(),
        ];
        for (example, (what, _)) in examples.iter().zip(FORMS) {
            assert_eq!(credential_in(example).map(|(_, found)| found), Some(what), "{example}");
        }
        assert_eq!(credential_in("https://a.test/?page=1&key=name&token=next"), None);
    }
}
