//! Batches writes: those that queue while others are in progress share one transaction, and with it the round trip
//! and the sync to disk. Answers are sent after the commit.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::journal::Error;

use super::failure::Failure;
use super::server::Server;

/// Queued writes; beyond this, callers wait.
const QUEUE: usize = 4096;

/// A write that can share a transaction with others of its kind.
pub(super) trait Job: Sized + Send + Sync + 'static {
    /// Its result.
    type Answer: Send + 'static;

    /// Its size towards the limit of a group.
    fn size(&self) -> usize;

    /// Jobs with the same key are never in one group.
    fn key(&self) -> Option<&str>;

    /// Performs all jobs in one transaction. `maybe_done` is true if an earlier attempt may have been committed, and is
    /// set if this one may have been.
    fn perform(
        server: &Server,
        jobs: &[Self],
        maybe_done: &mut bool,
    ) -> impl Future<Output = Result<Vec<Result<Self::Answer, Failure>>, Failure>> + Send;
}

struct Task<J: Job> {
    job: J,
    reply: oneshot::Sender<Result<J::Answer, Error>>,
}

/// The handle of the batcher.
pub(super) struct Batcher<J: Job> {
    server: Arc<Server>,
    inbox: Mutex<Option<mpsc::Sender<Task<J>>>>,
    writers: Mutex<Vec<JoinHandle<()>>>,
}

impl<J: Job> Batcher<J> {
    /// Starts `writers` tasks, each with one group in progress, of a size up to `most`.
    pub(super) fn start(server: Arc<Server>, writers: usize, most: usize) -> Self {
        let (inbox, tasks) = mpsc::channel(QUEUE);
        let queue = Arc::new(Turn::new(Queue { tasks, left: None, most }));
        let work = |_| tokio::spawn(work(Arc::clone(&server), Arc::clone(&queue)));
        let writers = (0..writers).map(work).collect();
        Self { server, inbox: Mutex::new(Some(inbox)), writers: Mutex::new(writers) }
    }

    /// Performs `job`; returns once it is on disk. All or nothing.
    pub(super) async fn perform(&self, job: J) -> Result<J::Answer, Error> {
        let stopped = || Failure::Closed.into_error(&self.server.name);
        let (reply, answer) = oneshot::channel();
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let inbox = inbox.ok_or_else(stopped)?;
        inbox.send(Task { job, reply }).await.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Accepts no more jobs; returns once the queued ones are done.
    pub(super) async fn close(&self) {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writers = std::mem::take(&mut *self.writers.lock().unwrap_or_else(PoisonError::into_inner));
        for writer in writers {
            // A panic in the task was reported there.
            let _ = writer.await;
        }
    }
}

/// The queue.
struct Queue<J: Job> {
    tasks: mpsc::Receiver<Task<J>>,
    /// The job that did not fit into the last group.
    left: Option<Task<J>>,
    most: usize,
}

impl<J: Job> Queue<J> {
    /// The next group; `None` when the queue is closed and empty.
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
            // The caller may have given up; the write stays.
            let _ = reply.send(answer);
        }
        // Callers with an answer write again at once: yield so that the next group includes all of them.
        tokio::task::yield_now().await;
    }
}

/// Performs `jobs` together or, if one of them causes a failure, one by one.
async fn answers<J: Job>(server: &Server, jobs: &[J]) -> Vec<Result<J::Answer, Error>> {
    let store = &server.name;
    let mut maybe_done = false;
    let failure = match J::perform(server, jobs, &mut maybe_done).await {
        Ok(answers) => {
            return answers.into_iter().map(|answer| answer.map_err(|f| f.into_error(store))).collect();
        }
        Err(failure) => failure,
    };
    if jobs.len() == 1 || failure.is_transient() || matches!(failure, Failure::Closed) {
        let error = failure.into_error(store);
        return jobs.iter().map(|_| Err(error.clone())).collect();
    }
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let mut maybe_done = maybe_done;
        let answer = match J::perform(server, std::slice::from_ref(job), &mut maybe_done).await {
            Ok(mut answers) => answers.pop().unwrap_or(Err(Failure::Closed)),
            Err(failure) => Err(failure),
        };
        answers.push(answer.map_err(|failure| failure.into_error(store)));
    }
    answers
}
