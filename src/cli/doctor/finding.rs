//! What was found about one thing.

use serde::Serialize;

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Health {
    /// It works.
    Ok,
    /// It works, and something should be known of it.
    Note,
    /// It does not work, or will not.
    Broken,
}

impl Health {
    /// The word for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Broken => "broken",
        }
    }
}

/// What was found about one thing. Scripts rely on these fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Finding {
    /// What was looked at: `version`, `workspace`, `recipe`, `variables`, `store`, `port`, `connection` or `clock`.
    pub(super) check: &'static str,
    /// Which one, where there are several.
    pub(super) subject: Option<String>,
    /// Whether it works.
    pub(super) health: Health,
    /// What was found.
    pub(super) message: String,
    /// What to do.
    pub(super) remedy: Option<String>,
}

impl Finding {
    /// Something that works.
    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Self {
        let (subject, remedy) = (None, None);
        Self { check, subject, health: Health::Ok, message: message.into(), remedy }
    }

    /// Something to know.
    pub(super) fn note(check: &'static str, message: impl Into<String>) -> Self {
        Self { health: Health::Note, ..Self::ok(check, message) }
    }

    /// Something that does not work.
    pub(super) fn broken(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Self { health: Health::Broken, remedy, ..Self::ok(check, message) }
    }

    /// The same about `subject`.
    pub(super) fn about(self, subject: &str) -> Self {
        Self { subject: Some(subject.to_owned()), ..self }
    }

    /// It for people: a line, and one with what to do.
    pub(super) fn lines(&self) -> Vec<String> {
        let subject = self.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
        let message = self.message.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut lines = vec![format!("{:<7} {}{subject}: {message}", self.health.name(), self.check)];
        lines.extend(self.remedy.as_ref().map(|remedy| format!("        → {remedy}")));
        lines
    }
}
