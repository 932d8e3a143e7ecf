//! Programs at work, killed and paused at random moments, and then the proof.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hob::sandbox::{Fault, What};

use crate::dice::Dice;
use crate::evidence::{Evidence, listed};
use crate::feeder::{Accepted, Feeder};
use crate::fleet::Fleet;
use crate::home::Home;
use crate::measure::{Kills, Measures};
use crate::program::hob;
use crate::proof::complaints;
use crate::settings;
use crate::stand_in::StandIn;

/// Events of one lane go one after the other, in so many lanes.
const LANES: usize = 64;
/// Milliseconds after which the stand-in answers. What it was asked for happens before that.
const LATENCY: std::ops::Range<u64> = 0..40;
/// Milliseconds that a program lives after it began to listen, and some from their very start.
const LIFE: std::ops::Range<u64> = 5..400;
const SHORT_LIFE: std::ops::Range<u64> = 0..150;
/// Kills between two lines of progress.
const TELL: u32 = 25;
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
    pub kills: u32,
    /// Programs are also paused, one at a time and for so long, and then go on.
    pub pause: Option<Duration>,
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
                self.pause_or_resume(&mut fleet, &mut paused, &mut dice).await;
                let victim = victim(&fleet, paused.as_ref(), &mut dice);
                if dice.once_in(8) {
                    tokio::time::sleep(dice.pause(SHORT_LIFE)).await;
                } else {
                    fleet.member(victim).ready().await;
                    tokio::time::sleep(dice.pause(LIFE)).await;
                }
                kills.note();
                fleet.replace(victim);
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

    /// One program at a time stands still; the others are to take up what it had in hand.
    async fn pause_or_resume(&self, fleet: &mut Fleet, paused: &mut Option<Paused>, dice: &mut Dice) {
        let Some(pause) = self.pause else { return };
        match paused {
            Some(Paused { member, since }) if since.elapsed() > pause => {
                fleet.member(*member).resume();
                *paused = None;
            }
            Some(_) => {}
            None if dice.once_in(4) => {
                let member = victim(fleet, None, dice);
                fleet.member(member).ready().await;
                tokio::time::sleep(dice.pause(LIFE)).await;
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

/// Runs what there is to run, at most so many times, until every run has ended or is parked.
pub fn run_until_nothing_is_left(home: &Home, rounds: usize) {
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

fn set_latency(stand_in: &StandIn, dice: &mut Dice) {
    stand_in.sandbox.clear_faults();
    stand_in.sandbox.add_fault(Fault { what: What::Delay(dice.number(LATENCY)), ..Fault::default() });
}

/// Some member that does not stand still.
fn victim(fleet: &Fleet, paused: Option<&Paused>, dice: &mut Dice) -> usize {
    loop {
        let index = usize::try_from(dice.number(0..fleet.size() as u64)).unwrap();
        if paused.is_none_or(|paused| paused.member != index) {
            return index;
        }
    }
}
