//! The requests that recipes will send: how many a day of each counter of the APIs, when, and what to change if they
//! are too many. Pure: it sends nothing, and everything it knows of the past is passed in.

mod advice;
mod assumptions;
mod backlog;
mod burst;
mod constant;
mod counters;
mod estimate;
mod events;
mod history;
mod input;
mod model;
mod next_due;
mod over_parents;
mod planner;
mod poll_calls;
mod poll_groups;
mod polled_list;
mod polls;
mod replan;
mod run_calls;
mod timing;
mod uses;

pub use assumptions::{Assumptions, Error};
pub use estimate::Estimate;
pub use history::{HYDRATE, PollHistory, RecipeHistory};
pub use input::{AccountCounters, Input, LimitFrom, Period};
pub use model::{Advice, Burst, CounterPlan, EventsFrom, Note, Peak, Plan, RecipePlan, Use};
pub use planner::plan;
