//! `http.request`: any request to any address.

use std::time::Duration;

use serde_json::{Map, Value, json};
use url::Host;

use crate::catalog::{Effect, method};
use crate::connection::check_public;
use crate::engine::step_context::StepContext;
use crate::engine::step_outcome::{StepOutcome, done, outcome_of, refuse};
use crate::recipe::parse_duration;
use crate::request::{Answer, CallOptions, Outcome, PreparedRequest, classify, http_request};
use crate::run::StepCall;
use crate::value::address::Reach;

pub(super) async fn execute(context: &StepContext<'_>, call: &StepCall) -> StepOutcome {
    let (request, timeout) = match build(call) {
        Ok(built) => built,
        Err(problem) => return refuse(format!("`http.request` cannot be sent: {problem}")),
    };
    if context.options.dry_run && call.effect != Effect::Read {
        return report(call, format!("would send {} {}", request.method, request.url));
    }
    if context.options.isolated && leaves_this_machine(&request) {
        let PreparedRequest { method, url, .. } = &request;
        return report(call, format!("not sent, as this is a sandbox: {method} {url}"));
    }
    let options = CallOptions { timeout: call.timeout.or(timeout), ..context.call_options() };
    let received = context.services.client.send(&request, &Default::default(), &options).await;
    let outcome = match classify(call.effect, &request.expected, None, received) {
        Outcome::Ok(answer) => {
            let mut body = json!({ "status": answer.status, "headers": answer.headers });
            // Moved, as it may be large.
            body["body"] = answer.body;
            Outcome::Ok(Answer { body, ..answer })
        }
        other => other,
    };
    outcome_of(outcome, &call.operation, call.pick.as_deref())
}

/// The outcome of a request that is reported instead of sent, with a successful sample answer.
fn report(call: &StepCall, line: String) -> StepOutcome {
    let answer = json!({ "status": 200, "headers": {}, "body": null });
    StepOutcome { remark: Some(line), ..done(&answer, &call.operation, call.pick.as_deref()) }
}

fn leaves_this_machine(request: &PreparedRequest) -> bool {
    match request.url.host() {
        Some(Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => !address.is_loopback(),
        Some(Host::Ipv6(address)) => !address.is_loopback(),
        None => true,
    }
}

fn build(call: &StepCall) -> Result<(PreparedRequest, Option<Duration>), String> {
    let inputs: &Map<String, Value> = &call.inputs;
    let timeout = match inputs.get("timeout") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(parse_duration(text).map_err(|error| error.to_string())?),
        Some(other) => return Err(format!("`timeout` must be a duration such as 30s, not {other}")),
    };
    let request = http_request(&call.operation.id, &method(inputs), inputs, call.effect, call.reach)?;
    if call.reach == Reach::Public {
        // Checked again before sending; here so that a dry run reports it as well.
        check_public(&request.url).map_err(|refused| refused.to_string())?;
    }
    Ok((request, timeout))
}
