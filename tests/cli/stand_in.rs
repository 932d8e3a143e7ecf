//! A sandbox in the test's own process, which outlives the programs that use it.

use std::sync::{Arc, LazyLock};

use hob::catalog::Catalog;
use hob::sandbox::{Budget, Options, RunningSandbox, Sandbox};
use tokio::runtime::Runtime;

/// Loaded once, which takes a while in a debug build.
static BUILT_IN: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::built_in()));

/// The built-in catalog.
pub fn built_in() -> Arc<Catalog> {
    Arc::clone(&BUILT_IN)
}

/// A sandbox without request limits.
pub struct StandIn {
    pub sandbox: Sandbox,
    pub running: RunningSandbox,
    pub runtime: Runtime,
}

impl StandIn {
    pub fn start() -> Self {
        Self::of(built_in())
    }

    pub fn of(catalog: Arc<Catalog>) -> Self {
        // Everything served is logged, so that proofs are complete.
        Self::with(catalog, Options { budget: Budget::Unlimited, log: usize::MAX, ..Options::default() })
    }

    pub fn with(catalog: Arc<Catalog>, options: Options) -> Self {
        let sandbox = Sandbox::new(catalog, options).unwrap();
        let runtime = Runtime::new().unwrap();
        let running = runtime.block_on(sandbox.serve(([127, 0, 0, 1], 0).into())).unwrap();
        Self { sandbox, running, runtime }
    }

    pub fn base_url(&self, connector: &str) -> String {
        self.running.base_url(connector)
    }

    /// A `hob.yaml` with connections to it.
    pub fn workspace(&self) -> String {
        let mut text = "connections:\n".to_owned();
        for name in self.sandbox.connectors() {
            text.push_str(&format!(
                "  {name}:\n    connector: {name}\n    base_url: {}\n    budget: {{ burst: 100000/1s }}\n",
                self.running.base_url(name)
            ));
            for (setting, value) in self.sandbox.settings(name) {
                text.push_str(&format!("    {setting}: {value}\n"));
            }
            if let Some(auth) = self.sandbox.credential(name) {
                text.push_str(&format!("    auth: {auth}\n"));
            }
        }
        text
    }
}
