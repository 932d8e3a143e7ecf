use lsp_server::{Message, Notification, Request};
use serde_json::{Value, json};

use crate::lsp::Server;
use crate::lsp::test_editor::Editor;

#[test]
fn requests_are_answered_whatever_they_ask_for() {
    let mut editor = Editor::new(&[]);
    let unknown = editor.request("textDocument/nonsense", json!({}));
    assert!(unknown.unwrap_err().contains("there is no method"));
    let wrong = editor.request("textDocument/completion", json!({ "textDocument": 3 }));
    assert!(wrong.unwrap_err().contains("invalid type"));
    let at = json!({ "textDocument": { "uri": "file:///not/open.yaml" }, "position": { "line": 0, "character": 0 } });
    assert_eq!(editor.request("textDocument/completion", at).unwrap()["items"], json!([]));
    editor.notify("textDocument/didOpen", json!(["x"]));
    editor.notify("$/whatever", Value::Null);
    let again = editor.request("initialize", json!({ "capabilities": {} }));
    assert!(again.unwrap_err().contains("not possible any more"));
}

#[test]
fn a_session_ends_in_order_or_not() {
    let mut editor = Editor::new(&[]);
    assert_eq!(editor.request("shutdown", Value::Null).unwrap(), Value::Null);
    assert!(editor.request("textDocument/completion", json!({})).is_err());
    assert_eq!(editor.server.ended(), None);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.server.ended(), Some(true));
    let mut editor = Editor::new(&[]);
    editor.notify("exit", Value::Null);
    assert_eq!(editor.server.ended(), Some(false));
}

#[test]
fn nothing_is_answered_before_the_session_begins() {
    let mut server = Server::new([].into());
    server.handle(Message::Request(Request::new(1.into(), "textDocument/completion".into(), json!({}))));
    server.handle(Message::Notification(Notification::new("textDocument/didOpen".into(), json!({}))));
    let answers = server.take_outgoing();
    let [Message::Response(answer)] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(answer.response_result.as_ref().unwrap_err().code, -32002);
}

#[test]
fn the_client_chooses_how_to_count() {
    let mut server = Server::new([].into());
    let encodings = json!({ "general": { "positionEncodings": ["utf-16", "utf-8"] } });
    let parameters = json!({ "processId": null, "capabilities": encodings });
    server.handle(Message::Request(Request::new(1.into(), "initialize".into(), parameters)));
    let answers = server.take_outgoing();
    assert!(serde_json::to_string(&answers).unwrap().contains("\"positionEncoding\":\"utf-8\""));
}
