//! Whether a text that was sent is the text that came back.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use url::Url;

use super::comparison::Comparison;
use crate::value::{Shape, Value, Written, is_same, time_in};

/// Time zones are no further from UTC.
const FARTHEST_ZONE: TimeDelta = TimeDelta::hours(14);
/// Accents that stand behind their letter.
const COMBINING: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

/// Whether `got` is `sent`: in another form of white space, of a time, a phone number or an address, with what a page
/// needs around it, and, of a `caseless` field, in another case.
pub(super) fn compare_texts(sent: &str, got: &str, shape: Option<&Shape>, caseless: bool) -> Comparison {
    let (sent, got) = (spaced(sent), spaced(got));
    let equal =
        |one: &str, other: &str| one == other || caseless && one.to_lowercase() == other.to_lowercase();
    if equal(&sent, &got) || equal(&sent, &spaced(&plain(&got))) {
        return Comparison::Same;
    }
    if let Some(comparison) = compare_times(&sent, &got) {
        return comparison;
    }
    if is_same_phone(&sent, &got) || is_same_url(&sent, &got) {
        return Comparison::Same;
    }
    let has_accents = |text: &str| text.contains(|letter| COMBINING.contains(&letter));
    if is_masked(&got) || has_accents(&sent) != has_accents(&got) {
        return Comparison::Unclear;
    }
    match shape.filter(|shape| !shape.values.is_empty()) {
        Some(shape) => compare_words(&sent, &got, shape),
        None => Comparison::Different,
    }
}

/// One of a few words: an API may have others for what is sent.
fn compare_words(sent: &str, got: &str, shape: &Shape) -> Comparison {
    let is_known = shape.values.iter().any(|value| value == got);
    match sent.to_lowercase() == got.to_lowercase() {
        true => Comparison::Same,
        false if is_known || !got.is_empty() && sent.starts_with(got) => Comparison::Different,
        false => Comparison::Unclear,
    }
}

/// Without white space that says nothing; lines stay lines.
fn spaced(text: &str) -> String {
    let lines = text.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

/// Without the marks of a page.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        plain.push_str(before);
        match behind.split_once('>') {
            Some((tag, behind)) if tag.starts_with(|first: char| first.is_alphabetic() || first == '/') => {
                let breaks = ["br", "br/", "br /"].contains(&tag) || tag == "/p" || tag == "/div";
                plain.push_str(if breaks { "\n" } else { "" });
                rest = behind;
            }
            _ => {
                plain.push('<');
                rest = behind;
            }
        }
    }
    plain.push_str(rest);
    for (entity, letter) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&nbsp;", " ")]
    {
        plain = plain.replace(entity, letter);
    }
    plain.replace("&amp;", "&")
}

/// `None` if one of them is no time and the other cannot mean one.
fn compare_times(sent: &str, got: &str) -> Option<Comparison> {
    let time = |text: &str| time_in(text).filter(|_| text.contains('-'));
    let (sent, got) = match (time(sent), time(got)) {
        (Some(sent), Some(got)) => (sent, got),
        // A date in a form of its own.
        (None, Some(_)) => return sent.contains(|c: char| c.is_ascii_digit()).then_some(Comparison::Unclear),
        _ => return None,
    };
    let at = |time: &Written| match time {
        Written::Exact(time) => time.naive_utc(),
        Written::Local(time) => *time,
        Written::Day(day) => day.and_time(chrono::NaiveTime::MIN),
    };
    let apart = (at(&sent) - at(&got)).abs();
    Some(match (&sent, &got) {
        (Written::Exact(sent), Written::Exact(got)) => Comparison::when(is_moment(*sent, *got)),
        (Written::Local(_), Written::Local(_)) => Comparison::when(apart < TimeDelta::seconds(1)),
        (Written::Day(sent), Written::Day(got)) => Comparison::when(sent == got),
        // Which zone was meant is not known.
        _ if same_day(at(&sent), at(&got)) || apart <= FARTHEST_ZONE => Comparison::Same,
        _ => Comparison::Different,
    })
}

/// Parts of a second may be lost.
fn is_moment(sent: DateTime<Utc>, got: DateTime<Utc>) -> bool {
    sent == got || (sent - got).abs() < TimeDelta::seconds(1) && got.timestamp_subsec_nanos() == 0
}

fn same_day(one: NaiveDateTime, other: NaiveDateTime) -> bool {
    one.date() == other.date()
}

/// A number without its country's code is one, and `00` is what is dialled for `+`.
fn is_same_phone(sent: &str, got: &str) -> bool {
    let dialled = |text: &str| -> Option<String> {
        let plain: String = text.chars().filter(|c| !" -().\u{a0}/".contains(*c)).collect();
        let digits = plain.strip_prefix('+').unwrap_or(&plain);
        let fits = (7..=17).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
        let international = plain.strip_prefix("00").map(|rest| format!("+{rest}"));
        fits.then(|| international.unwrap_or(plain))
    };
    let (Some(sent), Some(got)) = (dialled(sent), dialled(got)) else { return false };
    sent == got || is_same(&Value::String(sent), &Value::String(got))
}

/// Addresses of the web, which may come back with what goes without saying.
fn is_same_url(sent: &str, got: &str) -> bool {
    let parse = |text: &str| -> Option<String> {
        let looks = !text.contains(char::is_whitespace) && text.contains('.');
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&whole).ok().filter(|_| looks)?;
        url.scheme().starts_with("http").then(|| url.as_str().trim_end_matches('/').to_owned())
    };
    let is_url = |text: &str| text.contains("://") || text.starts_with("www.");
    (is_url(sent) || is_url(got)) && parse(sent).is_some_and(|sent| parse(got) == Some(sent))
}

/// Hidden in part.
fn is_masked(got: &str) -> bool {
    ["***", "•••", "xxxx", "XXXX"].iter().any(|mask| got.contains(mask))
}
