//! `/catalog/OP/try`: tries an operation on a sandbox in this process. Nothing of the workspace's accounts is used: neither
//! their addresses, nor their credentials or files.

mod form;
mod pages;
mod trial_sandbox;

pub(super) use pages::{can_be_tried, show, submit};
pub(super) use trial_sandbox::TrialSandbox;
