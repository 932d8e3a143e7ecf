//! Tests of recipes: runs a recipe on an event with stubbed answers and compares what it sent with what the test
//! expects. The recipe runs on the engine that `hob run` uses, with a manual clock and a store of its own; only the
//! network is replaced.

mod anonymize;
mod case;
mod coverage;
mod exchanges;
mod expectation;
mod file;
mod fixture;
mod junit;
mod links;
mod mismatches;
mod outcome;
mod recorded_links;
mod runner;
mod schema;
mod stubs;
mod syntax;
mod tested_recipe;

pub use anonymize::anonymize;
pub use case::{Case, DEFAULT_NOW};
pub use coverage::{Coverage, CoveredRecipe};
pub use file::{TestFile, parse};
pub use fixture::{Fixture, NoFixture};
pub use junit::to_junit;
pub use mismatches::mismatches;
pub use outcome::{Answered, CaseOutcome, Failure, SentRequest, in_words};
pub use runner::{Error, Runner, recorded_context, unconnected};
pub use schema::schema;
pub use tested_recipe::{NoRecipe, beside};
