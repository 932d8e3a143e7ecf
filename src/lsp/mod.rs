//! The language server: `hob lsp` helps editors to write recipes, their tests, `hob.yaml` and connectors. It knows
//! what the checker knows and shows it at the cursor; it changes no file, sends no request, and shows no value of a
//! variable.

mod analysis;
mod capabilities;
mod code_actions;
mod completion;
mod cursor_context;
mod definition;
mod diagnostics;
mod document_position;
mod documents;
mod expression;
mod hover;
mod located;
mod main_loop;
mod names;
mod outline;
mod recipe_tests;
mod references;
mod refusal;
mod rename;
mod schema_walk;
mod server;
mod symbols;
mod target;
#[cfg(test)]
mod test_editor;
#[cfg(test)]
mod tests;
mod text_position;
mod transport;
mod uri;
mod whole_check;
mod workspace_state;

pub use main_loop::serve;
pub use server::Server;
