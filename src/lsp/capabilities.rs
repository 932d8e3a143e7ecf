//! What the server can do, and what the client can.

use std::path::PathBuf;

use lsp_server::{Request, RequestId};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions,
    HoverProviderCapability, InitializeParams, OneOf, PositionEncodingKind, RenameOptions, SaveOptions,
    ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions, WorkDoneProgressOptions,
};
use serde_json::{Value, json};

use super::text_position::Encoding;
use super::uri;

/// What the client can do.
#[derive(Debug, Default, Clone, Copy)]
pub struct Abilities {
    /// How it counts within a line.
    pub encoding: Encoding,
    /// It tells about changed files when asked to.
    pub watches_files: bool,
}

impl Abilities {
    /// Of the client that sent `parameters`.
    pub fn of(parameters: &InitializeParams) -> Self {
        let encodings =
            parameters.capabilities.general.as_ref().and_then(|all| all.position_encodings.as_ref());
        let takes_bytes = encodings.is_some_and(|all| all.contains(&PositionEncodingKind::UTF8));
        let workspace = parameters.capabilities.workspace.as_ref();
        let watching = workspace.and_then(|workspace| workspace.did_change_watched_files.as_ref());
        Self {
            encoding: if takes_bytes { Encoding::Utf8 } else { Encoding::Utf16 },
            watches_files: watching.and_then(|all| all.dynamic_registration).unwrap_or_default(),
        }
    }
}

/// The folders that the client has open.
pub fn folders(parameters: &InitializeParams) -> Vec<PathBuf> {
    let named = parameters.workspace_folders.iter().flatten().map(|folder| uri::path(&folder.uri));
    #[expect(deprecated, reason = "what clients sent before there were several folders")]
    let root = parameters.root_uri.as_ref().map(uri::path);
    let mut all: Vec<PathBuf> = named.chain(root).collect();
    all.dedup();
    all
}

/// The answer to `initialize`.
pub fn answer(encoding: Encoding) -> Value {
    let capabilities = ServerCapabilities {
        position_encoding: Some(match encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
            ..TextDocumentSyncOptions::default()
        })),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some([".", "{", "|", ":", " "].map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        ..ServerCapabilities::default()
    };
    json!({
        "capabilities": capabilities,
        "serverInfo": { "name": "hob", "version": env!("CARGO_PKG_VERSION") },
    })
}

/// Asks the client to tell about changed files.
pub fn watch_files() -> Request {
    let watchers = ["**/*.{yaml,yml}", "**/.env"].map(|pattern| json!({ "globPattern": pattern }));
    let registration = json!({
        "id": "hob-files",
        "method": "workspace/didChangeWatchedFiles",
        "registerOptions": { "watchers": watchers },
    });
    let parameters = json!({ "registrations": [registration] });
    let id = RequestId::from("hob-watch-files".to_owned());
    Request { id, method: "client/registerCapability".to_owned(), params: parameters }
}
