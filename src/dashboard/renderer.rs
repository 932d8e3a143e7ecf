//! The templates, rendered with autoescape.

use std::sync::OnceLock;

use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value};
use serde_json::Value as Json;

use super::{asset, format};

/// The templates by name.
const TEMPLATES: &[(&str, &str)] = &[
    ("arrival.html", include_str!("templates/arrival.html")),
    ("audit-log.html", include_str!("templates/audit-log.html")),
    ("base.html", include_str!("templates/base.html")),
    ("error.html", include_str!("templates/error.html")),
    ("login.html", include_str!("templates/login.html")),
    ("refusal.html", include_str!("templates/refusal.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("now.html", include_str!("templates/now.html")),
    ("now_part.html", include_str!("templates/now_part.html")),
    ("runs.html", include_str!("templates/runs.html")),
    ("run.html", include_str!("templates/run.html")),
    ("find.html", include_str!("templates/find.html")),
    ("recipes.html", include_str!("templates/recipes.html")),
    ("recipe.html", include_str!("templates/recipe.html")),
    ("versions.html", include_str!("templates/versions.html")),
    ("connections.html", include_str!("templates/connections.html")),
    ("fleet.html", include_str!("templates/fleet.html")),
    ("catalog.html", include_str!("templates/catalog.html")),
    ("try.html", include_str!("templates/try.html")),
    ("operation.html", include_str!("templates/operation.html")),
    ("fix.html", include_str!("templates/fix.html")),
    ("fix_part.html", include_str!("templates/fix_part.html")),
];

/// The environment, built on first use.
fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        env.set_auto_escape_callback(|_| AutoEscape::Html);
        env.set_formatter(format::write);
        env.add_filter("time", format::time);
        env.add_filter("counted", format::counted);
        env.add_filter("line", format::line);
        env.add_filter("duration", format::duration);
        env.add_filter("segment", format::segment);
        env.add_filter("json_line", format::json_line);
        env.add_function("asset", asset::address);
        for (name, text) in TEMPLATES {
            if let Err(error) = env.add_template(name, text) {
                tracing::error!(name, %error, "a template of the dashboard cannot be read");
            }
        }
        env
    })
}

/// The text of a page, with what is in `page`.
pub(super) fn render(template: &str, page: &Json) -> Result<String, Error> {
    environment().get_template(template)?.render(datum(page))
}

fn datum(value: &Json) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(datum).collect(),
        Json::Object(fields) => {
            Value::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), datum(value))))
        }
    }
}

/// The answer with a page, which no cache keeps.
pub(super) fn html(text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_template_can_be_read() {
        for (name, _) in TEMPLATES {
            assert!(environment().get_template(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn text_from_outside_is_neither_markup_nor_invisible() {
        let page = json!({ "title": "Odd", "reason": "<script>alert('x')</script>\u{202e}\u{1b}[2J" });
        let html = render("error.html", &page).unwrap();
        assert!(
            html.contains("&lt;script&gt;alert(&#x27;x&#x27;)&lt;&#x2f;script&gt;\\u{202e}\\u{1b}[2J"),
            "{html}"
        );
    }
}
