//! Processes are killed and paused at random moments under load; then the invariants are checked.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hob::sandbox::{Fault, FaultKind};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::coverage::{Coverage, Kills};
use crate::event_sender::{Accepted, EventSender};
use crate::invariants::violations;
use crate::observations::{Observations, list_runs};
use crate::processes::Processes;
use crate::program::hob;
use crate::rng::Rng;
use crate::settings;
use crate::stand_in::StandIn;
use crate::workspace::Workspace;

/// Number of lanes; the events of one lane are sent one after the other.
const LANES: usize = 64;
/// Delay of the stand-in's answers in milliseconds. A request takes effect before its delay.
const LATENCY: Range<u64> = 0..40;
/// Milliseconds after its start at which some processes are killed, before they can listen.
const STARTUP_DELAY: Range<u64> = 0..150;
/// Longest wait for requests of an idle process, and the extra milliseconds after the last one.
const MAX_WAIT: Duration = Duration::from_secs(2);
const EXTRA_DELAY: Range<u64> = 0..40;
/// Downtime of the database server in milliseconds.
const DOWNTIME: Range<u64> = 0..400;
/// Kills between two progress lines.
const REPORT_EVERY: u32 = 20;
/// Most rounds of `hob run --once` until all runs have ended.
const MAX_ROUNDS: usize = 60;

/// Parameters of one chaos run.
pub struct ChaosRun<'a> {
    pub name: &'a str,
    /// The `store:` of hob.yaml; `None` for the default.
    pub store: Option<&'a str>,
    /// Processes that share the work.
    pub processes: usize,
    /// Extra arguments of `hob run`.
    pub arguments: &'a [&'a str],
    /// What is killed.
    pub target: Target<'a>,
    pub kills: u32,
    /// Requests between two kills, once everything is ready for the next. Not a duration: on a busy machine
    /// the processes would never make progress.
    pub requests_between_kills: Range<u64>,
    /// Processes are also paused, one at a time, for this long.
    pub pause: Option<Duration>,
}

/// What is killed.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// A process, by SIGKILL.
    Program,
    /// The database server, by `pg_ctl stop -m immediate`.
    Server(&'a Cluster),
}

/// A process that is stopped by SIGSTOP.
struct Paused {
    member: usize,
    since: Instant,
}

impl ChaosRun<'_> {
    /// Runs it. Panics with every violated invariant.
    pub fn run(&self) -> Coverage {
        let (begun, seed) = (Instant::now(), settings::seed());
        self.print(&format!("HOB_CRASH_SEED={seed}"));
        let stand_in = StandIn::start();
        let workspace = Arc::new(Workspace::new(&stand_in, self.store));
        let (accepted, kills) = self.kill(&stand_in, &workspace, Rng::new(seed), begun);
        self.settle(&workspace);
        let observations = Observations::gather(accepted, &stand_in.sandbox, workspace.path());
        let coverage = Coverage::of(&observations, &kills);
        self.print(&format!("{coverage}, {:.0} s", begun.elapsed().as_secs_f64()));
        let wrong = violations(&observations);
        if !wrong.is_empty() {
            let kept = Arc::into_inner(workspace).map(Workspace::keep);
            let shown = wrong.iter().take(30).map(String::as_str).collect::<Vec<_>>().join("\n");
            self.print(&shown);
            panic!("{} complaints; HOB_CRASH_SEED={seed}, see {kept:?}:\n{shown}", wrong.len());
        }
        coverage
    }

    /// Kills processes under load; the last ones started accept the events that are still being sent.
    fn kill(
        &self,
        stand_in: &StandIn,
        workspace: &Arc<Workspace>,
        mut rng: Rng,
        begun: Instant,
    ) -> (Accepted, Kills) {
        let mut processes = Processes::start(Arc::clone(workspace), self.processes, self.arguments);
        let sender = EventSender::start(stand_in, processes.addresses(), LANES);
        let mut kills = Kills::default();
        let mut paused = None;
        let accepted = stand_in.runtime.block_on(async {
            for kill in 1..=self.kills {
                set_latency(stand_in, &mut rng);
                self.pause_or_resume(stand_in, &mut processes, &mut paused, &mut rng).await;
                match self.target {
                    Target::Program => {
                        self.kill_and_restart(stand_in, &mut processes, paused.as_ref(), &mut rng, &mut kills)
                            .await
                    }
                    Target::Server(server) => {
                        self.crash(stand_in, server, &mut processes, &mut rng, &mut kills).await
                    }
                }
                if kill % REPORT_EVERY == 0 {
                    let (events, seconds) = (sender.count(), begun.elapsed().as_secs());
                    self.print(&format!("{kill} of {} kills, {events} events, {seconds} s", self.kills));
                }
            }
            if let Some(Paused { member, .. }) = paused {
                processes.member(member).resume();
            }
            processes.ready().await;
            sender.finish().await
        });
        processes.stop();
        (accepted, kills)
    }

    /// Waits for a random number of requests, and then a random moment longer.
    async fn live(&self, stand_in: &StandIn, rng: &mut Rng) {
        let enough = stand_in.sandbox.totals().0 + rng.number(self.requests_between_kills.clone());
        let enough = async {
            while stand_in.sandbox.totals().0 < enough {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // There may be nothing left to do but wait.
        let _ = tokio::time::timeout(MAX_WAIT, enough).await;
        tokio::time::sleep(rng.pause(EXTRA_DELAY)).await;
    }

    async fn kill_and_restart(
        &self,
        stand_in: &StandIn,
        processes: &mut Processes,
        paused: Option<&Paused>,
        rng: &mut Rng,
        kills: &mut Kills,
    ) {
        let member = pick_member(processes, paused, rng);
        if rng.once_in(8) {
            tokio::time::sleep(rng.pause(STARTUP_DELAY)).await;
        } else {
            processes.member(member).ready().await;
            self.live(stand_in, rng).await;
        }
        kills.note();
        processes.kill(member);
        if self.processes == 1 {
            connections_closed(stand_in).await;
        }
        processes.restart(member);
    }

    /// The database server crashes in the middle of everything and is restarted after a moment.
    async fn crash(
        &self,
        stand_in: &StandIn,
        server: &Cluster,
        processes: &mut Processes,
        rng: &mut Rng,
        kills: &mut Kills,
    ) {
        processes.ready().await;
        self.live(stand_in, rng).await;
        kills.note();
        server.crash();
        tokio::time::sleep(rng.pause(DOWNTIME)).await;
        server.restart();
    }

    /// One process at a time is paused; the others have to take over its runs.
    async fn pause_or_resume(
        &self,
        stand_in: &StandIn,
        processes: &mut Processes,
        paused: &mut Option<Paused>,
        rng: &mut Rng,
    ) {
        let Some(pause) = self.pause else { return };
        match paused {
            Some(Paused { member, since }) if since.elapsed() > pause => {
                processes.member(*member).resume();
                *paused = None;
            }
            Some(_) => {}
            None if rng.once_in(4) => {
                let member = pick_member(processes, None, rng);
                processes.member(member).ready().await;
                self.live(stand_in, rng).await;
                processes.member(member).pause();
                *paused = Some(Paused { member, since: Instant::now() });
            }
            None => {}
        }
    }

    /// The last start, without kills: until every run has ended. With several processes, the runs of the
    /// killed ones become free only when their leases end.
    fn settle(&self, workspace: &Workspace) {
        finish_all_runs(workspace, if self.processes == 1 { 1 } else { MAX_ROUNDS });
    }

    fn print(&self, line: &str) {
        // Not `eprintln`, which is captured until a test fails: this test takes long.
        let _ = writeln!(std::io::stderr(), "{}: {line}", self.name);
    }
}

/// Runs `hob run --once` until it has polled and every run has ended or is parked, for `rounds` rounds at most, and
/// then once more for what the last poll left.
pub fn finish_all_runs(workspace: &Workspace, rounds: usize) {
    run_until_all_ended(workspace, rounds);
    // An interrupted poll is resumed first; records that came since are found by the next poll.
    run_until_all_ended(workspace, rounds);
}

fn run_until_all_ended(workspace: &Workspace, rounds: usize) {
    let (mut open, mut polls) = (Vec::new(), Value::Null);
    for _ in 0..rounds {
        let ended = hob(workspace.path(), &["run", "--once", "--format", "json"]);
        // 1 says that a run was parked.
        assert!([0, 1].contains(&ended.code), "{}{}", ended.output, ended.errors);
        polls = ended.json()["polls"].take();
        open = list_runs(workspace.path(), &[]);
        open.retain(|run| run.state == "waiting" || run.state == "running");
        // A process that could not give up its claim in time keeps others from polling until the claim ends.
        let polled = polls.as_array().is_some_and(|polls| polls.iter().all(|poll| poll["error"].is_null()));
        if open.is_empty() && polled {
            return;
        }
    }
    panic!("{} runs do not end, such as {:?}; {polls}", open.len(), open.first());
}

/// The stand-in may not have read yet what a killed process sent. No client can compensate for a server that carries
/// out a request after the client has probed for it or sent it again.
async fn connections_closed(stand_in: &StandIn) {
    let begun = Instant::now();
    while stand_in.running.connections() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(120), "connections of a killed program stay open");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn set_latency(stand_in: &StandIn, rng: &mut Rng) {
    stand_in.sandbox.clear_faults();
    stand_in.sandbox.add_fault(Fault { what: FaultKind::Delay(rng.number(LATENCY)), ..Fault::default() });
}

/// A random process that is not paused.
fn pick_member(processes: &Processes, paused: Option<&Paused>, rng: &mut Rng) -> usize {
    loop {
        let index = usize::try_from(rng.number(0..processes.size() as u64)).unwrap();
        if paused.is_none_or(|paused| paused.member != index) {
            return index;
        }
    }
}
