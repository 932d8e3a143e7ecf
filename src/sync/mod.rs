//! What the file of a recipe stands for: the recipe itself, or the ordinary recipes of a `sync:`. This is the only way
//! from a file to recipes. It knows nothing of connections and other recipes, and what it generates is checked like
//! what a person wrote.

mod base_fields;
mod builtins;
mod changes;
mod comparison;
mod direction;
mod expand;
mod field;
mod field_map;
mod merge;
mod own_writes;
mod removals;
mod resolved;
mod search;
mod settlement;
mod side;
mod side_operations;
mod step_names;
mod tree;
mod value;

pub use expand::{Expansion, recipes, stands_for};
pub use step_names::{OTHER, OWN, is_occasional};
