//! The alert of `hob alerts test`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::about::About;
use super::model::Told;
use super::notice::Notice;

/// A test, which tells nothing but that it arrives.
pub fn test_notice(url: Option<&str>, now: DateTime<Utc>) -> Notice {
    let id = Uuid::now_v7().simple().to_string();
    let text = "This is a test of `hob alerts test`; nothing is wrong".to_owned();
    Notice {
        id: id.clone(),
        notice: id,
        event: Told::Test,
        kind: None,
        text: text.clone(),
        about: About::plain("test".to_owned(), text),
        runs: 0,
        runs_left: 0,
        opened: now,
        ended: None,
        link: url.map(|url| format!("{url}/")),
    }
}
