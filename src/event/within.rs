//! Ids of records that are unique only within a parent: the parent's id and their own.

/// The id of the record with the id `record` within the parent `parent`.
pub fn within(parent: &str, record: &str) -> String {
    format!("{}/{record}", parent.replace('%', "%25").replace('/', "%2F"))
}

/// The parent's id and the record's own one, of an id made by [`within`].
pub fn apart(record: &str) -> Option<(String, &str)> {
    let (parent, record) = record.split_once('/')?;
    Some((parent.replace("%2F", "/").replace("%25", "%"), record))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ids_are_found_again() {
        for (parent, record) in [("c1", "n1"), ("a/b%2F", "n/1"), ("", "n")] {
            assert_eq!(apart(&within(parent, record)), Some((parent.to_owned(), record)));
        }
        assert_eq!(apart("n1"), None);
    }
}
