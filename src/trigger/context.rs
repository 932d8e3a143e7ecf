//! What pollers and schedules need to run.

use super::claims::Claims;
use super::progress::OnPage;
use crate::services::Services;

/// What pollers and schedules need to run. Cheap to clone.
#[derive(Clone)]
pub struct TriggerContext {
    /// Journal, client, clock, connections and environment.
    pub services: Services,
    /// Claims of this process, for a store that several processes share.
    pub claims: Claims,
    /// Callback for every page of a poll.
    pub on_page: OnPage,
}
