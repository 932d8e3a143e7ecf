//! Sends events as webhook senders do: each is repeated until it is acknowledged.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hob::connection::http_client;
use reqwest::Client;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::processes::Addresses;
use crate::stand_in::StandIn;

/// Most events whose notes are not written yet, over all lanes. Enough that every lane has one waiting
/// behind the running one, few enough that the test ends soon.
const MAX_UNFINISHED: usize = 192;
/// A request that takes longer is sent again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// Pause before a retry.
const PAUSE: Duration = Duration::from_millis(10);
/// Interval of checks for room.
const CHECK_EVERY: Duration = Duration::from_millis(50);
/// Interval at which new FITR clients are created.
const CLIENT_EVERY: Duration = Duration::from_millis(400);

/// The numbers of the acknowledged events: by lane, in the order of acceptance.
pub type Accepted = Vec<Vec<u64>>;

/// Sends events. Lanes run in parallel; a lane's next event is sent when the one before is
/// acknowledged.
pub struct EventSender {
    stop: watch::Sender<bool>,
    accepted: Arc<Mutex<Accepted>>,
    tasks: JoinSet<()>,
}

/// What all lanes share.
#[derive(Clone)]
struct Lanes {
    client: Client,
    addresses: Addresses,
    sandbox: hob::sandbox::Sandbox,
    accepted: Arc<Mutex<Accepted>>,
    stop: watch::Receiver<bool>,
}

impl EventSender {
    /// Sends to the processes at `addresses` until [`Self::finish`].
    pub fn start(stand_in: &StandIn, addresses: Addresses, lanes: usize) -> Self {
        let (stop, stopped) = watch::channel(false);
        let accepted = Arc::new(Mutex::new(vec![Vec::new(); lanes]));
        let shared = Lanes {
            client: http_client(&Default::default()).unwrap(),
            addresses,
            sandbox: stand_in.sandbox.clone(),
            accepted: Arc::clone(&accepted),
            stop: stopped,
        };
        let mut tasks = JoinSet::new();
        let runtime = stand_in.runtime.handle();
        for lane in 0..lanes {
            tasks.spawn_on(shared.clone().feed(lane, lanes), runtime);
        }
        tasks.spawn_on(shared.clone().add_clients(stand_in.base_url("fitr")), runtime);
        Self { stop, accepted, tasks }
    }

    /// Number of events acknowledged so far.
    pub fn count(&self) -> usize {
        self.accepted.lock().unwrap().iter().map(Vec::len).sum()
    }

    /// Starts no new event, and waits until those that were sent are acknowledged.
    pub async fn finish(mut self) -> Accepted {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut self.accepted.lock().unwrap())
    }
}

impl Lanes {
    async fn feed(self, lane: usize, lanes: usize) {
        for number in (lane as u64..).step_by(lanes) {
            if !self.wait_for_room().await {
                return;
            }
            let event = json!({ "number": number, "lane": lane });
            let mut turn = usize::try_from(number).unwrap();
            while !self.post(&event, turn).await {
                turn += 1;
                tokio::time::sleep(PAUSE).await;
            }
            self.accepted.lock().unwrap()[lane].push(number);
        }
    }

    /// Waits until there is room for one more event; `false` once the sender is finishing.
    async fn wait_for_room(&self) -> bool {
        loop {
            if *self.stop.borrow() {
                return false;
            }
            let accepted: usize = self.accepted.lock().unwrap().iter().map(Vec::len).sum();
            let written = self.sandbox.counts("highlevel")["notes"];
            if accepted < written + MAX_UNFINISHED {
                return true;
            }
            tokio::time::sleep(CHECK_EVERY).await;
        }
    }

    /// Whether the event was acknowledged.
    async fn post(&self, event: &serde_json::Value, turn: usize) -> bool {
        let Some(address) = self.addresses.any(turn) else { return false };
        let request =
            self.client.post(format!("{address}/webhooks/form")).timeout(REQUEST_TIMEOUT).json(event);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => true,
            Ok(answer) if answer.status().as_u16() == 429 => false,
            Ok(answer) => panic!("an event is answered with {}", answer.status()),
            // No process is there, or it was killed: the event may be stored or not.
            Err(_) => false,
        }
    }

    /// Creates clients for the poll to find.
    async fn add_clients(self, base_url: String) {
        let auth = self.sandbox.credential("fitr").unwrap();
        let header = |name: &str| auth["header"][name].as_str().unwrap().to_owned();
        let mut stop = self.stop.clone();
        for number in 0.. {
            if tokio::time::timeout(CLIENT_EVERY, stop.wait_for(|stop| *stop)).await.is_ok() {
                return;
            }
            let (name, email) = (format!("Client {number}"), format!("client-{number}@example.com"));
            let client = json!({ "full_name": name, "email": email, "status": "Active" });
            let request =
                self.client.post(format!("{base_url}/clients")).header(header("name"), header("value"));
            // Not kept alive: a chaos run waits for all open connections to the stand-in to close.
            let answer = request.header("connection", "close").json(&client).send().await.unwrap();
            assert!(answer.status().is_success(), "a client is not added: {}", answer.status());
        }
    }
}
