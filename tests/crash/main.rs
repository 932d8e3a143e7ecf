//! Nothing is lost and nothing is done twice, however hob ends. The real program is killed at random
//! moments, and the proof comes from what the other side saw.

mod away;
mod deed;
mod dice;
mod evidence;
mod feeder;
mod fleet;
mod home;
mod killed;
mod measure;
mod ordeal;
#[path = "../postgres/mod.rs"]
mod postgres;
mod process;
#[path = "../cli/program.rs"]
mod program;
mod proof;
mod settings;
#[path = "../cli/stand_in.rs"]
mod stand_in;
mod struck;
