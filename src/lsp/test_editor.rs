//! An editor for tests: a workspace in a folder, and requests at a cursor that is written as `‸`.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lsp_server::{Message, Notification, Request, RequestId};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::Server;

/// A `hob.yaml` with two connections on one connector, one on another, and a secret.
pub(super) const SETTINGS: &str = "connections:\n  studio-1: { connector: highlevel, location: loc-1, auth: { token: secret-token-1 } }\n  studio-2: { connector: highlevel, location: loc-2, auth: { token: secret-token-2 } }\n  fitr: { connector: fitr, base_url: 'https://fitr.example', auth: { header: { name: X-API-Key, value: secret-key-3 } } }\nenv: [ALERT_URL]\n";

/// An editor with a workspace.
pub(super) struct Editor {
    pub(super) server: Server,
    folder: TempDir,
    next: i32,
}

impl Editor {
    /// In a workspace with these files; without a `hob.yaml`, with a usual one.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut editor = Self { server: Server::new([].into()), folder, next: 0 };
        editor.write("hob.yaml", SETTINGS);
        files.iter().for_each(|(name, text)| editor.write(name, text));
        let folder = editor.uri("");
        let parameters = json!({ "processId": null, "rootUri": folder, "capabilities": {} });
        editor.request("initialize", parameters).unwrap();
        editor.notify("initialized", json!({}));
        editor.settle();
        editor
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.folder.path().to_owned() } else { self.folder.path().join(name) }
    }

    pub(super) fn uri(&self, name: &str) -> String {
        super::uri::of(&self.path(name)).unwrap().as_str().to_owned()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn notify(&mut self, method: &str, parameters: Value) {
        self.server.handle(Message::Notification(Notification::new(method.to_owned(), parameters)));
    }

    pub(super) fn request(&mut self, method: &str, parameters: Value) -> Result<Value, String> {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.server.handle(Message::Request(Request::new(id.clone(), method.to_owned(), parameters)));
        let mut others = Vec::new();
        let mut answer = None;
        for message in self.server.take_outgoing() {
            match message {
                Message::Response(response) if response.id == id => answer = Some(response.response_result),
                other => others.push(other),
            }
        }
        others.into_iter().for_each(|message| self.server.put_back(message));
        answer.unwrap_or_else(|| panic!("`{method}` is not answered")).map_err(|error| error.message)
    }

    /// Does what the server would do later.
    pub(super) fn settle(&mut self) {
        for check in self.server.take_due(Instant::now() + Duration::from_secs(60)) {
            let checked = check.run();
            self.server.apply(checked);
        }
    }

    /// Opens, or changes, a text; the position of its cursor.
    pub(super) fn open(&mut self, name: &str, text: &str) -> Value {
        let (before, after) = text.split_once('‸').unwrap_or((text, ""));
        let line = before.matches('\n').count();
        let last = before.rsplit('\n').next().unwrap();
        let uri = self.uri(name);
        let text = [before, after].concat();
        let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
        json!({
            "textDocument": { "uri": uri },
            "position": { "line": line, "character": last.encode_utf16().count() },
        })
    }

    /// The labels of the completions at the cursor of `text`.
    pub(super) fn complete(&mut self, name: &str, text: &str) -> Vec<String> {
        let items = self.items(name, text);
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }

    /// The completions at the cursor of `text`.
    pub(super) fn items(&mut self, name: &str, text: &str) -> Vec<Value> {
        let at = self.open(name, text);
        let list = self.request("textDocument/completion", at).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// The last diagnostics that were told of a file: code, line from 1 and message.
    pub(super) fn mistakes(&mut self, name: &str) -> Vec<(String, u64, String)> {
        let uri = self.uri(name);
        let mut found = Vec::new();
        for message in self.server.take_outgoing() {
            let Message::Notification(told) = &message else { continue };
            if told.params["uri"] == uri.as_str() {
                found = told.params["diagnostics"].as_array().unwrap().clone();
            }
        }
        let row = |found: &Value| {
            let line = found["range"]["start"]["line"].as_u64().unwrap() + 1;
            let text = |field: &str| found[field].as_str().unwrap().to_owned();
            (text("code"), line, text("message"))
        };
        found.iter().map(row).collect()
    }
}
