//! A complete call: circuit breaker, budget, credential, one token refresh on 401, and composite operations.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use super::inputs::complete;
use super::scope::{self, ScopeChallenge};
use super::{
    Answer, CallOptions, Client, Form, HeldBy, InputProblem, Outcome, PreparedRequest, Received, Refusal,
    classify, prepare, retry_after,
};
use crate::catalog::{Alternative, Catalog, InputName, Operation, path};
use crate::connection::{Connection, Error as ConnectionError, Exhausted, OnHold};
use crate::event::Priority;
use crate::secret::Redactor;

impl Client {
    /// Calls `operation` with `inputs` on `connection`. Wrong inputs are reported before anything is sent. The
    /// message of an unsuccessful outcome contains no secret of the connection.
    pub async fn call(
        &self,
        catalog: &Catalog,
        operation: &Arc<Operation>,
        inputs: &Map<String, Value>,
        connection: &Connection,
        options: &CallOptions,
    ) -> Result<Outcome, Vec<InputProblem>> {
        self.call_admitted(catalog, operation, inputs, connection, options, None).await
    }

    /// Like [`Client::call`], with an admission that was obtained beforehand.
    pub async fn call_admitted(
        &self,
        catalog: &Catalog,
        operation: &Arc<Operation>,
        inputs: &Map<String, Value>,
        connection: &Connection,
        options: &CallOptions,
        admitted: Option<Admitted>,
    ) -> Result<Outcome, Vec<InputProblem>> {
        let outcome = if operation.composite.is_empty() {
            self.exchange(&prepare(operation, inputs, connection)?, connection, options, admitted).await
        } else {
            self.call_composite(catalog, operation, inputs, connection, options, admitted).await?
        };
        tracing::debug!(
            operation = operation.id,
            connection = connection.name,
            outcome = outcome.describe(),
            "called"
        );
        Ok(outcome)
    }

    async fn call_composite(
        &self,
        catalog: &Catalog,
        operation: &Operation,
        inputs: &Map<String, Value>,
        connection: &Connection,
        options: &CallOptions,
        mut admitted: Option<Admitted>,
    ) -> Result<Outcome, Vec<InputProblem>> {
        let inputs = complete(operation, inputs, Some(connection))?;
        let given = |name: &String| inputs.get(name).is_some_and(|value| !is_nothing(value));
        let mut last: Option<Answer> = None;
        for alternative in operation.composite.iter().filter(|a| a.when.iter().any(given)) {
            let Some(part) = catalog.sibling(operation, &alternative.operation) else {
                let message = format!(
                    "`{}` is made of `{}`, which is not in the catalog",
                    operation.id, alternative.operation
                );
                return Ok(Outcome::Refused(Refusal::unsent(message)));
            };
            let mut request = prepare(part, &inputs_of(alternative, &inputs), connection)?;
            request.expected = request.expected.without_result();
            match self.exchange(&request, connection, options, admitted.take()).await {
                Outcome::Ok(mut answer) => {
                    let found = path::read(&answer.body, &alternative.result);
                    if let Some(found) = found.filter(|found| !is_nothing(found)) {
                        answer.body = found;
                        return Ok(Outcome::Ok(answer));
                    }
                    last = Some(answer);
                }
                Outcome::Refused(Refusal { status: Some(status), .. })
                    if alternative.not_found.contains(&status) => {}
                other => return Ok(other),
            }
        }
        let nothing =
            Answer { status: 200, headers: Default::default(), body: Value::Null, received: self.now() };
        Ok(Outcome::Ok(Answer { body: Value::Null, ..last.unwrap_or(nothing) }))
    }

    /// Sends a request on a connection with admission, classification and one token refresh.
    async fn exchange(
        &self,
        request: &PreparedRequest,
        connection: &Connection,
        options: &CallOptions,
        mut first: Option<Admitted>,
    ) -> Outcome {
        let mut refreshed = false;
        loop {
            let mut admitted = match first.take() {
                Some(admitted) => admitted,
                None => match self.admit(connection, options).await {
                    Ok(admitted) => admitted,
                    Err(outcome) => return outcome,
                },
            };
            let received = self.send_within(request, connection, &mut admitted, options).await;
            let received = without_secrets_if_bad(received, connection);
            let (demand, connector) =
                (ScopeChallenge::from_received(&received), Some(&*connection.connector));
            let outcome = classify(request.effect, &request.expected, connector, received);
            let outcome = scope::name_scopes(outcome, &request.scopes, &demand, connector);
            connection.request_counts.count(outcome.name());
            connection.use_counts.count(options.recipe.as_ref(), options.priority, self.now());
            if matches!(outcome, Outcome::Unauthorized { .. }) && !refreshed {
                refreshed = true;
                match connection.refresh(&admitted.headers).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => return no_credential(connection, &error),
                }
            }
            return update_hold(redacted(outcome, connection), &request.operation, connection);
        }
    }

    /// Admission to send a request of this priority, if it is available without waiting.
    pub async fn try_admit(&self, connection: &Connection, priority: Priority) -> Option<Admitted> {
        if connection.breaker.is_open() || connection.hold.reason().is_some() {
            return None;
        }
        let headers = connection.credential_headers().await.ok()?;
        connection.budget.try_acquire(priority).await.map(|permit| Admitted { headers, permit })
    }

    /// Waits for the credential and the budget. Fails at once when the breaker is open or the connection is on hold.
    pub async fn admit(&self, connection: &Connection, options: &CallOptions) -> Result<Admitted, Outcome> {
        if let Err(wait) = connection.breaker.check() {
            return Err(Outcome::Held { wait, reason: breaker_message(connection), by: HeldBy::Breaker });
        }
        connection.hold.check().map_err(on_hold)?;
        let headers = connection.credential_headers().await;
        let headers = headers.map_err(|error| no_credential(connection, &error))?;
        let acquired = connection.budget.acquire(options.priority, options.max_wait);
        let permit = self.on_wait.follow(&connection.name, options.max_wait, acquired).await;
        let permit = permit.map_err(|Exhausted { wait, breaker_open }| match breaker_open {
            true => Outcome::Held { wait, reason: breaker_message(connection), by: HeldBy::Breaker },
            false => {
                let budget = format!("the request budget of connection `{}`", connection.name);
                let reason = match options.priority {
                    Priority::Webhook => format!("{budget} is used up"),
                    Priority::Poll | Priority::Backfill => {
                        format!("what polls and backfills may use of {budget} is used up")
                    }
                };
                Outcome::Held { wait, reason, by: HeldBy::Budget }
            }
        })?;
        Ok(Admitted { headers, permit })
    }

    async fn send_within(
        &self,
        request: &PreparedRequest,
        connection: &Connection,
        admitted: &mut Admitted,
        options: &CallOptions,
    ) -> Received {
        let received = self.send(request, &admitted.headers, options).await;
        match &received {
            Received::Answer { status, headers, at, .. } => {
                let code = StatusCode::from_u16(*status).unwrap_or(StatusCode::OK);
                let retry_after = retry_after::read(headers, *at);
                connection.budget.learn(&mut admitted.permit, code, headers, retry_after);
            }
            Received::Lost { .. }
            | Received::Late
            | Received::Unsendable { .. }
            | Received::Unusable { .. } => {}
        }
        if let Some(alive) = is_alive(request, &received) {
            connection.breaker.report(alive);
            admitted.permit.report(alive);
        }
        received
    }
}

/// Admission to send one request: its credential and its share of the budget.
#[derive(Debug)]
pub struct Admitted {
    headers: HeaderMap,
    permit: crate::connection::Permit,
}

fn breaker_message(connection: &Connection) -> String {
    format!("connection `{}` keeps failing; hob sends it nothing for a while", connection.name)
}

/// Whether the answer shows that the account works: no answer, a 5xx or a web page instead of an answer count as
/// failures. `None` when nothing can be concluded.
fn is_alive(request: &PreparedRequest, received: &Received) -> Option<bool> {
    match received {
        Received::Answer { status: 200..=299, form: Form::Page, body, .. } => {
            Some(request.expected.mismatch(Form::Page, body).is_none())
        }
        Received::Answer { status, .. } => Some(*status < 500),
        Received::Lost { .. } => Some(false),
        Received::Late | Received::Unsendable { .. } | Received::Unusable { .. } => None,
    }
}

/// The outcome when there is no credential: the connection is put on hold, unless a retry may help.
fn no_credential(connection: &Connection, error: &ConnectionError) -> Outcome {
    let reason = error.to_string();
    if error.is_transient() {
        return Outcome::TryAgain { reason, status: None, retry_after: None, lost: false };
    }
    let refusal = Refusal::unsent(reason.clone());
    match connection.hold.refuse(&connection.name, None, &reason) {
        Some(OnHold { wait, reason }) => Outcome::Unauthorized { refusal, wait, reason },
        None => Outcome::Refused(refusal),
    }
}

fn on_hold(OnHold { wait, reason }: OnHold) -> Outcome {
    Outcome::Unauthorized { refusal: Refusal::unsent(reason.clone()), wait, reason }
}

/// Puts the connection on hold when its credential was refused, and releases it when it was accepted.
fn update_hold(outcome: Outcome, operation: &str, connection: &Connection) -> Outcome {
    match outcome {
        Outcome::Unauthorized { refusal, reason, .. } => {
            match connection.hold.refuse(&connection.name, Some(operation), &reason) {
                Some(OnHold { wait, reason }) => Outcome::Unauthorized { refusal, wait, reason },
                None => Outcome::Refused(refusal),
            }
        }
        // A server that answers with these statuses has accepted the credential.
        Outcome::Ok(_) | Outcome::Refused(Refusal { status: Some(404 | 409 | 422), .. }) => {
            connection.hold.accept(&connection.name, operation);
            outcome
        }
        other => other,
    }
}

/// The inputs of one part, of which `given` are the composite's own.
fn inputs_of(alternative: &Alternative, given: &Map<String, Value>) -> Map<String, Value> {
    let value = |input: &InputName| given.get(&input.0).filter(|value| !is_nothing(value)).cloned();
    let filled = alternative.with.iter().map(|(name, template)| Some((name.clone(), template.fill(&value)?)));
    filled.flatten().collect()
}

/// Whether the value counts as missing: null, or an empty text, list or object.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Redacts the body of an unsuccessful answer, before any of it is shortened. A successful answer is data and is not
/// changed.
fn without_secrets_if_bad(received: Received, connection: &Connection) -> Received {
    match received {
        Received::Answer { status, headers, form, body, at } if !(200..=299).contains(&status) => {
            let body = connection.redactor().value(&body);
            Received::Answer { status, headers, form, body, at }
        }
        other => other,
    }
}

/// Redacts the messages of an unsuccessful outcome. A successful answer is data and is not changed.
fn redacted(outcome: Outcome, connection: &Connection) -> Outcome {
    if matches!(outcome, Outcome::Ok(_)) {
        return outcome;
    }
    let redactor = &connection.redactor();
    match outcome {
        Outcome::TryAgain { reason, status, retry_after, lost } => {
            Outcome::TryAgain { reason: redactor.text(&reason), status, retry_after, lost }
        }
        Outcome::InDoubt { reason, status } => Outcome::InDoubt { reason: redactor.text(&reason), status },
        Outcome::Refused(refusal) => Outcome::Refused(without_secrets(refusal, redactor)),
        Outcome::Unauthorized { refusal, wait, reason } => Outcome::Unauthorized {
            refusal: without_secrets(refusal, redactor),
            wait,
            reason: redactor.text(&reason),
        },
        other => other,
    }
}

fn without_secrets(refusal: Refusal, redactor: &Redactor) -> Refusal {
    Refusal { message: redactor.text(&refusal.message), ..refusal }
}

#[cfg(test)]
mod tests;
