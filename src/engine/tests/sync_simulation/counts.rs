//! What has happened in a simulation.

/// Counts of what has happened.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    /// What persons changed, made and deleted.
    pub(super) edits: usize,
    /// What hob wrote.
    pub(super) writes: usize,
    /// Writes that changed nothing.
    pub(super) idle_writes: usize,
    /// Writes of what nobody had said last.
    pub(super) stale_writes: usize,
    pub(super) reads: usize,
    pub(super) runs: usize,
    /// Requests that came too many in a window of time.
    pub(super) limited: usize,
    pub(super) failed: usize,
    pub(super) retried: usize,
    /// Runs that began again, as another one had settled the pair, or a step was tried again.
    pub(super) begun_again: usize,
    pub(super) suppressed: usize,
    /// Runs of events that showed only what hob wrote, and what earlier runs had dealt with.
    pub(super) echo_runs: usize,
    /// What those wrote that changed nothing. (They may make up for what an earlier run could not do.)
    pub(super) echo_writes: usize,
    /// The same of those that ran because two writes may have crossed, and had not.
    pub(super) precautions: usize,
    /// Records of one address on one side.
    pub(super) duplicates: usize,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.edits += other.edits;
        self.writes += other.writes;
        self.idle_writes += other.idle_writes;
        self.stale_writes += other.stale_writes;
        self.reads += other.reads;
        self.runs += other.runs;
        self.limited += other.limited;
        self.failed += other.failed;
        self.retried += other.retried;
        self.begun_again += other.begun_again;
        self.suppressed += other.suppressed;
        self.echo_runs += other.echo_runs;
        self.echo_writes += other.echo_writes;
        self.precautions += other.precautions;
        self.duplicates += other.duplicates;
    }
}
