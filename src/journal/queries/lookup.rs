//! Statements that look up several values at once.

/// Values per lookup. A fixed number, so that one prepared statement serves all.
const LOOKUP_SIZE: usize = 64;

/// The places of the parameters of a lookup, the first of which is `$first`.
pub(super) fn places(first: usize) -> String {
    let places: Vec<String> = (first..first + LOOKUP_SIZE).map(|place| format!("${place}")).collect();
    places.join(", ")
}

/// `all` in parts of the size of a lookup; the last one is padded by repeating its last value.
pub(super) fn lookups<T>(all: &[T]) -> impl Iterator<Item = impl Iterator<Item = &T>> {
    all.chunks(LOOKUP_SIZE)
        .map(|part| (0..LOOKUP_SIZE).filter_map(move |place| part.get(place).or(part.last())))
}
