//! A folder with `hob.yaml` and recipes: its connections, environment, store and server. Reads files
//! of the workspace and nothing else; connects to nothing, and takes the environment from its caller.

mod account;
mod conceal;
mod connectors;
mod dotenv;
mod error;
mod expand;
mod folder;
mod hidden;
mod history;
mod listen;
mod open;
mod resolve;
mod schema;
mod store;
mod syntax;

pub use account::Account;
pub use dotenv::{Dotenv, dotenv};
pub use error::Error;
pub use folder::{FILE, catalog, find, is_special, is_yaml, recipes, sandbox_scripts};
pub use history::History;
pub use listen::{BadAddress, Metrics, parse as parse_listen};
pub use open::{Opened, Workspace};
pub use schema::schema;
pub use store::{Address, Store};
pub use syntax::Webhooks;
