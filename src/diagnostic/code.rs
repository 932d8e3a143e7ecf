//! The codes of all diagnostics: stable names for scripts, pages and suppressions.

use serde::Serialize;

/// The severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot run.
    Error,
    /// It can run, but probably not as meant.
    Warning,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $severity:ident;)+) => {
        /// The kinds of diagnostics of recipes, workspaces and connector files.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// All codes, in the order of the reference.
            pub const ALL: &[Code] = &[$(Code::$variant,)+];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)+ }
            }

            /// The severity.
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)+ }
            }

            /// One sentence for lists of rules.
            pub fn summary(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// The text is not YAML, or YAML that hob refuses (duplicate keys, merge keys, alias bombs).
    Syntax = "syntax", Error;
    /// A value begins with `{{` but has no quotes.
    UnquotedTemplate = "unquoted-template", Error;
    /// A field that the recipe language does not have.
    UnknownField = "unknown-field", Error;
    /// A field that must be there is not.
    MissingField = "missing-field", Error;
    /// A value has another type than its field takes.
    WrongType = "wrong-type", Error;
    /// A value is not one of those allowed.
    NotAllowed = "not-allowed", Error;
    /// Fields that exclude each other, or none of several of which one is needed.
    FieldConflict = "field-conflict", Error;
    /// Two recipes or two steps have the same name.
    DuplicateName = "duplicate-name", Error;
    /// No connector has this operation.
    UnknownOperation = "unknown-operation", Error;
    /// The operation cannot be used here (a write as a poller).
    WrongOperationKind = "wrong-operation-kind", Error;
    /// The operation has no such parameter.
    UnknownParameter = "unknown-parameter", Error;
    /// The operation needs a parameter that is not given.
    MissingParameter = "missing-parameter", Error;
    /// A template does not parse.
    TemplateSyntax = "template-syntax", Error;
    /// A template in the form of another tool, which would be sent as it stands.
    ForeignSyntax = "foreign-syntax", Error;
    /// A condition that is not one template, nor `true` or `false`.
    NotACondition = "not-a-condition", Error;
    /// A template names a variable that does not exist here.
    UnknownVariable = "unknown-variable", Error;
    /// A template names a step that does not exist, or has not run yet at this point.
    UnknownStep = "unknown-step", Error;
    /// A template uses a filter that does not exist.
    UnknownFilter = "unknown-filter", Error;
    /// A template uses a function or test that does not exist.
    UnknownFunction = "unknown-function", Error;
    /// A filter, test or function is given an argument that it does not take.
    BadArgument = "bad-argument", Error;
    /// A template could not be evaluated while a recipe ran.
    TemplateFailed = "template-failed", Error;
    /// A template reads a field that an answer does not have.
    UnknownResultField = "unknown-result-field", Error;
    /// A JSONPath that does not parse.
    BadJsonPath = "bad-jsonpath", Error;
    /// A cron expression or time zone that does not parse.
    BadSchedule = "bad-schedule", Error;
    /// A duration, time or backoff that does not parse.
    BadDuration = "bad-duration", Error;
    /// A webhook event that the connector does not send.
    UnknownEvent = "unknown-event", Error;
    /// A connection that `hob.yaml` does not have.
    UnknownConnection = "unknown-connection", Error;
    /// A connector that does not exist.
    UnknownConnector = "unknown-connector", Error;
    /// A version that the API does not have, or that does not have the operation.
    UnknownVersion = "unknown-version", Error;
    /// A webhook that anyone could call: it does not say how requests prove where they come from, or its key
    /// protects nothing.
    InsecureWebhook = "insecure-webhook", Error;
    /// A variable `env.NAME` that the workspace does not list.
    UnlistedEnv = "unlisted-env", Error;
    /// What a recipe did differs from what its test expects.
    TestFailed = "test-failed", Error;
    /// A variable `${NAME}` of `hob.yaml` that is not set.
    UnsetVariable = "unset-variable", Warning;
    /// A step uses a list of which it read only the first page.
    TruncatedList = "truncated-list", Warning;
    /// An operation that its vendor advises against.
    Deprecated = "deprecated", Warning;
    /// A condition, or a part of one, that is always true or always false.
    ConstantCondition = "constant-condition", Warning;
    /// A value that may be missing is used as if it were always there.
    MaybeMissing = "maybe-missing", Warning;
    /// An input that replaces everything the record had.
    ReplacesAll = "replaces-all", Warning;
    /// A variable that nothing reads.
    UnusedVariable = "unused-variable", Warning;
    /// A step, or a recipe, that never runs.
    Unreachable = "unreachable", Warning;
    /// A `retry` of a step that is not sent again once its answer is lost, because nothing tells whether it happened.
    UnprobedRetry = "unprobed-retry", Warning;
    /// A token, password or key that is written out in a recipe.
    WrittenSecret = "written-secret", Warning;
    /// Recipes that start each other by what they write.
    RecipeCycle = "recipe-cycle", Warning;
    /// A link that no recipe saves.
    UnknownLink = "unknown-link", Warning;
    /// A comment that allows a warning without a reason, or a warning that is not there.
    BadAllowance = "bad-allowance", Warning;
    /// Something that works but probably not as meant.
    Suspicious = "suspicious", Warning;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_kebab_case() {
        let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
