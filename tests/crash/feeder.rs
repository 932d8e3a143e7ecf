//! Sends events as their senders do: again and again, until each is acknowledged.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hob::connection::http_client;
use reqwest::Client;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::fleet::Addresses;
use crate::stand_in::StandIn;

/// Events whose notes are not written yet, over all lanes. Enough that every lane has one waiting
/// behind the one that runs, few enough that the end comes soon.
const UNFINISHED: usize = 192;
/// Whoever does not answer in this time is asked again.
const PATIENCE: Duration = Duration::from_secs(1);
/// Before it is tried again.
const PAUSE: Duration = Duration::from_millis(10);
/// Between two looks at how far the runs are.
const LOOK: Duration = Duration::from_millis(50);
/// A new client every so often.
const CLIENT_EVERY: Duration = Duration::from_millis(400);

/// The numbers of the events that were acknowledged: by lane, each lane in the order of acceptance.
pub type Accepted = Vec<Vec<u64>>;

/// Events on their way. Lanes go side by side; a lane's next event is sent when the one before is
/// acknowledged.
pub struct Feeder {
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

impl Feeder {
    /// Feeds whoever listens at `addresses`, until it is told to stop.
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

    /// How many events were acknowledged so far.
    pub fn count(&self) -> usize {
        self.accepted.lock().unwrap().iter().map(Vec::len).sum()
    }

    /// Begins no new event, and waits until those that were sent are acknowledged.
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
            if !self.may_go_on().await {
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

    /// Waits until there is room for one more event; `false` when there shall be none.
    async fn may_go_on(&self) -> bool {
        loop {
            if *self.stop.borrow() {
                return false;
            }
            let accepted: usize = self.accepted.lock().unwrap().iter().map(Vec::len).sum();
            let written = self.sandbox.counts("highlevel")["notes"];
            if accepted < written + UNFINISHED {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether the event was acknowledged.
    async fn post(&self, event: &serde_json::Value, turn: usize) -> bool {
        let Some(address) = self.addresses.any(turn) else { return false };
        let request = self.client.post(format!("{address}/webhooks/form")).timeout(PATIENCE).json(event);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => true,
            Ok(answer) if answer.status().as_u16() == 429 => false,
            Ok(answer) => panic!("an event is answered with {}", answer.status()),
            // Nobody is there, or whoever was there is gone: it may be stored or not.
            Err(_) => false,
        }
    }

    /// Clients for the poll to find.
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
            // Not kept open: whoever waits for a killed program's connections to end would wait for this one.
            let answer = request.header("connection", "close").json(&client).send().await.unwrap();
            assert!(answer.status().is_success(), "a client is not added: {}", answer.status());
        }
    }
}
