//! What tells others about runs: alerts and traces.

use std::sync::Arc;

use crate::alert::{AlertWatch, Sender, WatchSettings};
use crate::engine::{RecipeVersions, RunCounters};
use crate::services::Services;
use crate::telemetry::TraceExport;
use crate::workspace::Workspace;

/// Alerts, and traces if hob.yaml says where to.
pub(super) struct Observers {
    alerts: AlertWatch,
    traces: Option<TraceExport>,
}

impl Observers {
    /// Those of `workspace`, for the process `owner`.
    pub(super) fn new(
        workspace: &Workspace,
        services: &Services,
        recipes: &RecipeVersions,
        counters: &Arc<RunCounters>,
        owner: &str,
        once: bool,
    ) -> Self {
        let settings = WatchSettings {
            alerts: workspace.alerts.clone(),
            accounts: workspace.accounts.clone(),
            url: workspace.access.link_base(),
            once,
        };
        let sender =
            Sender { services: services.clone(), recipes: recipes.clone(), workspace: workspace.name() };
        let traces = workspace.collector.clone().map(|collector| {
            let counters = Arc::clone(counters);
            TraceExport::new(collector, services.clone(), recipes.clone(), counters, workspace.name())
        });
        Self { alerts: AlertWatch::new(settings, sender, owner), traces }
    }

    /// Tell whatever there is to tell. Never returns.
    pub(super) async fn regularly(&self) {
        let tracing = async {
            match &self.traces {
                Some(traces) => traces.regularly().await,
                None => std::future::pending().await,
            }
        };
        tokio::join!(self.alerts.regularly(), tracing);
    }

    /// Tell what there is to tell now.
    pub(super) async fn once(&self) {
        self.alerts.look().await;
        if let Some(traces) = &self.traces {
            traces.once().await;
        }
    }
}
