//! A small client of language servers, over their standard input and output.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server and what it told.
pub struct LanguageClient {
    pub child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    next: i64,
    /// The last diagnostics by address.
    diagnostics: BTreeMap<String, Value>,
    /// What the server is told of its settings, by section.
    configuration: Value,
}

impl LanguageClient {
    /// Starts `command` and begins a session in `folder`.
    pub fn start(command: Command, folder: &Path, capabilities: Value) -> Self {
        Self::configured(command, folder, capabilities, Value::Null)
    }

    /// The same with settings for the server, by section.
    pub fn configured(
        mut command: Command,
        folder: &Path,
        capabilities: Value,
        configuration: Value,
    ) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, messages) = sync_channel(1024);
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take();
        let mut client =
            Self { child, input, messages, next: 0, diagnostics: BTreeMap::new(), configuration };
        let root = address(folder);
        let parameters = json!({
            "processId": null,
            "rootUri": root,
            "workspaceFolders": [{ "uri": root, "name": "workspace" }],
            "capabilities": capabilities,
        });
        client.request("initialize", parameters);
        client.notify("initialized", json!({}));
        client
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    pub fn notify(&mut self, method: &str, parameters: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": parameters }));
    }

    /// The answer to a request: `result` or `error`.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }));
        self.until(method, |message| message["id"] == id && message.get("method").is_none())
    }

    /// The result of a request.
    #[track_caller]
    pub fn request(&mut self, method: &str, parameters: Value) -> Value {
        let mut answer = self.ask(method, parameters);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// The next message for which `fits`; answers what the server asks meanwhile.
    pub fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self
                .messages
                .recv_timeout(left)
                .unwrap_or_else(|error| panic!("waiting for {what}: {error}"));
            if message["method"] == "textDocument/publishDiagnostics" {
                let uri = message["params"]["uri"].as_str().unwrap().to_owned();
                self.diagnostics.insert(uri, message["params"]["diagnostics"].clone());
            }
            if let (Some(id), Some(_)) = (message.get("id"), message.get("method")) {
                let section = |item: &Value| self.configuration.get(item["section"].as_str()?).cloned();
                let items = message["params"]["items"].as_array();
                let items: Option<Vec<Option<Value>>> =
                    items.map(|items| items.iter().map(section).collect());
                self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": items }));
            }
            if fits(&message) {
                return message;
            }
        }
    }

    /// Opens the text of the file at `path`; the position of the cursor, which is written as `‸`.
    pub fn open(&mut self, path: &Path, text: &str) -> Value {
        let (before, after) = text.split_once('‸').unwrap_or((text, ""));
        let uri = address(path);
        let text = [before, after].concat();
        let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
        self.diagnostics.remove(&uri);
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
        let line = before.matches('\n').count();
        let character = before.rsplit('\n').next().unwrap().encode_utf16().count();
        json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } })
    }

    /// The labels of the completions at `at`.
    pub fn completions(&mut self, at: Value) -> Vec<String> {
        let list = self.request("textDocument/completion", at);
        let items = list.get("items").unwrap_or(&list).as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }

    /// The next diagnostics of the file at `path` for which `fits`.
    pub fn diagnostics(&mut self, path: &Path, fits: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let uri = address(path);
        loop {
            if let Some(Value::Array(found)) = self.diagnostics.get(&uri)
                && fits(found)
            {
                return found.clone();
            }
            self.until("diagnostics", |message| message["method"] == "textDocument/publishDiagnostics");
        }
    }

    /// The next message, or `None` at the end of the output.
    pub fn next_message(&mut self) -> Option<Value> {
        self.messages.recv_timeout(PATIENCE).ok()
    }

    /// Closes the server's input.
    pub fn hang_up(&mut self) {
        self.input = None;
    }

    /// The exit code, once the server has ended.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Ends the session as the protocol asks for; the exit code.
    pub fn end(&mut self) -> Option<i32> {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.exit_code()
    }
}

impl Drop for LanguageClient {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The address of the file at `path`.
pub fn address(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut bytes = vec![0; length];
    output.read_exact(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
