//! Batches writes: those that wait while others are under way go into one transaction, so that many share
//! the way to the server and to its disk. Nobody gets an answer before that.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::journal::Error;

use super::failure::Failure;
use super::server::Server;

/// Writes that may wait; beyond, writers wait to be let in.
const QUEUE: usize = 4096;

/// A write that can share a transaction with others of its kind.
pub(super) trait Job: Sized + Send + Sync + 'static {
    /// What it answers.
    type Answer: Send + 'static;

    /// How much of a group it takes up.
    fn size(&self) -> usize;

    /// Jobs with the same key are done one after the other.
    fn key(&self) -> Option<&str>;

    /// Does all in one transaction. `doubt` says that an earlier attempt at them may have been done, and
    /// is set when this one may.
    fn perform(
        server: &Server,
        jobs: &[Self],
        doubt: &mut bool,
    ) -> impl Future<Output = Result<Vec<Result<Self::Answer, Failure>>, Failure>> + Send;
}

struct Task<J: Job> {
    job: J,
    reply: oneshot::Sender<Result<J::Answer, Error>>,
}

/// The way to those who write.
pub(super) struct Batcher<J: Job> {
    server: Arc<Server>,
    inbox: Mutex<Option<mpsc::Sender<Task<J>>>>,
    writers: Mutex<Vec<JoinHandle<()>>>,
}

impl<J: Job> Batcher<J> {
    /// Starts `writers` of them, each with a group of its own under way, of up to `most` by size.
    pub(super) fn start(server: Arc<Server>, writers: usize, most: usize) -> Self {
        let (inbox, tasks) = mpsc::channel(QUEUE);
        let queue = Arc::new(Turn::new(Queue { tasks, left: None, most }));
        let work = |_| tokio::spawn(work(Arc::clone(&server), Arc::clone(&queue)));
        let writers = (0..writers).map(work).collect();
        Self { server, inbox: Mutex::new(Some(inbox)), writers: Mutex::new(writers) }
    }

    /// Does `job` and answers once that is on disk. All or nothing.
    pub(super) async fn perform(&self, job: J) -> Result<J::Answer, Error> {
        let stopped = || Failure::Closed.of(&self.server.name);
        let (reply, answer) = oneshot::channel();
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let inbox = inbox.ok_or_else(stopped)?;
        inbox.send(Task { job, reply }).await.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Takes nothing more; returns once what waits is done.
    pub(super) async fn close(&self) {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writers = std::mem::take(&mut *self.writers.lock().unwrap_or_else(PoisonError::into_inner));
        for writer in writers {
            // A panic there was shown there.
            let _ = writer.await;
        }
    }
}

/// What waits.
struct Queue<J: Job> {
    tasks: mpsc::Receiver<Task<J>>,
    /// It did not fit into the last group.
    left: Option<Task<J>>,
    most: usize,
}

impl<J: Job> Queue<J> {
    /// The next group; `None` once there will be no more.
    async fn next(&mut self) -> Option<Vec<Task<J>>> {
        let first = match self.left.take() {
            Some(left) => left,
            None => self.tasks.recv().await?,
        };
        let mut keys = HashSet::new();
        let (mut size, mut group) = (0, Vec::new());
        let mut next = Some(first);
        while let Some(task) = next {
            let fits = group.is_empty() || size + task.job.size() <= self.most;
            if !fits || task.job.key().is_some_and(|key| !keys.insert(key.to_owned())) {
                self.left = Some(task);
                break;
            }
            size += task.job.size();
            group.push(task);
            next = self.tasks.try_recv().ok();
        }
        Some(group)
    }
}

async fn work<J: Job>(server: Arc<Server>, queue: Arc<Turn<Queue<J>>>) {
    loop {
        let Some(group) = queue.lock().await.next().await else { return };
        let (jobs, replies): (Vec<J>, Vec<_>) = group.into_iter().map(|task| (task.job, task.reply)).unzip();
        for (answer, reply) in answers(&server, &jobs).await.into_iter().zip(replies) {
            // The caller may have given up; what was written stays.
            let _ = reply.send(answer);
        }
        // Those who have their answer come again at once: the next group is to have all of them in it,
        // not the first one alone.
        tokio::task::yield_now().await;
    }
}

/// Does `jobs` together or, if that fails for a reason of one of them, one by one.
async fn answers<J: Job>(server: &Server, jobs: &[J]) -> Vec<Result<J::Answer, Error>> {
    let store = &server.name;
    let mut doubt = false;
    let failure = match J::perform(server, jobs, &mut doubt).await {
        Ok(answers) => return answers.into_iter().map(|answer| answer.map_err(|f| f.of(store))).collect(),
        Err(failure) => failure,
    };
    if jobs.len() == 1 || failure.passes() || matches!(failure, Failure::Closed) {
        let error = failure.of(store);
        return jobs.iter().map(|_| Err(error.clone())).collect();
    }
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let mut doubt = doubt;
        let answer = match J::perform(server, std::slice::from_ref(job), &mut doubt).await {
            Ok(mut answers) => answers.pop().unwrap_or(Err(Failure::Closed)),
            Err(failure) => Err(failure),
        };
        answers.push(answer.map_err(|failure| failure.of(store)));
    }
    answers
}
