//! Items of a list of completions.

use std::collections::HashSet;

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, MarkupContent, MarkupKind, Range,
    TextEdit,
};

/// A list that is being made; its items replace the same range and keep their order.
#[derive(Debug)]
pub struct Items {
    range: Range,
    all: Vec<CompletionItem>,
    labels: HashSet<String>,
}

impl Items {
    /// An empty list for `range`.
    pub fn new(range: Range) -> Self {
        Self { range, all: Vec::new(), labels: HashSet::new() }
    }

    /// Adds `label`, which is written as `text`. Ignored if it is there already.
    pub fn add(&mut self, label: &str, kind: CompletionItemKind, detail: &str, about: &str, text: &str) {
        if !self.labels.insert(label.to_owned()) {
            return;
        }
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let about = some(about)
            .map(|value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value }));
        self.all.push(CompletionItem {
            label: label.to_owned(),
            kind: Some(kind),
            detail: some(detail),
            documentation: about,
            sort_text: Some(format!("{:05}", self.all.len())),
            filter_text: Some(label.to_owned()),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(self.range, text.to_owned()))),
            ..CompletionItem::default()
        });
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Adds those of `other`, behind its own.
    pub fn extend(&mut self, other: Items) {
        for mut item in other.all {
            if self.labels.insert(item.label.clone()) {
                item.sort_text = Some(format!("{:05}", self.all.len()));
                self.all.push(item);
            }
        }
    }

    /// The items.
    pub fn into_items(self) -> Vec<CompletionItem> {
        self.all
    }
}
