//! A server with clients, each with a list of notes of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, SecondsFormat, Utc};
use hob::catalog::Catalog;
use hob::clock::ManualClock;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::business::Chance;

/// Clients on a page.
pub const CLIENTS: usize = 3;
/// Notes on a page.
pub const NOTES: usize = 2;

#[derive(Clone)]
pub struct Client {
    pub made: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    /// Id → revision.
    pub notes: BTreeMap<String, u64>,
    /// The list of its notes is answered like this instead.
    pub refused: Option<StatusCode>,
}

/// Shared by the server and its test.
pub struct Studio {
    pub clock: ManualClock,
    pub clients: Mutex<BTreeMap<String, Client>>,
    pub requests: Mutex<Vec<String>>,
    /// The request with this number gets no answer, which is told; 0 for none.
    pub hang_at: AtomicUsize,
    pub hangs: Notify,
    /// Something changes before some of the requests.
    pub busy: Mutex<Option<Chance>>,
    made: AtomicUsize,
}

impl Studio {
    pub fn new(clock: &ManualClock) -> Arc<Self> {
        Arc::new(Self {
            clock: clock.clone(),
            clients: Mutex::default(),
            requests: Mutex::default(),
            hang_at: AtomicUsize::new(0),
            hangs: Notify::new(),
            busy: Mutex::new(None),
            made: AtomicUsize::new(0),
        })
    }

    pub fn with(clock: &ManualClock, clients: usize, notes: usize) -> Arc<Self> {
        let studio = Self::new(clock);
        for _ in 0..clients {
            let client = studio.add_client();
            (0..notes).for_each(|_| _ = studio.add_note(&client));
        }
        studio
    }

    fn number(&self) -> usize {
        self.made.fetch_add(1, Ordering::SeqCst)
    }

    pub fn add_client(&self) -> String {
        let (id, now) = (format!("cl{:04}", self.number()), self.clock.clock().now());
        let client = Client { made: now, updated: now, notes: BTreeMap::new(), refused: None };
        self.clients.lock().unwrap().insert(id.clone(), client);
        id
    }

    fn change<T>(&self, client: &str, change: impl FnOnce(&mut Client) -> T) -> T {
        let mut clients = self.clients.lock().unwrap();
        let client = clients.get_mut(client).unwrap();
        client.updated = self.clock.clock().now();
        change(client)
    }

    /// Ids are unique within a client only.
    pub fn add_note(&self, client: &str) -> String {
        self.change(client, |client| {
            let next = client.notes.keys().next_back().map_or(0, |id| id[1..].parse::<u32>().unwrap() + 1);
            client.notes.insert(format!("n{next:03}"), 1);
            format!("n{next:03}")
        })
    }

    pub fn change_note(&self, client: &str, note: &str) {
        self.change(client, |client| *client.notes.get_mut(note).unwrap() += 1);
    }

    pub fn remove_note(&self, client: &str, note: &str) {
        self.change(client, |client| client.notes.remove(note));
    }

    pub fn remove_client(&self, client: &str) {
        self.clients.lock().unwrap().remove(client);
    }

    /// Any change.
    pub fn change_something(&self, chance: &mut Chance) {
        let all: Vec<String> = self.clients.lock().unwrap().keys().cloned().collect();
        let what = chance.below(20);
        if all.is_empty() || what < 2 {
            self.add_client();
            return;
        }
        let client = &all[chance.below(all.len() as u64) as usize];
        let notes: Vec<String> = self.clients.lock().unwrap()[client].notes.keys().cloned().collect();
        // The last one stays, because the next id follows from it.
        let some = notes.first().filter(|_| notes.len() > 1);
        match (what, some) {
            (2, _) if all.len() > 2 => self.remove_client(client),
            (3..=5, Some(note)) => self.remove_note(client, note),
            (6..=11, _) if !notes.is_empty() => {
                self.change_note(client, &notes[chance.below(notes.len() as u64) as usize]);
            }
            _ => _ = self.add_note(client),
        }
    }

    /// The requests since the last call.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// Serves it; returns the address.
    pub async fn serve(self: &Arc<Self>) -> String {
        let router = Router::new()
            .route("/clients", get(clients))
            .route("/clients/{client}/notes", get(notes))
            .with_state(Arc::clone(self));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    async fn asked(&self, request: String) {
        let number = {
            let mut requests = self.requests.lock().unwrap();
            requests.push(request);
            requests.len()
        };
        if number == self.hang_at.load(Ordering::SeqCst) {
            self.hangs.notify_one();
            std::future::pending::<()>().await;
        }
        let mut busy = self.busy.lock().unwrap();
        if let Some(chance) = busy.as_mut()
            && chance.once_in(4)
        {
            self.change_something(chance);
        }
    }
}

type Asked = HashMap<String, String>;

fn cut(all: Vec<Value>, asked: &Asked, size: usize) -> Response {
    let page = asked.get("page").map_or(1, |page| page.parse::<usize>().unwrap());
    let items: Vec<Value> = all.into_iter().skip((page - 1) * size).take(size).collect();
    Json(json!({ "data": items })).into_response()
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

async fn clients(State(studio): State<Arc<Studio>>, Query(asked): Query<Asked>) -> Response {
    studio.asked("clients".to_owned()).await;
    let clients = studio.clients.lock().unwrap();
    let mut all: Vec<(&String, &Client)> = clients.iter().collect();
    if asked.get("sort").is_some_and(|sort| sort == "desc") {
        all.sort_by_key(|(id, client)| (std::cmp::Reverse(client.updated), (*id).clone()));
    }
    let item = |(id, client): (&String, &Client)| json!({ "id": id, "name": format!("Client {id}"), "created": time(client.made), "updated": time(client.updated) });
    cut(all.into_iter().map(item).collect(), &asked, CLIENTS)
}

async fn notes(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    studio.asked(format!("notes of {id}")).await;
    let clients = studio.clients.lock().unwrap();
    let Some(client) = clients.get(&id) else {
        return (StatusCode::NOT_FOUND, Json(json!({ "message": "no such client" }))).into_response();
    };
    if let Some(status) = client.refused {
        return (status, Json(json!({ "message": "no" }))).into_response();
    }
    let all = client.notes.iter().map(|(note, rev)| json!({ "id": note, "rev": rev })).collect();
    cut(all, &asked, NOTES)
}

/// A connector that describes this server: `studio.notes.list` with a promise about the clients, `studio.plain.list`
/// without one.
pub fn catalog() -> Catalog {
    let connector = "connector: studio\ntitle: Studio\nabout: Clients.\nauth: []\n";
    let notes = |more: &str| {
        format!(
            "{{ title: t, summary: s, kinds: [poller], method: GET, path: '/clients/{{client}}/notes', effect: read, \
             parameters: {{ client: {{ in: path, shape: {{ type: string, required: true }} }}, \
             page: {{ in: query, shape: {{ type: integer }} }} }}, \
             list: {{ items: ['$.data[*]'], id: [id]{more}, paging: {{ style: page, page: page, size: {NOTES} }} }} }}"
        )
    };
    let operations = format!(
        "operations:\n  studio.clients.list: {{ title: t, summary: s, kinds: [poller], method: GET, path: /clients, \
         effect: read, parameters: {{ page: {{ in: query, shape: {{ type: integer }} }}, sort: {{ in: query, shape: {{}} }} }}, \
         list: {{ items: ['$.data[*]'], id: [id], updated: updated, created: created, newest_first: {{ sort: desc }}, \
         lag_seconds: 60, paging: {{ style: page, page: page, size: {CLIENTS}, short_page_ends: true }} }} }}\n  \
         studio.notes.list: {}\n  studio.plain.list: {}\n",
        notes(", per_parent: { touches: { studio.clients.list: [new, changed] } }"),
        notes(""),
    );
    let mut catalog = Catalog::built_in();
    let files = [("studio/connector.yaml", connector.to_owned()), ("studio/all.yaml", operations)];
    catalog.add_folder("studio", files.map(|(path, text)| (path.to_owned(), text)).to_vec()).unwrap();
    catalog
}
