//! The rules, one per file. This is the only list; the checker and the reference read it.

mod awkward_name;
mod change_read;
mod comparison;
mod condition;
mod conflict_told;
mod connection;
mod constant_condition;
mod deprecated_operation;
mod duplicate_step;
mod empty_recipe;
mod env;
mod event_field;
mod foreign_name;
mod foreign_syntax;
mod hydrated_poll;
mod json_path;
mod later_member;
mod link_input;
mod maybe_missing;
mod misplaced_value;
mod missing_parameter;
mod omit;
mod operation;
mod operation_name;
mod pages;
mod parameter_value;
mod per_parent_poll;
mod picked_field;
mod replaces_all;
mod result_field;
mod rule;
mod sendable_file;
mod step;
mod template_argument;
mod template_function;
mod template_value;
mod unhonored_field;
mod unknown_parameter;
mod unprobed_retry;
mod unreachable_action;
mod unused_variable;
mod variable;
mod version;
mod webhook;
mod whole_list;
mod windowed_poll;
mod written_secret;

pub use awkward_name::{is_plain as is_plain_name, is_reserved as is_reserved_name};
pub use rule::Rule;

/// All rules.
pub const ALL: &[&dyn Rule] = &[
    &operation::KnownOperation,
    &version::KnownVersions,
    &deprecated_operation::NotDeprecated,
    &pages::WholeLists,
    &unknown_parameter::KnownParameters,
    &missing_parameter::RequiredParameters,
    &parameter_value::ParameterValues,
    &link_input::LinkInputs,
    &sendable_file::SendableFiles,
    &condition::Conditions,
    &constant_condition::OpenConditions,
    &whole_list::WholeLists,
    &foreign_syntax::OwnSyntax,
    &variable::KnownVariables,
    &step::KnownSteps,
    &env::ListedEnv,
    &template_function::KnownFunctions,
    &template_argument::Arguments,
    &omit::OmitsInputs,
    &comparison::OrderedSides,
    &template_value::TemplateValues,
    &misplaced_value::FittingValues,
    &result_field::ResultFields,
    &picked_field::PickedFields,
    &event_field::EventFields,
    &replaces_all::AddsOnly,
    &json_path::JsonPaths,
    &duplicate_step::UniqueSteps,
    &awkward_name::UsableNames,
    &change_read::ChangesEmitted,
    &hydrated_poll::HydratedPolls,
    &windowed_poll::MovingWindows,
    &per_parent_poll::ParentPolls,
    &webhook::KnownEvents,
    &webhook::SignedEvents,
    &webhook::OwnPaths,
    &webhook::VerifiedPaths,
    &webhook::ProtectingKeys,
    &connection::KnownConnections,
    &empty_recipe::DoesSomething,
    &unhonored_field::HonoredFields,
    &unused_variable::ReadVariables,
    &unreachable_action::ReachableSteps,
    &unprobed_retry::SafeRetries,
    &written_secret::HiddenSecrets,
    &later_member::LaterMembers,
    // Last, because it ignores templates with errors.
    &maybe_missing::Guarded,
];
