//! Removes secrets from the texts of entries before they are stored or shown. Data is unchanged, because later steps
//! need it.

use serde_json::Value;

use super::entry::{Entry, MirroredToken, StampedEntry, StepError};
use crate::secret::Redactor;
use crate::value::beginning;

/// The longest text for people, in bytes.
const MAX_LENGTH: usize = 16 << 10;

impl StampedEntry {
    /// The entry with redacted texts, and with the tokens contained in its data.
    pub fn redacted(self, redactor: &Redactor) -> Self {
        let mut tokens = self.tokens;
        for token in redactor.tokens_in(self.entry.data()).into_iter().map(MirroredToken::from) {
            if !tokens.contains(&token) {
                tokens.push(token);
            }
        }
        Self { at: self.at, tokens, entry: self.entry.redacted(redactor) }
    }
}

impl Entry {
    /// The data of the entry, which is not redacted.
    fn data(&self) -> Vec<&Value> {
        match self {
            Entry::Started { vars, .. } => vars.values().collect(),
            Entry::Intent { inputs, .. } => vec![inputs],
            Entry::StepSucceeded { result, .. } | Entry::StepUnchanged { result, .. } => vec![result],
            Entry::Compared { before, .. } => vec![before],
            Entry::NotKept { fields, result, .. } => {
                let values = fields.iter().flat_map(|field| [&field.sent, &field.got]);
                values.chain(result.as_deref()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The entry with redacted texts.
    pub fn redacted(mut self, redactor: &Redactor) -> Self {
        match &mut self {
            Entry::StepFailed { error, read, .. } => {
                *error = std::mem::replace(error, StepError::new("")).redacted(redactor);
                // Nothing is done with it again: it is for people.
                *read = read.take().map(|inputs| redactor.value(&inputs));
            }
            Entry::StepSkipped { reason: text, .. }
            | Entry::Deferred { reason: text, .. }
            | Entry::InDoubt { reason: text, .. }
            | Entry::Parked { reason: text, .. }
            | Entry::MoreRecords { message: text, .. }
            | Entry::UnknownFields { reason: text, .. }
            | Entry::StepUnchanged { reason: text, .. }
            | Entry::Remark { message: text, .. } => *text = redact_text(text, redactor),
            Entry::Finished { reason, .. } => {
                *reason = reason.as_deref().map(|text| redact_text(text, redactor))
            }
            Entry::Started { .. }
            | Entry::Intent { .. }
            | Entry::StepSucceeded { .. }
            | Entry::DidNotHappen { .. }
            | Entry::WaitStarted { .. }
            | Entry::NotKept { .. }
            | Entry::Compared { .. }
            | Entry::LinksFound { .. }
            | Entry::Coalesced { .. }
            | Entry::Caused { .. }
            | Entry::Resumed { .. }
            | Entry::BegunAgain { .. }
            | Entry::Restarted {} => {}
        }
        self
    }
}

/// `text`, redacted and then truncated, so that no part of a secret remains.
pub fn redact_text(text: &str, redactor: &Redactor) -> String {
    beginning(&redactor.text(text), MAX_LENGTH)
}

impl StepError {
    fn redacted(self, redactor: &Redactor) -> Self {
        Self {
            message: redact_text(&self.message, redactor),
            help: self.help.as_deref().map(|help| redact_text(help, redactor)),
            excerpt: self.excerpt.as_deref().map(|excerpt| redact_text(excerpt, redactor)),
            status: self.status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::StepKey;
    use crate::secret::Secret;
    use serde_json::json;

    #[test]
    fn texts_keep_no_secret_and_data_stays_true() {
        let redactor = Redactor::new([Secret::new("s3cr3t-key")]);
        let step = || StepKey::new("a");
        let text = || "has s3cr3t-key".to_owned();
        let value = || json!({ "k": ["s3cr3t-key"] });
        let error = StepError { help: Some(text()), excerpt: Some(text()), ..StepError::new(text()) };
        let vars = value().as_object().unwrap().clone();
        let until = chrono::DateTime::UNIX_EPOCH;
        let texts = [
            Entry::StepFailed {
                step: step(),
                attempt: 1,
                error,
                retry_at: None,
                lost: false,
                read: Some(value()),
            },
            Entry::StepSkipped { step: step(), reason: text() },
            Entry::Deferred { step: step(), until, reason: text(), held: false, kind: None },
            Entry::InDoubt {
                step: step(),
                attempt: 1,
                reason: text(),
                status: None,
                interrupted: false,
                existing: None,
            },
            Entry::Parked { step: step(), reason: text() },
            Entry::Remark { level: "info".into(), message: text() },
            Entry::Finished { state: crate::run::RunState::Failed, reason: Some(text()), step: None },
        ];
        for entry in texts {
            let stored = serde_json::to_string(&entry.redacted(&redactor)).unwrap();
            assert!(!stored.contains("s3cr3t") && stored.contains("***"), "{stored}");
        }
        let data = [
            Entry::Started { version: "1".into(), vars },
            Entry::Intent { step: step(), attempt: 1, operation: "o".into(), inputs: value() },
            Entry::StepSucceeded {
                step: step(),
                attempt: 1,
                result: value().into(),
                known_by: None,
                truncated: false,
            },
        ];
        for entry in data {
            assert_eq!(entry.clone().redacted(&redactor), entry);
        }
    }

    #[test]
    fn tokens_in_data_are_kept_beside_it() {
        let redactor = Redactor::new([Secret::new("s3cr3t-key")]);
        redactor.add_short_lived([Secret::new("token-1234"), Secret::new("token-5678")]);
        let inputs = json!({ "a": "Bearer token-5678", "b": "s3cr3t-key" });
        let intent = Entry::Intent { step: StepKey::new("a"), attempt: 1, operation: "o".into(), inputs };
        let stamped = StampedEntry::new(chrono::DateTime::UNIX_EPOCH, intent.clone()).redacted(&redactor);
        assert_eq!(stamped.entry, intent);
        assert_eq!(stamped.tokens, [MirroredToken::from(Secret::new("token-5678"))]);
    }
}
