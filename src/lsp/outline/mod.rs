//! Where in a YAML text the cursor is, from the text before it alone: by lines and indentation, so that it works while
//! the text is being typed and does not parse.

mod end;
mod flow;
mod frame;
mod place;
mod scanner;
#[cfg(test)]
mod tests;

pub use end::place;
pub use place::{Part, Place, Role};
