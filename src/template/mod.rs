//! Expressions in recipes: parsing, analysis and evaluation.
//!
//! Templates use the language of minijinja without constructs that recipes do not need (macros, includes, methods),
//! and are stricter: an undefined value is an error with a place. This module is pure: it uses no clock, files or
//! process environment, and an evaluation ends after a bounded amount of work.

mod argument;
mod bind;
mod call;
mod comparison;
mod conflict;
mod constant;
mod constant_condition;
mod convert;
mod engine;
mod error;
mod evaluate;
mod exact_number;
mod explain;
mod filter_type;
mod filters;
mod foreign;
mod functions;
mod hidden_filters;
mod inference;
mod inferred;
mod inferred_calls;
mod inferred_filters;
mod inferred_operators;
mod links;
mod literal;
mod located;
mod lower;
mod marks;
mod number;
mod omit;
mod operand;
mod order;
mod origin;
mod parse;
mod path;
mod path_key;
mod predicates;
mod presence;
mod provenance;
mod required_values;
mod scope;
mod signature;
mod spec;
mod syntax;
#[cfg(test)]
mod testing;
mod truth;
mod unknown_function;
mod unquoted_expression;

mod misread;
mod name_use;
mod uses;
mod value_paths;

pub use call::{Call, Callee};
pub use comparison::{Comparison, Side};
pub use conflict::{Conflict, ConflictKind};
pub use constant_condition::Constant;
pub use error::{Error, ErrorKind};
pub use filters::{all as filters, zone_advice};
pub use foreign::{filter_alias, instead_of};
pub use functions::all as functions;
pub use inference::Inference;
pub use inferred::{Class, Inferred};
pub use links::{LinkEnd, LinkQuery, Links};
pub use located::{LocatedError, LocatedTemplate, TemplateTree, TreeShape};
pub use name_use::{PathStep, Use};
pub use origin::Sources;
pub use parse::Template;
pub use predicates::all as tests;
pub use required_values::{Need, Present};
pub use scope::Scope;
pub use spec::Spec;
pub use syntax::SyntaxError;
pub use truth::truthy;
pub use unquoted_expression::{Intended, as_expression};
pub use value_paths::ValuePath;
