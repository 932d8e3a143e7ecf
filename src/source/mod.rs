//! Texts and positions: source files, spans, and YAML as a tree in which every scalar has a span.
//!
//! This module knows YAML but not recipes, and it never stops at the first error.

mod deserialize;
mod file;
mod node;
mod quote;
mod scalar;
mod span;
mod values;
mod write;
mod yaml;

pub use deserialize::{Error as ReadError, read, read_text};
pub use file::{Position, SourceFile};
pub use node::{Data, Node};
pub use quote::quoted;
pub use span::{Span, Spanned};
pub use values::ValueFinder;
pub use write::to_yaml;
pub use yaml::{Parsed, SyntaxError, parse};
