//! Two systems that two recipes keep equal: whatever is edited at once, lost, late, doubled or out of order, both are
//! equal in the end. Time, systems and journal are simulated; what is decided, and from what, is the real thing.

mod counts;
mod engine;
mod environment;
mod generated;
mod links;
mod memory;
mod plain;
mod random;
mod recipes;
mod seeds;
mod timeline;
