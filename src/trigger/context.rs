//! What pollers and schedules work with.

use super::claims::Claims;
use super::progress::OnPage;
use crate::services::Services;

/// What pollers and schedules work with. Cheap to clone.
#[derive(Clone)]
pub struct TriggerContext {
    /// What they share with everything else.
    pub services: Services,
    /// What this process acts for, where several share the store.
    pub claims: Claims,
    /// Told of every page of a poll.
    pub on_page: OnPage,
}
