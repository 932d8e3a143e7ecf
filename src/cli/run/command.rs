//! The command `hob run`.

use super::arguments::Run;
use super::service::Service;
use crate::cli::{ExitCode, Failure, Session, StoreChoice, runtime, schema};

impl Run {
    /// Runs.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let choice = StoreChoice { sandbox: self.sandbox };
        let workspace = session.workspace_or_its_sandbox(&self.paths, choice)?;
        if session.root(&self.paths)?.is_some() {
            schema::refresh(&workspace.root, &workspace.catalog);
        }
        for remarks in std::mem::take(&mut session.remarks) {
            session.show(&remarks);
        }
        let recipes = self.recipes(session, &workspace)?;
        runtime::block_on(async {
            let service = Service::open(self.service_options(), session, &workspace, recipes).await?;
            let ended = if self.keeps_running() {
                service.keep_running(session, &workspace).await
            } else {
                let ended = service.once(session, self.output.format).await;
                service.upkeep(&workspace).await;
                ended
            };
            service.close().await;
            ended
        })?
    }
}
