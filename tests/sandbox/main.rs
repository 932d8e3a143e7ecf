//! The stand-in as a server, with requests built directly from the catalog.

mod client;
mod every_operation;
mod faults;
mod paging;
mod refusals;
mod round_trips;
mod writing;
