//! Phone numbers, by the rules of every country (libphonenumber's data).

use minijinja::value::Value as Datum;
use minijinja::{Error, State};
use rlibphonenumber::enums::Region;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

use super::input;
use crate::template::error::advised;
use crate::template::filter_type::{Gives, Takes};
use crate::template::spec::{Spec, own};

pub(super) const SPECS: [Spec; 1] = [own!(
    add_filter(e164),
    "e164(country=none, strict=true)",
    "A phone number in international form. `country` (two letters) is for numbers without a country code; with `strict=false` what is no valid number, or missing, becomes null instead of an error. An extension has no place in this form and is left out.",
    ("{{ '020 7946 0018' | e164('GB') }}", r#""+442079460018""#)
).typed(Takes::Phone, Gives::TextOrNull)];

/// Fuel for parsing a number, which uses regular expressions.
const READING: u64 = 2_000;
/// Maximum length of a number, with punctuation.
const MAX_LENGTH: usize = 100;

fn e164(
    state: &State<'_, '_>,
    value: &Datum,
    country: Option<&str>,
    strict: Option<bool>,
) -> Result<Datum, Error> {
    state.consume_fuel(READING)?;
    let strict = strict.unwrap_or(true);
    let region = country.map(region).transpose()?;
    if !strict && (value.is_none() || value.is_undefined()) {
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

fn region(country: &str) -> Result<Region, Error> {
    let region = Region::try_from(country.trim().to_ascii_uppercase().as_str()).ok();
    let region = region.filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some());
    region.ok_or_else(|| {
        let help = match meant(country) {
            Some(code) => format!("did you mean `{code}`?"),
            None => "countries are two letters, as in `e164('GB')`".to_owned(),
        };
        advised(format!("knows no country {:?}", input::shortened(country)), help)
    })
}

/// The code intended by a common wrong country code.
fn meant(country: &str) -> Option<&'static str> {
    Some(match country.trim().to_ascii_uppercase().as_str() {
        "UK" | "GBR" | "ENGLAND" | "SCOTLAND" | "WALES" | "UNITED KINGDOM" | "44" | "+44" => "GB",
        "USA" | "UNITED STATES" | "1" | "+1" => "US",
        "EN" => "GB or US",
        "CAN" | "CANADA" => "CA",
        "AUS" | "AUSTRALIA" | "61" | "+61" => "AU",
        "IRL" | "IRELAND" | "EIRE" | "353" | "+353" => "IE",
        "GER" | "DEU" | "GERMANY" | "49" | "+49" => "DE",
        "EL" | "GREECE" => "GR",
        _ => return None,
    })
}

/// Checks a country code.
pub(in crate::template) fn check_country(country: &str) -> Result<(), Error> {
    region(country).map(|_| ())
}

/// The number in international form. A country code in the number takes precedence (after `+`, or after the
/// international prefix of `region`); otherwise `region` applies.
fn formatted(text: &str, region: Option<Region>) -> Option<String> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let number = PHONE_NUMBER_UTIL.parse(text.trim(), region).ok()?;
    number.is_valid().then(|| number.format_as(PhoneNumberFormat::E164).to_string())
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
    fn non_numbers_are_rejected_or_null() {
        let error = failure("{{ event.n | e164('GB') }}", json!({ "n": "12345" }));
        assert_eq!(error.message, "`e164` found no valid phone number for GB in \"12345\"");
        assert!(failure("{{ '1' | e164('XX') }}", json!({})).message.contains("country \"XX\""));
        assert_eq!(value("{{ 'none' | e164('GB', strict=false) }}", json!({})), json!(null));
        assert_eq!(value("{{ event.n | e164('GB', strict=false) }}", json!({ "n": null })), json!(null));
        assert!(failure("{{ event.n | e164('GB') }}", json!({ "n": null })).message.contains("is null"));
    }

    /// Example numbers of libphonenumber 9.0.43 (Apache-2.0), extracted with the PyPI package `phonenumbers`: one for
    /// each kind of number of each region. A line is the region (empty for non-geographic numbers), E.164 and the
    /// national form.
    const EXAMPLES: &str = include_str!("phone_examples.tsv");

    #[test]
    fn example_numbers_of_every_country_are_read() {
        let mut wrong = Vec::new();
        let mut tried = 0;
        let mut e164 = |text: &str, region: &str, wanted: &str| {
            tried += 1;
            let country = (!region.is_empty()).then(|| super::region(region).unwrap());
            let got = super::formatted(text, country);
            if got.as_deref() != Some(wanted) {
                wrong.push(format!("{text:?} of {region:?} is {got:?}, not {wanted}"));
            }
        };
        for line in EXAMPLES.lines() {
            let [region, wanted, national] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let digits = &wanted[1..];
            e164(wanted, "", wanted);
            e164(wanted, "US", wanted);
            e164(&format!("+{} {}", &digits[..3], &digits[3..]), "IT", wanted);
            e164(&format!("00{digits}"), "GB", wanted);
            e164(&format!("011 {digits}"), "US", wanted);
            if !region.is_empty() {
                e164(wanted, region, wanted);
                e164(national, region, wanted);
            }
        }
        assert!(tried > 6_000, "{tried}");
        assert_eq!(wrong, [""; 0]);
    }

    #[test]
    fn the_countrys_code_in_the_number_decides() {
        for (number, country, wanted) in [
            ("+39 02 1234 5678", "GB", "+390212345678"),
            ("02 1234 5678", "IT", "+390212345678"),
            ("+24106031234", "GB", "+24106031234"),
            ("0039 02 1234 5678", "GB", "+390212345678"),
            ("01139 02 1234 5678", "US", "+390212345678"),
            ("+44 (0)20 7946 0018", "US", "+442079460018"),
            ("442079460018", "GB", "+442079460018"),
            ("tel:+44-20-7946-0018", "US", "+442079460018"),
            ("+225 01 23 45 6789", "GB", "+2250123456789"),
            ("01 23 45 6789", "CI", "+2250123456789"),
            ("８００ ５５５ ０１４７", "US", "+18005550147"),
        ] {
            let event = json!({ "n": number, "c": country });
            assert_eq!(value("{{ event.n | e164(event.c) }}", event.clone()), json!(wanted), "{number}");
            assert_eq!(value("{{ event.n | e164(country=event.c, strict=false) }}", event), json!(wanted));
        }
        for wrong in [("UK", "GB"), ("USA", "US"), ("England", "GB")] {
            let error = failure("{{ '1' | e164(event.c) }}", json!({ "c": wrong.0 }));
            assert!(error.help.as_deref().is_some_and(|help| help.contains(wrong.1)), "{error:?}");
        }
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
