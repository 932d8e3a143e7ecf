//! The rules by which mutants are made: mistakes that people make.

mod conditions;
mod foreign;
mod names;
mod order;
mod typo;
mod values;
mod yaml;

use crate::mutant::Edit;
use crate::original::Original;

/// A kind of mistake.
pub struct Rule {
    pub name: &'static str,
    /// Every place of a recipe where it can be made.
    pub edits: fn(&Original) -> Vec<Edit>,
}

macro_rules! rules {
    ($($module:ident: $($name:ident),+;)+) => {
        /// All rules.
        pub const ALL: &[Rule] = &[$($(Rule { name: stringify!($name), edits: $module::$name },)+)+];
    };
}

rules! {
    names: misspelt_operation, misspelt_parameter, misspelt_key, misspelt_step_id, misspelt_step, misspelt_variable,
        misspelt_variable_definition, misspelt_event_field, misspelt_result_field, misspelt_filter, misspelt_item,
        misspelt_root, forgotten_root, other_spelling, event_for_item, wrong_connection, wrong_webhook_event;
    order: swapped_steps, deleted_step, skippable_step, swapped_variables, deleted_variable, deleted_input,
        deleted_field, duplicated_step;
    values: number_for_text, text_for_flag, list_for_text, text_for_list, mapping_for_text, null_for_value,
        record_for_field, list_for_member, member_of_record, sibling_field, other_step, wrong_word,
        wrong_literal, wrong_duration, wrong_pick, deleted_filter, deleted_argument, wrong_argument,
        default_none, number_in_template, wrong_email, replaced_tags, wrong_list, other_case, other_member,
        other_id;
    conditions: deleted_condition, negated_condition, text_beside_condition, bare_condition, compared_with_number,
        compared_with_text, list_compared, other_operator, strange_operator, wrong_emit;
    yaml: unquoted_template, quoted_value, dedented_line, unclosed_braces, unclosed_quote, single_braces,
        missing_space, tab_indentation;
    foreign: dollar_braces, dollar_json, numbered_module, trigger_path, plain_path, method_call, filter_as_function,
        foreign_filter, foreign_date, foreign_operation;
}
