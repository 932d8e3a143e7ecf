//! hob in the test's own process, struck in every place once: at each write of its journal and at
//! each request. Each time it ends as if nothing had happened, or parked where nothing can tell.

mod bench;
mod everywhere;
mod journal;
mod requests;
mod trial;
mod writes;
