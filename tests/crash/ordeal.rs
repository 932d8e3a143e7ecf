//! Programs at work, killed and paused at random moments, and then the proof.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hob::sandbox::{Fault, What};

use crate::dice::Dice;
use crate::evidence::{Evidence, listed};
use crate::feeder::{Accepted, Feeder};
use crate::fleet::Fleet;
use crate::home::Home;
use crate::measure::{Kills, Measures};
use crate::postgres::Cluster;
use crate::program::hob;
use crate::proof::complaints;
use crate::settings;
use crate::stand_in::StandIn;

/// Events of one lane go one after the other, in so many lanes.
const LANES: usize = 64;
/// Milliseconds after which the stand-in answers. What it was asked for happens before that.
const LATENCY: Range<u64> = 0..40;
/// Milliseconds that some programs live from their very start, before they can listen.
const SHORT_LIFE: Range<u64> = 0..150;
/// Longest life of a program that has nothing to do, and milliseconds after its last request.
const LONGEST_LIFE: Duration = Duration::from_secs(2);
const MOMENT: Range<u64> = 0..40;
/// Milliseconds that the server of the store is away.
const AWAY: Range<u64> = 0..400;
/// Kills between two lines of progress.
const TELL: u32 = 20;
/// Rounds of `hob run --once` until nothing is left to do, at most.
const ROUNDS: usize = 60;

/// How programs are tried.
pub struct Ordeal<'a> {
    pub name: &'a str,
    /// The `store:` of hob.yaml; `None` for the usual one.
    pub store: Option<&'a str>,
    /// Programs that share the work.
    pub processes: usize,
    /// More arguments of `hob run`.
    pub arguments: &'a [&'a str],
    /// What is killed.
    pub victim: Victim<'a>,
    pub kills: u32,
    /// Requests between two kills, once all is ready for the next. Not a time: on a busy machine the
    /// programs would never get anywhere.
    pub life: Range<u64>,
    /// Programs are also paused, one at a time and for so long, and then go on.
    pub pause: Option<Duration>,
}

/// What is killed.
#[derive(Clone, Copy)]
pub enum Victim<'a> {
    /// A program, by SIGKILL.
    Program,
    /// The server of the store, by `pg_ctl stop -m immediate`.
    Server(&'a Cluster),
}

/// A program that stands still.
struct Paused {
    member: usize,
    since: Instant,
}

impl Ordeal<'_> {
    /// Goes through with it. Panics with all that is wrong.
    pub fn go(&self) -> Measures {
        let (begun, seed) = (Instant::now(), settings::seed());
        self.tell(&format!("HOB_CRASH_SEED={seed}"));
        let stand_in = StandIn::start();
        let home = Arc::new(Home::new(&stand_in, self.store));
        let (accepted, kills) = self.kill(&stand_in, &home, Dice::new(seed), begun);
        self.settle(&home);
        let evidence = Evidence::gather(accepted, &stand_in.sandbox, home.path());
        let measures = Measures::of(&evidence, &kills);
        self.tell(&format!("{measures}, {:.0} s", begun.elapsed().as_secs_f64()));
        let wrong = complaints(&evidence);
        if !wrong.is_empty() {
            let kept = Arc::into_inner(home).map(Home::keep);
            let shown = wrong.iter().take(30).map(String::as_str).collect::<Vec<_>>().join("\n");
            self.tell(&shown);
            panic!("{} complaints; HOB_CRASH_SEED={seed}, see {kept:?}:\n{shown}", wrong.len());
        }
        measures
    }

    /// Kills programs at work, and lets the last ones take in what is still being sent.
    fn kill(
        &self,
        stand_in: &StandIn,
        home: &Arc<Home>,
        mut dice: Dice,
        begun: Instant,
    ) -> (Accepted, Kills) {
        let mut fleet = Fleet::start(Arc::clone(home), self.processes, self.arguments);
        let feeder = Feeder::start(stand_in, fleet.addresses(), LANES);
        let mut kills = Kills::default();
        let mut paused = None;
        let accepted = stand_in.runtime.block_on(async {
            for kill in 1..=self.kills {
                set_latency(stand_in, &mut dice);
                self.pause_or_resume(stand_in, &mut fleet, &mut paused, &mut dice).await;
                match self.victim {
                    Victim::Program => {
                        self.kill_one(stand_in, &mut fleet, paused.as_ref(), &mut dice, &mut kills).await
                    }
                    Victim::Server(server) => {
                        self.crash(stand_in, server, &mut fleet, &mut dice, &mut kills).await
                    }
                }
                if kill % TELL == 0 {
                    let (events, seconds) = (feeder.count(), begun.elapsed().as_secs());
                    self.tell(&format!("{kill} of {} kills, {events} events, {seconds} s", self.kills));
                }
            }
            if let Some(Paused { member, .. }) = paused {
                fleet.member(member).resume();
            }
            fleet.ready().await;
            feeder.finish().await
        });
        fleet.stop();
        (accepted, kills)
    }

    /// Waits for so many requests, and then for a moment, so that it is not always the same one.
    async fn live(&self, stand_in: &StandIn, dice: &mut Dice) {
        let enough = stand_in.sandbox.totals().0 + dice.number(self.life.clone());
        let enough = async {
            while stand_in.sandbox.totals().0 < enough {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // There may be nothing left to do but to wait.
        let _ = tokio::time::timeout(LONGEST_LIFE, enough).await;
        tokio::time::sleep(dice.pause(MOMENT)).await;
    }

    async fn kill_one(
        &self,
        stand_in: &StandIn,
        fleet: &mut Fleet,
        paused: Option<&Paused>,
        dice: &mut Dice,
        kills: &mut Kills,
    ) {
        let member = some_member(fleet, paused, dice);
        if dice.once_in(8) {
            tokio::time::sleep(dice.pause(SHORT_LIFE)).await;
        } else {
            fleet.member(member).ready().await;
            self.live(stand_in, dice).await;
        }
        kills.note();
        fleet.kill(member);
        if self.processes == 1 {
            all_dealt_with(stand_in).await;
        }
        fleet.begin(member);
    }

    /// The server ends in the middle of everything, and is back after a moment.
    async fn crash(
        &self,
        stand_in: &StandIn,
        server: &Cluster,
        fleet: &mut Fleet,
        dice: &mut Dice,
        kills: &mut Kills,
    ) {
        fleet.ready().await;
        self.live(stand_in, dice).await;
        kills.note();
        server.crash();
        tokio::time::sleep(dice.pause(AWAY)).await;
        server.restart();
    }

    /// One program at a time stands still; the others are to take up what it had in hand.
    async fn pause_or_resume(
        &self,
        stand_in: &StandIn,
        fleet: &mut Fleet,
        paused: &mut Option<Paused>,
        dice: &mut Dice,
    ) {
        let Some(pause) = self.pause else { return };
        match paused {
            Some(Paused { member, since }) if since.elapsed() > pause => {
                fleet.member(*member).resume();
                *paused = None;
            }
            Some(_) => {}
            None if dice.once_in(4) => {
                let member = some_member(fleet, None, dice);
                fleet.member(member).ready().await;
                self.live(stand_in, dice).await;
                fleet.member(member).pause();
                *paused = Some(Paused { member, since: Instant::now() });
            }
            None => {}
        }
    }

    /// The last, quiet start: until there is nothing left to do. With several programs, the runs that
    /// the killed ones had in hand come free only when their leases end.
    fn settle(&self, home: &Home) {
        run_until_nothing_is_left(home, if self.processes == 1 { 1 } else { ROUNDS });
    }

    fn tell(&self, line: &str) {
        // Not by `eprintln`, which is shown only when a test fails: this one takes its time.
        let _ = writeln!(std::io::stderr(), "{}: {line}", self.name);
    }
}

/// Takes in what there is, and runs it until every run has ended or is parked: each in so many rounds at
/// most.
pub fn run_until_nothing_is_left(home: &Home, rounds: usize) {
    run_until_all_ended(home, rounds);
    // A poll that was under way is taken up where it was left; what has come since is for the next one.
    run_until_all_ended(home, rounds);
}

fn run_until_all_ended(home: &Home, rounds: usize) {
    let mut open = Vec::new();
    for _ in 0..rounds {
        let ended = hob(home.path(), &["run", "--once"]);
        // 1 says that a run was parked.
        assert!([0, 1].contains(&ended.code), "{}{}", ended.output, ended.errors);
        open = listed(home.path(), &[]);
        open.retain(|run| run.state == "waiting" || run.state == "running");
        if open.is_empty() {
            return;
        }
    }
    panic!("{} runs do not end, such as {:?}", open.len(), open[0]);
}

/// What a killed program sent, the stand-in may yet have to read. A server that carries out a request
/// after its sender was asked for the outcome, or sent it again, is beyond what anybody can make up for.
async fn all_dealt_with(stand_in: &StandIn) {
    let begun = Instant::now();
    while stand_in.running.connections() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(120), "connections of a killed program stay open");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn set_latency(stand_in: &StandIn, dice: &mut Dice) {
    stand_in.sandbox.clear_faults();
    stand_in.sandbox.add_fault(Fault { what: What::Delay(dice.number(LATENCY)), ..Fault::default() });
}

/// Some member that does not stand still.
fn some_member(fleet: &Fleet, paused: Option<&Paused>, dice: &mut Dice) -> usize {
    loop {
        let index = usize::try_from(dice.number(0..fleet.size() as u64)).unwrap();
        if paused.is_none_or(|paused| paused.member != index) {
            return index;
        }
    }
}
