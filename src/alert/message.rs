//! Texts of messages.

use serde_json::{Value, json};

use super::model::Told;
use super::notice::Notice;
use crate::printable;

/// Most characters of a line.
const MAX_LINE: usize = 1_000;
/// Most characters of a subject.
const MAX_SUBJECT: usize = 160;
/// Most characters of a text for Slack, which takes up to 40,000.
const MAX_SLACK: usize = 12_000;

/// Something to be sent: notices that go together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    /// Its id, the same in each attempt as long as the notices are the same.
    pub(super) id: String,
    /// The name of the workspace.
    pub(super) workspace: String,
    pub(super) notices: Vec<Notice>,
}

impl Message {
    /// `hob my-studio: 3 alerts`
    pub(super) fn subject(&self) -> String {
        let what = match self.notices.as_slice() {
            [one] => one.text.clone(),
            several => {
                let over = several.iter().filter(|notice| notice.event == Told::Recovered).count();
                match several.len() - over {
                    0 => format!("{over} alerts are over"),
                    new if over == 0 => format!("{new} alerts"),
                    new => format!("{new} alerts, {over} are over"),
                }
            }
        };
        printable::line(&format!("hob {}: {what}", self.workspace), MAX_SUBJECT)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let parts: Vec<String> = self.notices.iter().map(lines).collect();
        format!("{}\n", parts.join("\n\n"))
    }

    /// For an incoming webhook of Slack.
    pub(super) fn slack(&self) -> Value {
        let text = format!("*hob {}*\n{}", self.workspace, self.text().trim_end());
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        json!({ "text": text.chars().take(MAX_SLACK).collect::<String>() })
    }

    /// For other webhooks.
    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id,
            "workspace": self.workspace,
            "text": self.subject(),
            "alerts": self.notices,
        })
    }
}

fn lines(notice: &Notice) -> String {
    let about = &notice.about;
    let mut lines = vec![notice.text.clone()];
    if notice.event != Told::Recovered {
        lines.extend(about.place.as_ref().map(|place| format!("at {place}")));
        lines.extend(about.help.clone());
        lines.extend(about.commands.iter().cloned());
    }
    lines.extend(notice.link.clone());
    let lines: Vec<String> = lines.iter().map(|line| printable::line(line, MAX_LINE)).collect();
    lines.join("\n  ")
}
