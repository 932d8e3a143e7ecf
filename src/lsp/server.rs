//! What is done with each message of the client.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use lsp_types::{
    CodeActionParams, CompletionParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams, DocumentSymbolParams,
    GotoDefinitionParams, HoverParams, InitializeParams, Position, PublishDiagnosticsParams, ReferenceParams,
    RenameParams, TextDocumentPositionParams, WorkspaceSymbolParams,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::capabilities::{self, Abilities};
use super::code_actions::code_actions;
use super::completion::complete;
use super::cursor_context::CursorContext;
use super::definition::definition;
use super::diagnostics;
use super::document_position::DocumentPosition;
use super::documents::Documents;
use super::hover::hover;
use super::references::references;
use super::refusal::Refusal;
use super::rename::{self, rename};
use super::symbols::{outline, search};
use super::target::FindText;
use super::uri;
use super::whole_check::{WholeCheck, WholeChecked, shown};
use super::workspace_state::WorkspaceState;
use crate::source::SourceFile;
use crate::workspace::{self, FileRole};

/// How long after a change all recipes are checked.
const PAUSE: Duration = Duration::from_millis(150);

/// The state of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Started,
    Serving,
    Shutdown,
    /// It ended, in order or not.
    Ended {
        in_order: bool,
    },
}

/// A session with one client. It reads and writes no messages itself.
pub struct Server {
    status: Status,
    variables: BTreeMap<String, String>,
    abilities: Abilities,
    documents: Documents,
    /// The workspace of each open text.
    roots: BTreeMap<PathBuf, Option<PathBuf>>,
    workspaces: BTreeMap<Option<PathBuf>, WorkspaceState>,
    published: BTreeMap<PathBuf, Vec<lsp_types::Diagnostic>>,
    due: BTreeMap<PathBuf, Instant>,
    outgoing: Vec<Message>,
}

impl Server {
    /// Of a process with these variables in its environment.
    pub fn new(variables: BTreeMap<String, String>) -> Self {
        Self {
            status: Status::Started,
            variables,
            abilities: Abilities::default(),
            documents: Documents::default(),
            roots: BTreeMap::new(),
            workspaces: BTreeMap::new(),
            published: BTreeMap::new(),
            due: BTreeMap::new(),
            outgoing: Vec::new(),
        }
    }

    /// The messages to send, in order.
    pub fn take_outgoing(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.outgoing)
    }

    /// Adds a message that was taken too early.
    #[cfg(test)]
    pub(super) fn put_back(&mut self, message: Message) {
        self.outgoing.push(message);
    }

    /// Once it has ended: whether that was in order.
    pub fn ended(&self) -> Option<bool> {
        match self.status {
            Status::Ended { in_order } => Some(in_order),
            _ => None,
        }
    }

    /// The client is gone.
    pub fn disconnect(&mut self) {
        self.status = Status::Ended { in_order: self.status == Status::Shutdown };
    }

    /// Handles a message.
    pub fn handle(&mut self, message: Message) {
        match message {
            Message::Request(request) => {
                let id = request.id.clone();
                let response = match self.request(request) {
                    Ok(result) => Response { id, response_result: Ok(result) },
                    Err(Refusal { code, message }) => Response::new_err(id, code as i32, message),
                };
                self.outgoing.push(Message::Response(response));
            }
            Message::Notification(notification) => self.notification(notification),
            Message::Response(_) => {}
        }
    }

    fn request(&mut self, request: Request) -> Result<Value, Refusal> {
        match (self.status, request.method.as_str()) {
            (Status::Started, "initialize") => {
                let parameters: InitializeParams = parameters(request)?;
                self.abilities = Abilities::of(&parameters);
                self.status = Status::Serving;
                capabilities::folders(&parameters).iter().for_each(|folder| self.add_folder(folder));
                Ok(capabilities::answer(self.abilities.encoding))
            }
            (Status::Started, _) => {
                let message = "the first request is `initialize`".to_owned();
                Err(Refusal { code: ErrorCode::ServerNotInitialized, message })
            }
            (Status::Serving, "shutdown") => {
                self.status = Status::Shutdown;
                Ok(Value::Null)
            }
            (Status::Serving, "initialize") | (Status::Shutdown | Status::Ended { .. }, _) => {
                let message = format!("`{}` is not possible any more", request.method);
                Err(Refusal { code: ErrorCode::InvalidRequest, message })
            }
            (Status::Serving, _) => self.answer(request),
        }
    }

    fn answer(&mut self, request: Request) -> Result<Value, Refusal> {
        let encoding = self.abilities.encoding;
        match request.method.as_str() {
            "textDocument/completion" => {
                let CompletionParams { text_document_position, .. } = parameters(request)?;
                let items = self.cursor(&text_document_position).map(|cursor| complete(&cursor));
                Ok(json!({ "isIncomplete": false, "items": items.unwrap_or_default() }))
            }
            "textDocument/hover" => {
                let HoverParams { text_document_position_params: at, .. } = parameters(request)?;
                Ok(json!(self.read(&at, |document, _| hover(document, encoding)).flatten()))
            }
            "textDocument/definition" => {
                let GotoDefinitionParams { text_document_position_params: at, .. } = parameters(request)?;
                let target = self.read(&at, |document, find| definition(document, find)).flatten();
                Ok(json!(target.and_then(|target| target.location(encoding))))
            }
            "textDocument/references" => {
                let ReferenceParams { text_document_position: at, context, .. } = parameters(request)?;
                let found =
                    self.read(&at, |document, find| references(document, context.include_declaration, find));
                let found = found.into_iter().flatten().filter_map(|target| target.location(encoding));
                Ok(found.map(|location| json!(location)).collect())
            }
            "textDocument/prepareRename" => {
                let at: TextDocumentPositionParams = parameters(request)?;
                self.read(&at, |document, _| rename::prepare(document, encoding)).unwrap_or(Ok(Value::Null))
            }
            "textDocument/rename" => {
                let RenameParams { text_document_position: at, new_name, .. } = parameters(request)?;
                let renamed = self.read(&at, |document, find| rename(document, &new_name, find, encoding));
                renamed.unwrap_or(Ok(Value::Null))
            }
            "textDocument/documentSymbol" => {
                let DocumentSymbolParams { text_document, .. } = parameters(request)?;
                let at = TextDocumentPositionParams { text_document, position: Position::default() };
                Ok(json!(self.read(&at, |document, _| outline(document, encoding)).unwrap_or_default()))
            }
            "workspace/symbol" => {
                let WorkspaceSymbolParams { query, .. } = parameters(request)?;
                Ok(self.workspaces.values().flat_map(|state| search(state, &query, encoding)).collect())
            }
            "textDocument/codeAction" => {
                let CodeActionParams { text_document, range, .. } = parameters(request)?;
                let at = TextDocumentPositionParams { text_document, position: range.start };
                let actions = self.read(&at, |document, _| code_actions(document, range, encoding));
                Ok(json!(actions.unwrap_or_default()))
            }
            method => {
                let message = format!("there is no method `{method}`");
                Err(Refusal { code: ErrorCode::MethodNotFound, message })
            }
        }
    }

    /// The cursor at `position`; `None` in texts that hob does not know.
    fn cursor(&self, position: &TextDocumentPositionParams) -> Option<CursorContext<'_>> {
        let path = uri::path(&position.text_document.uri);
        let document = self.documents.get(&path)?;
        let state = self.workspaces.get(self.roots.get(&path)?)?;
        let role = state.role(&path, document.file.text())?;
        let encoding = self.abilities.encoding;
        let offset = encoding.offset(&document.file, position.position);
        Some(CursorContext::new(state, &document.file, role, offset, encoding))
    }

    /// What `answer` makes of the text at `position`; `None` in texts that hob does not know.
    fn read<T>(
        &self,
        position: &TextDocumentPositionParams,
        answer: impl FnOnce(&DocumentPosition<'_>, &FindText<'_>) -> T,
    ) -> Option<T> {
        let path = uri::path(&position.text_document.uri);
        let document = self.documents.get(&path)?;
        let state = self.workspaces.get(self.roots.get(&path)?)?;
        let role = state.role(&path, document.file.text())?;
        let offset = self.abilities.encoding.offset(&document.file, position.position);
        let find = |path: &Path| {
            let on_disk =
                || Some(SourceFile::new(path.display().to_string(), std::fs::read_to_string(path).ok()?));
            self.documents.get(path).map(|document| document.file.clone()).or_else(on_disk)
        };
        Some(answer(&DocumentPosition::new(state, &path, &document.file, role, offset), &find))
    }

    fn notification(&mut self, notification: Notification) {
        match (self.status, notification.method.as_str()) {
            (_, "exit") => self.disconnect(),
            (Status::Serving, "initialized") if self.abilities.watches_files => {
                self.outgoing.push(Message::Request(capabilities::watch_files()));
            }
            (Status::Serving, "textDocument/didOpen") => self.with(notification, Self::opened),
            (Status::Serving, "textDocument/didChange") => self.with(notification, Self::changed),
            (Status::Serving, "textDocument/didSave") => self.with(notification, Self::saved),
            (Status::Serving, "textDocument/didClose") => self.with(notification, Self::closed),
            (Status::Serving, "workspace/didChangeWatchedFiles") => {
                self.with(notification, Self::files_changed);
            }
            _ => {}
        }
    }

    /// Applies a notification; one with other parameters is logged.
    fn with<P: DeserializeOwned>(&mut self, notification: Notification, apply: fn(&mut Self, P)) {
        match serde_json::from_value(notification.params) {
            Ok(parameters) => apply(self, parameters),
            Err(error) => tracing::warn!(method = notification.method, %error, "a notification is ignored"),
        }
    }

    fn opened(&mut self, DidOpenTextDocumentParams { text_document }: DidOpenTextDocumentParams) {
        let path = uri::path(&text_document.uri);
        let root = path.parent().and_then(workspace::find);
        let name = shown(&path, root.as_deref());
        self.documents.open(path.clone(), name, text_document.uri, text_document.version, text_document.text);
        self.roots.insert(path.clone(), root.clone());
        self.add_workspace(root);
        self.text_changed(&path);
    }

    fn changed(&mut self, parameters: DidChangeTextDocumentParams) {
        let path = uri::path(&parameters.text_document.uri);
        let version = parameters.text_document.version;
        self.documents.change(&path, version, parameters.content_changes, self.abilities.encoding);
        self.text_changed(&path);
    }

    fn saved(&mut self, parameters: DidSaveTextDocumentParams) {
        self.file_changed(&uri::path(&parameters.text_document.uri));
    }

    fn closed(&mut self, parameters: DidCloseTextDocumentParams) {
        let path = uri::path(&parameters.text_document.uri);
        self.documents.close(&path);
        let Some(root) = self.roots.remove(&path) else { return };
        match root {
            // What was not saved does not count any more.
            Some(_) => self.file_changed(&path),
            None => {
                if let Some(state) = self.workspaces.get_mut(&None) {
                    state.close(&path);
                }
                self.publish(&path);
            }
        }
    }

    fn files_changed(&mut self, parameters: DidChangeWatchedFilesParams) {
        for change in parameters.changes {
            self.file_changed(&uri::path(&change.uri));
        }
    }

    fn add_folder(&mut self, folder: &Path) {
        if let Some(root) = workspace::find(folder) {
            self.add_workspace(Some(root));
        }
    }

    /// Opens a workspace, unless it is open.
    fn add_workspace(&mut self, root: Option<PathBuf>) {
        if self.workspaces.contains_key(&root) {
            return;
        }
        let state = match &root {
            Some(root) => WorkspaceState::open(root, self.settings(root).as_ref(), &self.variables),
            None => WorkspaceState::none(),
        };
        if let Some(root) = &root {
            self.due.insert(root.clone(), Instant::now());
        }
        self.workspaces.insert(root, state);
    }

    /// The open text of `hob.yaml`.
    fn settings(&self, root: &Path) -> Option<SourceFile> {
        Some(self.documents.get(&root.join(workspace::FILE))?.file.clone())
    }

    /// Checks the text of an open document.
    fn text_changed(&mut self, path: &Path) {
        let Some(document) = self.documents.get(path) else { return };
        let Some(root) = self.roots.get(path) else { return };
        let file = document.file.clone();
        let settings = Some(&file);
        let Some(state) = self.workspaces.get_mut(root) else { return };
        match state.role(path, file.text()) {
            Some(FileRole::Settings) => state.read_settings(settings, &self.variables),
            _ => state.check(path, &file),
        }
        if let Some(root) = root {
            self.due.insert(root.clone(), Instant::now() + PAUSE);
        }
        self.publish(path);
    }

    /// Reads a file again that was written, created or removed.
    fn file_changed(&mut self, path: &Path) {
        // A workspace may have come or gone.
        if path.file_name().is_some_and(|name| name == workspace::FILE)
            && let Some(folder) = path.parent()
        {
            self.find_workspaces_again(folder);
        }
        let Some(root) =
            self.workspaces.keys().flatten().filter(|root| path.starts_with(root)).max().cloned()
        else {
            return;
        };
        let settings = self.settings(&root);
        let is_open = self.documents.get(path).is_some();
        let Some(state) = self.workspaces.get_mut(&Some(root.clone())) else { return };
        match workspace::role(&root, path) {
            Some(FileRole::Recipe | FileRole::Tests) if is_open => {}
            Some(FileRole::Recipe | FileRole::Tests) => state.forget(path),
            None if path.file_name().is_none_or(|name| name != ".env") => return,
            _ => state.reload(settings.as_ref(), &self.variables),
        }
        self.due.insert(root, Instant::now() + PAUSE);
        self.publish_all();
    }

    fn find_workspaces_again(&mut self, folder: &Path) {
        let gone = self.workspaces.keys().flatten().filter(|root| !root.join(workspace::FILE).is_file());
        let gone: Vec<PathBuf> = gone.cloned().collect();
        for root in gone {
            self.workspaces.remove(&Some(root.clone()));
            self.due.remove(&root);
        }
        self.add_folder(folder);
        let moved = self.roots.keys().map(|path| (path.clone(), path.parent().and_then(workspace::find)));
        for (path, root) in moved.collect::<Vec<_>>() {
            self.roots.insert(path.clone(), root.clone());
            self.add_workspace(root);
            self.text_changed(&path);
        }
    }

    /// When the next check of all recipes is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }

    /// The checks that are due at `now`.
    pub fn take_due(&mut self, now: Instant) -> Vec<WholeCheck> {
        let due: Vec<PathBuf> =
            self.due.iter().filter(|(_, at)| **at <= now).map(|(root, _)| root.clone()).collect();
        let mut checks = Vec::new();
        for root in due {
            self.due.remove(&root);
            let open = self.documents.all().filter(|(path, _)| path.starts_with(&root));
            let open = open.map(|(path, document)| (path.clone(), document.file.clone())).collect();
            checks.extend(self.workspaces.get_mut(&Some(root)).and_then(|state| state.whole_check(open)));
        }
        checks
    }

    /// Takes over the result of a check.
    pub fn apply(&mut self, checked: WholeChecked) {
        let root = Some(checked.root.clone());
        if let Some(state) = self.workspaces.get_mut(&root) {
            state.apply(checked);
            self.publish_all();
        }
    }

    /// Shows the mistakes in the file at `path`, if they are others than before.
    fn publish(&mut self, path: &Path) {
        let encoding = self.abilities.encoding;
        let reports = self.workspaces.values().filter_map(|state| Some((state, state.reports().get(path)?)));
        let found: Vec<lsp_types::Diagnostic> =
            reports.flat_map(|(state, report)| diagnostics::all(report, encoding, &state.redactor)).collect();
        let document = self.documents.get(path);
        let is_known = match self.published.get(path) {
            Some(before) => *before == found,
            // An open text without mistakes is told to be so.
            None => found.is_empty() && document.is_none(),
        };
        let address = document.map(|document| document.uri.clone()).or_else(|| uri::of(path));
        let Some(uri) = address.filter(|_| !is_known) else { return };
        let version = document.map(|document| document.version);
        let parameters = PublishDiagnosticsParams { uri, diagnostics: found.clone(), version };
        let notification = Notification::new("textDocument/publishDiagnostics".to_owned(), parameters);
        self.outgoing.push(Message::Notification(notification));
        if found.is_empty() && document.is_none() {
            self.published.remove(path);
        } else {
            self.published.insert(path.to_owned(), found);
        }
    }

    fn publish_all(&mut self) {
        let reported = self.workspaces.values().flat_map(|state| state.reports().keys());
        let mut paths: Vec<PathBuf> = reported.chain(self.published.keys()).cloned().collect();
        paths.sort();
        paths.dedup();
        paths.iter().for_each(|path| self.publish(path));
    }

    /// Adds an answer that was made elsewhere.
    pub fn answer_with(&mut self, answer: Option<Response>) {
        self.outgoing.extend(answer.map(Message::Response));
    }
}

/// The parameters of a request.
fn parameters<P: DeserializeOwned>(request: Request) -> Result<P, Refusal> {
    serde_json::from_value(request.params)
        .map_err(|error| Refusal { code: ErrorCode::InvalidParams, message: error.to_string() })
}
