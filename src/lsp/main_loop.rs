//! The loop of a session: reads messages, checks workspaces beside them, writes answers.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use lsp_server::{ErrorCode, Message, Response};

use super::server::Server;
use super::transport::{self, Incoming};
use super::whole_check::WholeChecked;

/// Messages that wait to be handled, at most.
const WAITING: usize = 256;

/// What the loop waits for.
enum Occurrence {
    Incoming(Incoming),
    Checked(Box<WholeChecked>),
    /// The client is gone, or sends what cannot be followed.
    End(Option<io::Error>),
}

/// Serves a client until it is gone; whether it ended the session as the protocol asks for. `variables` are those of
/// the process.
pub fn serve(
    input: Box<dyn Read + Send>,
    output: &mut dyn Write,
    variables: BTreeMap<String, String>,
) -> io::Result<bool> {
    let (sender, receiver) = sync_channel(WAITING);
    let reader = sender.clone();
    // Not joined: it may wait for input for ever.
    thread::spawn(move || read_all(input, &reader));
    let mut server = Server::new(variables);
    loop {
        match next(&server, &receiver) {
            Some(Occurrence::Incoming(Incoming::Message(message))) => handle(&mut server, message),
            Some(Occurrence::Incoming(Incoming::Malformed(reason))) => {
                tracing::warn!(reason, "a malformed message is ignored");
                transport::refuse(&mut *output, &reason)?;
            }
            Some(Occurrence::Checked(checked)) => server.apply(*checked),
            Some(Occurrence::End(reason)) => {
                if let Some(reason) = reason {
                    tracing::error!(%reason, "the client cannot be understood");
                }
                server.disconnect();
            }
            None => check(&mut server, &sender),
        }
        for message in server.take_outgoing() {
            message.write(&mut &mut *output)?;
        }
        if let Some(in_order) = server.ended() {
            return Ok(in_order);
        }
    }
}

/// The next occurrence; `None` when checks are due.
fn next(server: &Server, receiver: &Receiver<Occurrence>) -> Option<Occurrence> {
    let gone = Occurrence::End(None);
    match server.next_due() {
        None => Some(receiver.recv().unwrap_or(gone)),
        Some(due) => match receiver.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(occurrence) => Some(occurrence),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(gone),
        },
    }
}

fn read_all(input: Box<dyn Read + Send>, sender: &SyncSender<Occurrence>) {
    let mut input = BufReader::new(input);
    loop {
        let occurrence = match transport::read(&mut input) {
            Ok(Some(incoming)) => Occurrence::Incoming(incoming),
            Ok(None) => Occurrence::End(None),
            Err(error) => Occurrence::End(Some(error)),
        };
        let is_end = matches!(occurrence, Occurrence::End(_));
        if sender.send(occurrence).is_err() || is_end {
            return;
        }
    }
}

/// Handles a message. A fault in one answer must not take the editor's other help away.
fn handle(server: &mut Server, message: Message) {
    let id = match &message {
        Message::Request(request) => Some(request.id.clone()),
        _ => None,
    };
    let handled = catch_unwind(AssertUnwindSafe(|| server.handle(message)));
    if handled.is_err() {
        tracing::error!("a message could not be handled; please report the panic above");
        let message = "hob has a fault; its standard error shows it".to_owned();
        let answer = id.map(|id| Response::new_err(id, ErrorCode::InternalError as i32, message));
        server.answer_with(answer);
    }
}

/// Starts the checks that are due.
fn check(server: &mut Server, sender: &SyncSender<Occurrence>) {
    for check in server.take_due(Instant::now()) {
        let sender = sender.clone();
        thread::spawn(move || {
            sender.send(Occurrence::Checked(Box::new(check.run()))).ok();
        });
    }
}
