//! Nothing is lost and nothing is done twice, however hob ends. The real program is killed at random
//! moments, and the invariants are checked on what the other side saw.

mod chaos_run;
#[path = "../postgres/cluster.rs"]
mod cluster;
#[path = "../postgres/cluster_crash.rs"]
mod cluster_crash;
mod coverage;
mod effect;
mod event_sender;
mod fault_injection;
mod invariants;
mod observations;
mod process;
mod processes;
#[path = "../cli/program.rs"]
mod program;
mod rng;
mod settings;
mod sigkill;
#[path = "../cli/spawn.rs"]
mod spawn;
#[path = "../cli/stand_in.rs"]
mod stand_in;
mod store_outage;
mod workspace;
