//! Injected faults: what fails, where and how often.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::damage::Damages;

/// A fault for requests that match all given fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Requests to this connector.
    pub connector: Option<String>,
    /// Requests of this operation.
    pub operation: Option<String>,
    /// Requests with this method.
    pub method: Option<String>,
    /// Requests whose path and query contain this.
    pub path: Option<String>,
    /// Number of matching requests that succeed first.
    pub after: u32,
    /// Number of affected requests; absent: all until a reset.
    pub times: Option<u32>,
    /// What fails.
    pub what: FaultKind,
    /// Whether the request is executed, so that only its answer is lost or wrong.
    pub done: bool,
}

/// What fails.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nothing.
    #[default]
    Nothing,
    /// Answers this status, with this body or the connector's usual one. A text is sent unchanged if a header
    /// `content-type` declares its type.
    Status {
        /// The status.
        status: u16,
        /// The body.
        body: Option<Value>,
        /// Headers.
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// The connection is closed without an answer.
    Close,
    /// No answer; the connection stays open.
    Hang,
    /// The answer is delayed by this many milliseconds.
    Delay(u64),
    /// A list stays at its first page and returns the same cursor.
    FrozenCursor,
    /// The answer is cut off.
    Truncate,
    /// Fields of a write are accepted and not kept as they were sent: names, as in `sandbox.yaml`, and what becomes of
    /// each.
    Damage(Damages),
    /// A list shows only records older than this many milliseconds.
    Lag(i64),
}

/// The faults that are set.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

/// A request, for matching faults.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) connector: &'a str,
    pub(super) operation: Option<&'a str>,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
}

impl Faults {
    /// Adds a fault.
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Removes all faults.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The faults that still apply.
    pub(super) fn list(&self) -> &[Fault] {
        &self.0
    }

    /// The fault that applies to this request, if any; counts it.
    pub(super) fn apply_fault(&mut self, target: Target<'_>) -> Option<Fault> {
        let index = self.0.iter_mut().position(|fault| {
            if !fault.matches(target) || fault.times == Some(0) {
                return false;
            }
            if fault.after > 0 {
                fault.after -= 1;
                return false;
            }
            true
        })?;
        let fault = self.0.get_mut(index)?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        let applied = fault.clone();
        self.0.retain(|fault| fault.times != Some(0));
        Some(applied)
    }
}

impl Fault {
    fn matches(&self, target: Target<'_>) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
        };
        is(&self.connector, Some(target.connector))
            && is(&self.operation, target.operation)
            && is(&self.method, Some(target.method))
            && self.path.as_deref().is_none_or(|part| target.path.contains(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_where_and_as_often_as_asked() {
        let mut faults = Faults::default();
        faults.add(Fault {
            operation: Some("a".into()),
            after: 1,
            times: Some(2),
            what: FaultKind::Close,
            ..Fault::default()
        });
        let mut apply_fault = |operation| {
            faults
                .apply_fault(Target { connector: "c", operation: Some(operation), method: "GET", path: "/" })
                .is_some()
        };
        let struck: Vec<bool> = ["a", "b", "a", "a", "a"].map(&mut apply_fault).to_vec();
        assert_eq!(struck, [false, false, true, true, false]);
    }

    #[test]
    fn is_read_from_json() {
        let fault: Fault =
            serde_json::from_str(r#"{"what": {"status": {"status": 422}}, "done": true, "times": 1}"#)
                .unwrap();
        assert!(fault.done && matches!(fault.what, FaultKind::Status { status: 422, .. }));
        let fault: Fault = serde_json::from_str(r#"{"what": "frozen_cursor"}"#).unwrap();
        assert_eq!(fault.what, FaultKind::FrozenCursor);
    }
}
