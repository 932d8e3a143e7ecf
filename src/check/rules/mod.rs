//! The rules, one a file. This list is the only one: the checker and the reference read it.

mod awkward_name;
mod comparison;
mod connection;
mod deprecated_operation;
mod duplicate_step;
mod empty_recipe;
mod env;
mod event_field;
mod json_path;
mod missing_parameter;
mod omit;
mod operation;
mod parameter_value;
mod picked_field;
mod result_field;
mod rule;
mod step;
mod template_argument;
mod template_function;
mod unknown_parameter;
mod variable;
mod version;
mod webhook;

pub use rule::Rule;

/// All rules.
pub const ALL: &[&dyn Rule] = &[
    &operation::KnownOperation,
    &version::KnownVersions,
    &deprecated_operation::NotDeprecated,
    &unknown_parameter::KnownParameters,
    &missing_parameter::RequiredParameters,
    &parameter_value::ParameterValues,
    &variable::KnownVariables,
    &step::KnownSteps,
    &env::ListedEnv,
    &template_function::KnownFunctions,
    &template_argument::Arguments,
    &omit::OmitsInputs,
    &comparison::OrderedSides,
    &result_field::ResultFields,
    &picked_field::PickedFields,
    &event_field::EventFields,
    &json_path::JsonPaths,
    &duplicate_step::UniqueSteps,
    &awkward_name::UsableNames,
    &webhook::KnownEvents,
    &webhook::VerifiedPaths,
    &connection::KnownConnections,
    &empty_recipe::DoesSomething,
];
