//! Phone numbers, by the rules of every country (libphonenumber's data).

use minijinja::value::{Kwargs, Value as Datum};
use minijinja::{Error, State};
use phonenumber::Mode;
use phonenumber::country::Id;

use super::input;
use crate::template::error::advised;
use crate::template::spec::Spec;

pub(super) const SPECS: [Spec; 1] = [Spec::own(
    "e164",
    "e164(country, strict=true)",
    "A phone number in international form. `country` (two letters) is for numbers without a country code; with `strict=false` what is no valid number becomes null instead of an error.",
    ("{{ '020 7946 0018' | e164('GB') }}", r#""+442079460018""#),
    |env, name| env.add_filter(name, e164),
)];

/// What reading a number costs: its rules are regular expressions.
const READING: u64 = 2_000;
/// No number is longer, with all its punctuation.
const LONGEST: usize = 100;

fn e164(
    state: &State<'_, '_>,
    value: &Datum,
    country: Option<&str>,
    strict: Option<bool>,
    kwargs: Kwargs,
) -> Result<Datum, Error> {
    state.consume_fuel(READING)?;
    let strict = match strict {
        Some(strict) => strict,
        None => kwargs.get::<Option<bool>>("strict")?.unwrap_or(true),
    };
    let country = match country {
        Some(country) => Some(country),
        None => kwargs.get::<Option<&str>>("country")?,
    };
    kwargs.assert_all_used()?;
    let region = country.map(region).transpose()?;
    if !strict && value.is_none() {
        return Ok(Datum::from(()));
    }
    let text = input::text(value)?;
    match formatted(&text, region) {
        Some(number) => Ok(Datum::from(number)),
        None if !strict => Ok(Datum::from(())),
        None => {
            let place = country.map_or(String::new(), |country| format!(" for {}", country.to_uppercase()));
            let message = format!("found no valid phone number{place} in {:?}", input::shortened(&text));
            Err(advised(message, "to get null instead, write `e164(…, strict=false)`"))
        }
    }
}

fn region(country: &str) -> Result<Id, Error> {
    country.to_ascii_uppercase().parse().map_err(|_| {
        advised(
            format!("knows no country {:?}", input::shortened(country)),
            "countries are two letters, as in `e164('GB')`",
        )
    })
}

fn formatted(text: &str, region: Option<Id>) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let number = phonenumber::parse(region, text.trim()).ok()?;
    phonenumber::is_valid(&number).then(|| number.format().mode(Mode::E164).to_string())
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn national_and_international_numbers() {
        let e164 = |number: &str, country: &str| {
            value("{{ event.n | e164(event.c) }}", json!({ "n": number, "c": country }))
        };
        assert_eq!(e164("07400 123456", "GB"), json!("+447400123456"));
        assert_eq!(e164("(202) 555-0147", "us"), json!("+12025550147"));
        assert_eq!(e164("+49 30 901820", "GB"), json!("+4930901820"));
        assert_eq!(value("{{ '+44 20 7946 0018' | e164 }}", json!({})), json!("+442079460018"));
    }

    #[test]
    fn what_is_no_number_is_refused_or_null() {
        let error = failure("{{ event.n | e164('GB') }}", json!({ "n": "12345" }));
        assert_eq!(error.message, "`e164` found no valid phone number for GB in \"12345\"");
        assert!(failure("{{ '1' | e164('XX') }}", json!({})).message.contains("country \"XX\""));
        assert_eq!(value("{{ 'none' | e164('GB', strict=false) }}", json!({})), json!(null));
        assert_eq!(value("{{ event.n | e164('GB', strict=false) }}", json!({ "n": null })), json!(null));
        assert!(failure("{{ event.n | e164('GB') }}", json!({ "n": null })).message.contains("is null"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}|[0-9()+ x.#;=-]{0,40}") {
            let template = crate::template::Template::parse("{{ event | e164('GB', strict=false) }}").unwrap();
            let scope = crate::template::Scope::new(chrono::DateTime::UNIX_EPOCH).with("event", json!(text));
            template.evaluate(&scope).unwrap();
        }
    }
}
