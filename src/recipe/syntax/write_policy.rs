//! What recipes and their steps say of writes.

use schemars::JsonSchema;
use serde::Deserialize;

/// What to do where an API accepts a write and does not keep what was sent: the fields that were sent are compared
/// with the record that the answer shows. What another form of the same value is (a phone number with its country's
/// code, the case of an e-mail address) does not count, and a field that the answer does not show is not judged,
/// unless the catalog says that it shows the whole record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeptPolicy {
    /// Nothing.
    Ignore,
    /// Tell it: in the history as `kept: false` with each field, what was sent and what it is, in the log and in the
    /// counts (the default).
    #[default]
    Warn,
    /// Tell it, and the step fails. The write has happened and is not sent again by itself.
    Fail,
}

/// What to do with a write that equals what the record last held. Only updates of one record are left out that the
/// catalog marks as such, and only if every field that they send is known to be as it is: never a create, a message
/// or an action. It is known by what the run itself read or wrote in the last five minutes, or by the last event or
/// answer about the record, not older than five minutes, where a trigger of the recipes hears of its changes. What hob
/// knows of another write or event since, and a write under way, counts against it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnchangedPolicy {
    /// Skip and count it: the step's result is the record as it is known (the default).
    #[default]
    Skip,
    /// Send it all the same.
    Send,
}
