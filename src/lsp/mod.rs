//! The language server: `hob lsp` helps editors to write recipes, their tests, `hob.yaml` and connectors. It knows
//! what the checker knows and shows it at the cursor; it changes no file, sends no request, and shows no value of a
//! variable.

mod analysis;
mod capabilities;
mod code_actions;
mod completion;
mod definition;
mod diagnostics;
mod documents;
mod expression;
mod hover;
mod located;
mod names;
mod outline;
mod reading;
mod references;
mod refusal;
mod rename;
mod schema_walk;
mod serve;
mod server;
mod symbols;
mod target;
mod tested;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text_position;
mod transport;
mod uri;
mod view;
mod whole_check;
mod workspace_state;

pub use serve::serve;
pub use server::Server;
