//! A server with a list that it pages in every style, correctly or not.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use hob::catalog::Catalog;
use serde_json::{Value, json};

/// Shared by the server and its test.
#[derive(Default)]
pub struct List {
    pub items: Mutex<Vec<Value>>,
    pub requests: Mutex<Vec<String>>,
    /// Answers with these statuses first.
    pub bad: Mutex<Vec<StatusCode>>,
    /// Maximum page size, whatever is requested; 0 for none.
    pub cap: AtomicUsize,
    /// All requests from this one on are rejected; 0 for none.
    pub refuse_from: AtomicUsize,
    /// All requests from this one on get no answer; 0 for none.
    pub hang_from: AtomicUsize,
}

impl List {
    pub fn of(count: usize) -> Arc<Self> {
        let items = (0..count).map(|n| json!({ "id": format!("c{n:05}"), "name": format!("n{n}") }));
        Arc::new(Self { items: Mutex::new(items.collect()), ..Self::default() })
    }

    pub fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    /// Serves it; returns the address.
    pub async fn serve(self: &Arc<Self>) -> String {
        let router = Router::new().route("/{style}", get(answer)).with_state(Arc::clone(self));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }
}

type Asked = HashMap<String, String>;

async fn answer(
    State(list): State<Arc<List>>,
    axum::extract::Path(style): axum::extract::Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let number = {
        let mut requests = list.requests.lock().unwrap();
        let mut shown: Vec<String> = asked.iter().map(|(name, value)| format!("{name}={value}")).collect();
        shown.sort();
        requests.push(shown.join("&"));
        requests.len()
    };
    let hang_from = list.hang_from.load(Ordering::SeqCst);
    if hang_from > 0 && number >= hang_from {
        std::future::pending::<()>().await;
    }
    let refuse_from = list.refuse_from.load(Ordering::SeqCst);
    if refuse_from > 0 && number >= refuse_from {
        return (StatusCode::FORBIDDEN, Json(json!({ "message": "no" }))).into_response();
    }
    if let Some(status) = list.bad.lock().unwrap().pop() {
        return (status, Json(json!({ "message": "not now" }))).into_response();
    }
    let cap = match list.cap.load(Ordering::SeqCst) {
        0 => usize::MAX,
        cap => cap,
    };
    page(&style, &asked, cap, &list.items.lock().unwrap())
}

fn page(style: &str, asked: &Asked, cap: usize, all: &[Value]) -> Response {
    let number = |name: &str, usual: usize| asked.get(name).and_then(|n| n.parse().ok()).unwrap_or(usual);
    let limit = number("limit", 50).min(cap);
    let after = |name: &str| {
        let id = asked.get(name)?;
        all.iter().position(|item| item["id"] == **id).map(|at| at + 1)
    };
    let cut = |from: usize| -> Vec<Value> { all.iter().skip(from).take(limit).cloned().collect() };
    let body = match style {
        "none" => json!({ "data": all }),
        "offset" => json!({ "data": cut(number("offset", 0)) }),
        "page" => json!({ "data": cut((number("page", 1) - 1) * limit) }),
        // Like Django: the page after the last one is 404.
        "strict" | "abrupt" => {
            let from = (number("page", 1) - 1) * limit;
            if from > 0 && from >= all.len() {
                return (StatusCode::NOT_FOUND, Json(json!({ "message": "Invalid page." }))).into_response();
            }
            json!({ "data": cut(from) })
        }
        // With its own page size, a flag, and pages without visible items.
        "holes" => {
            let at = number("page", 1);
            let items = if at % 2 == 0 { cut((at / 2 - 1) * limit) } else { vec![] };
            json!({ "data": items, "has_more": (at / 2) * limit < all.len() })
        }
        "deaf" => json!({ "data": cut(0) }),
        "flag" => {
            let items = cut(after("cursor").unwrap_or(0));
            let last = items.last().map(|item| item["id"].clone());
            let more = last.is_some() && last != all.last().map(|item| item["id"].clone());
            json!({ "data": items, "next": last, "more": more })
        }
        // Like HighLevel: half of the cursor alone is ignored, and the last page has one too.
        "halves" => {
            let both = asked.contains_key("after").then(|| after("afterId")).flatten();
            let items = cut(both.unwrap_or(0));
            let last = items.last().map(|item| item["id"].clone());
            json!({ "data": items, "meta": { "after": 7, "afterId": last } })
        }
        "frozen" => json!({ "data": cut(0), "next": "same", "more": true }),
        "item" => {
            let mut items = cut(after("cursor").unwrap_or(0));
            for item in &mut items {
                item["sort"] = item["id"].clone();
            }
            json!({ "data": items })
        }
        "newest" => {
            let mut sorted = all.to_vec();
            sorted.sort_by_key(|item| std::cmp::Reverse(item["updated"].to_string()));
            let items: Vec<Value> = sorted.into_iter().skip(number("offset", 0)).take(limit).collect();
            json!({ "data": items })
        }
        "link" => {
            let at = number("page", 1);
            let items = cut((at - 1) * limit);
            let mut headers = HeaderMap::new();
            if items.len() == limit {
                let next = format!("<https://elsewhere.example/link?page={}>; rel=\"next\"", at + 1);
                headers.insert("link", next.parse().unwrap());
            }
            return (headers, Json(json!({ "data": items }))).into_response();
        }
        other => json!({ "message": format!("no style {other}") }),
    };
    Json(body).into_response()
}

/// A connector that describes this server.
pub fn catalog() -> Catalog {
    let connector = "connector: lists\ntitle: Lists\nabout: Lists.\nauth: []\n";
    let mut operations = String::from("operations:\n");
    let query = |names: &[&str]| {
        let shapes = names.iter().map(|name| format!("{name}: {{ in: query, shape: {{}} }}"));
        shapes.collect::<Vec<_>>().join(", ")
    };
    let number = "page: { in: query, shape: { type: integer } }, limit: { in: query, shape: {} }";
    let cursor = "limit: limit, size: 50, next: { cursor: { from: answer, path: $.next } }";
    for (style, parameters, paging) in [
        ("none", String::new(), "{ style: none }".to_owned()),
        ("offset", query(&["offset", "limit"]), "{ style: offset, offset: offset, limit: limit, size: 50 }".into()),
        ("page", number.into(), "{ style: page, page: page, limit: limit, size: 50 }".into()),
        ("strict", number.into(), "{ style: page, page: page, size: 50, not_found_ends: true }".into()),
        ("abrupt", number.into(), "{ style: page, page: page, size: 50 }".into()),
        ("holes", number.into(), "{ style: page, page: page, size: 50, more: $.has_more }".into()),
        ("deaf", number.into(), "{ style: page, page: page, limit: limit, size: 50 }".into()),
        ("flag", query(&["cursor", "limit"]), format!("{{ style: cursor, more: $.more, {cursor} }}")),
        ("frozen", query(&["cursor", "limit"]), format!("{{ style: cursor, more: $.more, {cursor} }}")),
        (
            "halves",
            query(&["after", "afterId", "limit"]),
            "{ style: cursor, limit: limit, size: 50, next: { after: { from: answer, path: $.meta.after }, \
             afterId: { from: answer, path: $.meta.afterId } } }"
                .into(),
        ),
        (
            "item",
            query(&["cursor", "limit"]),
            "{ style: cursor, limit: limit, size: 50, next: { cursor: { from: last_item, paths: [$.sort] } } }".into(),
        ),
        ("link", number.into(), "{ style: link }".into()),
    ] {
        operations += &format!(
            "  lists.{style}: {{ title: t, summary: s, kinds: [poller], method: GET, path: /{style}, effect: read, \
             parameters: {{ {parameters} }}, list: {{ items: ['$.data[*]'], id: [id], paging: {paging} }} }}\n"
        );
    }
    operations += "  lists.newest: { title: t, summary: s, kinds: [poller], method: GET, path: /newest, effect: read, \
        parameters: { offset: { in: query, shape: {} }, limit: { in: query, shape: {} }, sort: { in: query, shape: {} } }, \
        list: { items: ['$.data[*]'], id: [id], updated: updated, created: created, newest_first: { sort: desc }, \
        paging: { style: offset, offset: offset, limit: limit, size: 50 } } }\n";
    let mut catalog = Catalog::built_in();
    let files = [("lists/connector.yaml", connector.to_owned()), ("lists/all.yaml", operations)];
    let files = files.map(|(path, text)| (path.to_owned(), text));
    catalog.add_folder("lists", files.to_vec()).unwrap();
    catalog
}
