//! Checks texts against their format. Only formats that people often get wrong are checked; the API checks the
//! others.

/// Why a text does not match its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The text.
    pub found: String,
    /// The problem, after "it": `is a label, not a key`.
    pub reason: &'static str,
    /// The likely intended text, or an example.
    pub remedy: String,
    /// Whether it is certain; uncertain ones are sent with a warning.
    pub certain: bool,
}

/// Why `text` cannot have this `format`.
pub(super) fn misfit(format: &str, text: &str) -> Option<Misfit> {
    match format {
        "field-key" => field_key(text),
        "record-id" => record_id(text),
        _ => None,
    }
}

/// Keys are derived from labels: lower-case letters, digits and underscores, after the kind of record.
fn field_key(text: &str) -> Option<Misfit> {
    let misfit = |reason, remedy: String, certain| Misfit { found: text.to_owned(), reason, remedy, certain };
    if text.trim().is_empty() {
        return Some(misfit("is blank", "give the field's key or its id".to_owned(), true));
    }
    let likely = key_of_label(text);
    let meant = || format!("a field's key looks like `{likely}`; its label is only what people see");
    if text.trim().contains(char::is_whitespace) {
        return Some(misfit("is a label, not a key", meant(), true));
    }
    if text.chars().any(char::is_uppercase) {
        return Some(misfit("looks like a label: keys have small letters", meant(), false));
    }
    None
}

fn record_id(text: &str) -> Option<Misfit> {
    let misfit = |reason, remedy: &str| Misfit {
        found: text.to_owned(),
        reason,
        remedy: remedy.to_owned(),
        certain: true,
    };
    if text.trim().is_empty() {
        return Some(misfit("is blank", "leave it out where there is none"));
    }
    let spaced = text.trim().contains(char::is_whitespace);
    spaced.then(|| {
        misfit("is no id: ids have no spaces", "a name is not an id; look the id up, or give the key")
    })
}

/// `Fitness Goal?` → `fitness_goal`
fn key_of_label(label: &str) -> String {
    let words = label.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_not_a_key() {
        for key in
            ["contact.fitness_goal", "fitness_goal", "goal2", "opportunity.größe", "custom_objects.pet.name"]
        {
            assert_eq!(misfit("field-key", key), None, "{key}");
        }
        for label in ["Fitness Goal", "fitness goal", "contact.Fitness Goal", "", "\u{a0}"] {
            assert!(misfit("field-key", label).is_some_and(|misfit| misfit.certain), "{label}");
        }
        let doubt = misfit("field-key", "Goal").unwrap();
        assert!(!doubt.certain && doubt.remedy.contains("`goal`"), "{doubt:?}");
        assert!(misfit("field-key", "What's your goal?").unwrap().remedy.contains("`what_s_your_goal`"));
    }

    #[test]
    fn a_name_is_not_an_id() {
        assert_eq!(misfit("record-id", "6dvNaf7VhkQ9snc5vnjJ"), None);
        assert!(misfit("record-id", "Fitness goal").is_some());
        assert!(misfit("record-id", " ").is_some());
        assert_eq!(misfit("date-time", "whatever"), None);
    }
}
