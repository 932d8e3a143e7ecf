//! All operations of all connectors, read from `schemas/connectors/` and a workspace's own `connectors/`. The rest of
//! hob reads this data; no operation is named in Rust.

mod connector;
mod effect;
mod event_type;
mod files;
mod load;
mod login;
mod nested_inputs;
mod operation;
mod paging;
pub mod path;
mod per_parent;
pub mod placeholder;
mod placeholder_check;
pub mod public_key;
mod quiet_poll;
mod record_kind;
mod renamed;
mod repeat;
mod resource;
mod sample_answer;
mod schema;
mod shows;
mod version;
mod versioned;
mod window;

pub use connector::{
    Advice, AuthScheme, Connector, CountedBy, ErrorAnswers, ErrorMeaning, LimitCounters, LimitHeaders,
    Limits, Setting, Signature, SignatureAlgorithm, Webhooks,
};
pub use effect::{effect, method};
pub use event_type::{EventType, Hydrate, RecordChange};
pub use files::FileKind;
pub use load::{Address, Catalog, Error};
pub use login::Login;
pub use nested_inputs::{BodyPath, InputName, NestedInputs};
pub use operation::{
    Alternative, ArrayStyle, Body, Builtin, Effect, Encoding, Input, Operation, OperationKind, Parameter,
    Place, Probe, ProbeById, ReadBack,
};
pub use paging::{Listing, NextValue, Paging};
pub use per_parent::PerParent;
pub use placeholder::PathTemplate;
pub use quiet_poll::{End, Order, QuietPoll, Wanted};
pub use record_kind::{RecordFind, RecordKind};
pub use repeat::{CreatesWhen, FirstOnly};
pub use resource::{ResourceNames, WriteTarget, singular};
pub use schema::{form, schema};
pub use shows::Shows;
pub use version::{ApiVersion, Change, Fields, Versions};
pub use window::{BoundForm, ListWindow};
