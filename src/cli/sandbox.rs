//! `hob sandbox`: simulated APIs for recipes, editors and curl.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::runtime::{StopSignal, block_on};
use super::{ExitCode, Failure, Format, Output, Session};
use crate::sandbox::{Budget, Options, RunningSandbox, Sandbox as StandIn};
use crate::workspace::{BadAddress, parse_listen, sandbox_scripts};

/// Serve stand-ins for the APIs, filled with example data
#[derive(Debug, Args)]
#[command(after_help = "Runs until Ctrl-C. Its data is in memory and the same at every start. \
GET /_sandbox/log shows the requests, /_sandbox/state the data.\n\n\
Examples:\n  hob sandbox\n  hob sandbox --listen 127.0.0.1:9000 --records 170000 --unlimited")]
pub struct Sandbox {
    /// Address and port; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = listen)]
    listen: SocketAddr,
    /// How many contacts and clients there are to begin with
    #[arg(long, visible_alias = "contacts", value_name = "COUNT")]
    records: Option<usize>,
    /// No request limits
    #[arg(long)]
    unlimited: bool,
    #[command(flatten)]
    output: Output,
}

fn listen(text: &str) -> Result<SocketAddr, BadAddress> {
    parse_listen(text)
}

impl Sandbox {
    /// Serves until it is stopped.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let scripts = match session.root(&[])? {
            Some(root) => {
                sandbox_scripts(&root).map_err(|error| Failure::workspace(session.as_shown(error)))?
            }
            None => Default::default(),
        };
        let options = Options {
            scripts,
            records: self.records,
            budget: if self.unlimited { Budget::Unlimited } else { Budget::Usual },
            ..Options::default()
        };
        let stand_in = StandIn::new(Arc::clone(&session.catalog()?), options).map_err(Failure::problem)?;
        block_on(async {
            let signal = StopSignal::listen()?;
            let context = || format!("cannot listen at {}", self.listen);
            let running =
                stand_in.serve(self.listen).await.with_context(context).map_err(Failure::unavailable)?;
            self.announce(session, &stand_in, &running)?;
            signal.requested().await;
            running.stop().await;
            Ok(ExitCode::Fine)
        })?
    }

    fn announce(
        &self,
        session: &mut Session,
        stand_in: &StandIn,
        running: &RunningSandbox,
    ) -> Result<(), Failure> {
        let connectors: Vec<&str> = stand_in.connectors().collect();
        match self.output.format {
            Format::Json => {
                let about = connectors.iter().map(|name| {
                    let base_url = running.base_url(name);
                    json!({ "connector": name, "base_url": base_url, "auth": stand_in.credential(name),
                        "settings": stand_in.settings(name) })
                });
                session.streams.json(&about.collect::<Vec<_>>())?;
            }
            Format::Text => {
                // In the form of hob.yaml.
                session.streams.say("connections:")?;
                for name in connectors {
                    session.streams.show(format!("  {name}:\n    connector: {name}"))?;
                    session.streams.say(format!("    base_url: {}", running.base_url(name)))?;
                    for (setting, value) in stand_in.settings(name) {
                        session.streams.say(format!("    {setting}: {value}"))?;
                    }
                    if let Some(auth) = stand_in.credential(name) {
                        session.streams.say(format!("    auth: {auth}"))?;
                    }
                }
                session.streams.output.flush()?;
                session.streams.note("serving until Ctrl-C");
            }
        }
        Ok(())
    }
}
