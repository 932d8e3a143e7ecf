//! What can be written at the cursor: fields and values by schema, operations and their inputs, names in templates.

mod complete;
mod field_items;
mod fields;
mod inputs;
mod item;
mod template;
mod values;

pub use complete::complete;
pub use inputs::shape as input_shape;
pub use template::{about, meaning};
