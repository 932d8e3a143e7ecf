//! Who asks for a page, and what they may do.

pub use crate::operator::Role;

/// An operator of the dashboard. A request without one, in its extensions, gets no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Their name, for the audit log.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

impl Operator {
    /// Whether they may change anything.
    pub fn may_act(&self) -> bool {
        self.role >= Role::Act
    }
}

/// The token that forms send back as `csrf`, in the extensions of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsrfToken(pub String);
