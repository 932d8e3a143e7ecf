//! `http.request`: any request to any address.

use std::time::Duration;

use serde_json::{Map, Value, json};
use url::Host;

use crate::catalog::Effect;
use crate::connection::check_public;
use crate::engine::act::{Surroundings, call_options};
use crate::engine::translate::{Told, done, refuse, report};
use crate::recipe::parse_duration;
use crate::request::{Answer, CallOptions, Outcome, PreparedRequest, classify, free_request};
use crate::run::{Perform, method};
use crate::value::address::Reach;

pub(super) async fn perform(around: &Surroundings<'_>, perform: &Perform) -> Told {
    let (request, timeout) = match build(perform) {
        Ok(built) => built,
        Err(problem) => return refuse(format!("`http.request` cannot be sent: {problem}")),
    };
    if around.options.dry_run && perform.effect != Effect::Read {
        return told(perform, format!("would send {} {}", request.method, request.url));
    }
    if around.options.isolated && leaves_this_machine(&request) {
        let PreparedRequest { method, url, .. } = &request;
        return told(perform, format!("not sent, as this is a sandbox: {method} {url}"));
    }
    let options = CallOptions { timeout: perform.timeout.or(timeout), ..call_options(around) };
    let received = around.world.client.send(&request, &Default::default(), &options).await;
    let outcome = match classify(perform.effect, &request.expected, None, received) {
        Outcome::Ok(answer) => {
            let mut body = json!({ "status": answer.status, "headers": answer.headers });
            // Moved, as it may be large.
            body["body"] = answer.body;
            Outcome::Ok(Answer { body, ..answer })
        }
        other => other,
    };
    report(outcome, &perform.operation, perform.pick.as_deref())
}

/// A request that is only told; later steps see that it went well.
fn told(perform: &Perform, line: String) -> Told {
    let answer = json!({ "status": 200, "headers": {}, "body": null });
    Told { remark: Some(line), ..done(&answer, &perform.operation, perform.pick.as_deref()) }
}

fn leaves_this_machine(request: &PreparedRequest) -> bool {
    match request.url.host() {
        Some(Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => !address.is_loopback(),
        Some(Host::Ipv6(address)) => !address.is_loopback(),
        None => true,
    }
}

fn build(perform: &Perform) -> Result<(PreparedRequest, Option<Duration>), String> {
    let inputs: &Map<String, Value> = &perform.inputs;
    let timeout = match inputs.get("timeout") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(parse_duration(text).map_err(|error| error.to_string())?),
        Some(other) => return Err(format!("`timeout` must be a duration such as 30s, not {other}")),
    };
    let request =
        free_request(&perform.operation.id, &method(inputs), inputs, perform.effect, perform.reach)?;
    if perform.reach == Reach::Public {
        // Before it is sent for sure, so that a dry run tells as well.
        check_public(&request.url).map_err(|refused| refused.to_string())?;
    }
    Ok((request, timeout))
}
