//! Whether an API kept what it accepted: the fields that were sent, compared with the record that the answer shows.
//! What cannot be compared is not judged: a false alarm is worse than a miss.

mod compare;
mod comparison;
mod differences;
mod named;
mod text;

pub use differences::differences;

#[cfg(test)]
mod tests;
