//! A folder with `hob.yaml` and recipes: its connections, environment, store and server. Reads files of the workspace
//! only; makes no connections, and gets the environment from its caller.

mod access;
mod access_syntax;
mod alert_syntax;
mod alerts;
mod collector;
mod connection_config;
mod connectors;
mod dotenv;
mod ending_consents;
mod env_interpolation;
mod error;
mod folder;
mod header;
mod history;
mod listen_address;
mod network;
mod open;
mod quiet_hours;
mod redact;
mod resolve;
mod resolve_alerts;
mod schema;
mod secret_spans;
mod store;
mod syntax;
mod telemetry_syntax;

pub use access::DashboardAccess;
pub use alert_syntax::{AlertKind, MailTls};
pub use alerts::{Alerts, Channel, Destination, MailSettings, SilentRecipe};
pub use collector::Collector;
pub use connection_config::ConnectionConfig;
pub use connectors::check as check_connector_file;
pub use dotenv::{Dotenv, dotenv};
pub use error::Error;
pub use folder::{
    ConnectorFolder, FILE, FileRole, catalog, connectors, find, is_special, is_test_file, is_yaml, recipes,
    role, sandbox_scripts, tests,
};
pub use history::History;
pub use listen_address::{BadAddress, Metrics, parse as parse_listen};
pub use network::Network;
pub use open::{Opened, Workspace};
pub use quiet_hours::QuietHours;
pub use schema::schema;
pub use store::{Address, Store};
pub use syntax::{Loops, Webhooks};
