//! What is told of an alert.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::about::{About, time};
use super::model::{Alert, Delivery, EndReason, Told};
use crate::workspace::AlertKind;

/// What is told of an alert. Webhooks and recipes get these fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// The id of the alert, the same from its beginning to its end.
    pub id: String,
    /// The id of this notice, the same however often it is sent.
    pub notice: String,
    /// What is told.
    pub event: Told,
    /// The kind of alert; null in tests.
    pub kind: Option<AlertKind>,
    /// It in a sentence.
    pub text: String,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
    /// The most runs that it had at once.
    pub runs: u64,
    /// Of these, those that are still failed at its end.
    pub runs_left: u64,
    /// When the alert was opened.
    pub opened: DateTime<Utc>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// The page about it.
    pub link: Option<String>,
}

impl Notice {
    /// What `delivery` tells of `alert`, with a link below `url`.
    pub(super) fn new(alert: &Alert, delivery: &Delivery, url: Option<&str>) -> Self {
        let is_news = delivery.what == Told::Recovered && !alert.told.contains_key(&delivery.to);
        Self {
            id: alert.id.clone(),
            notice: delivery.id.clone(),
            event: delivery.what,
            kind: Some(alert.kind),
            text: sentence(alert, delivery.what, is_news),
            about: alert.about.clone(),
            runs: alert.runs,
            runs_left: alert.ended.map_or(0, |end| end.left),
            opened: alert.opened,
            ended: alert.ended.map(|end| end.at),
            link: url.map(|url| link(alert, url)),
        }
    }
}

/// The page of the dashboard that shows the cause.
fn link(alert: &Alert, url: &str) -> String {
    match alert.kind {
        AlertKind::Parked | AlertKind::Failed => format!("{url}/runs?cause={}", alert.id),
        _ => format!("{url}/"),
    }
}

fn sentence(alert: &Alert, what: Told, is_news: bool) -> String {
    let About { title, summary, .. } = &alert.about;
    match what {
        Told::Opened | Told::Test => summary.clone(),
        Told::Reminder => format!("Still so: {summary}"),
        Told::Recovered => {
            let what = if is_news { "Came and went" } else { "Over" };
            format!("{what}: {title} ({})", ending(alert))
        }
    }
}

/// `10000 runs, from … to …; none of them is failed any more`
fn ending(alert: &Alert) -> String {
    let mut text = match alert.runs {
        0 => String::new(),
        1 => "1 run, ".to_owned(),
        runs => format!("{runs} runs, "),
    };
    let Some(end) = alert.ended else { return text };
    text += &format!("from {} to {}", time(alert.opened), time(end.at));
    let state = if alert.kind == AlertKind::Parked { "parked" } else { "failed" };
    text += &match (alert.runs, end.reason, end.left) {
        (0, ..) => String::new(),
        (_, EndReason::Gone, _) => format!("; none is {state} any more"),
        (_, EndReason::NoNewRuns, 0) => "; no further run has failed".to_owned(),
        (_, EndReason::NoNewRuns, 1) => "; no further run has failed, 1 is still failed".to_owned(),
        (_, EndReason::NoNewRuns, left) => format!("; no further run has failed, {left} are still failed"),
    };
    text
}
