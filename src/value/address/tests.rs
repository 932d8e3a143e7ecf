use proptest::prelude::*;

use super::*;

/// `<…>` marks a value, and `<=…>` an encoded one.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for part in text.split_inclusive('>') {
        let (written, filled) = part.split_once('<').map_or((part, None), |(a, b)| (a, Some(b)));
        let piece = |text: &str, origin, encoded| Piece { text: text.into(), origin, encoded, range: 0..0 };
        pieces.push(piece(written, Origin::Author, false));
        if let Some(filled) = filled.and_then(|filled| filled.strip_suffix('>')) {
            let encoded = filled.strip_prefix('=');
            pieces.push(piece(encoded.unwrap_or(filled), Origin::Outside, encoded.is_some()));
        }
    }
    pieces
}

fn filled(text: &str) -> Result<String, String> {
    let mark = |reach| if reach == Reach::Public { "public " } else { "" };
    fill(&pieces(text)).map(|a| format!("{}{}", mark(a.reach), a.text)).map_err(|unfit| unfit.reason)
}

#[test]
fn values_stay_in_their_part_of_the_address() {
    for (text, expected) in [
        ("https://a.test/c/<7>/t", "https://a.test/c/7/t"),
        ("https://a.test/c/<a/../b?c#d %é+>", "https://a.test/c/a%2F..%2Fb%3Fc%23d%20%25%C3%A9%2B"),
        ("https://a.test/c/<%2fx>", "https://a.test/c/%252fx"),
        ("https://a.test/c/<=a%2Fb>", "https://a.test/c/a%2Fb"),
        ("https://a.test/c/<=a/b>", "https://a.test/c/a%2Fb"),
        ("https://a.test/c/x-<>.json", "https://a.test/c/x-.json"),
        ("https://a.test\\c\\<a/b>", "https://a.test\\c\\a%2Fb"),
        ("https://a.test/?q=<a&b=c#>&n=<>", "https://a.test/?q=a%26b%3Dc%23&n="),
        ("https://a.test?<=q=a%20b&n=1>", "https://a.test?q=a%20b&n=1"),
        ("https://a.test#<?/>", "https://a.test#%3F%2F"),
        ("http<s>://a.test/", "https://a.test/"),
        ("<https://b.test/x/../y>", "public https://b.test/x/../y"),
        ("  <https://b.test/x>/<a/b>", "public   https://b.test/x/a%2Fb"),
        ("https://<eu-1>.a.test/", "public https://eu-1.a.test/"),
        ("http://localhost:<8080>/", "public http://localhost:8080/"),
        ("https:<b.test>/", "public https:b.test/"),
    ] {
        assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn values_that_change_the_path_are_rejected() {
    for (text, part) in [
        ("https://a.test/c/<>", "is empty"),
        ("https://a.test/c/<>/t", "is empty"),
        ("https://a.test/c/< >", "is blank"),
        ("https://a.test/c/<\t\u{200b}\u{2060}>", "is blank"),
        ("https://a.test/c/<%20>", "is blank"),
        ("https://a.test/c/<%25%32%30>", "is blank"),
        ("https://a.test/c/<..>/t", "must not be `..`"),
        ("https://a.test/c/<.>", "must not be `.`"),
        ("https://a.test/c/<%2e%2E>", "must not be `..`"),
        ("https://a.test/c/<%252e.>", "must not be `..`"),
        ("https://a.test/c/<=%2e%2e>", "must not be `..`"),
        ("https://a.test/c/<.><.>", "must not be `..`"),
        ("https://a.test/c/.<.>", "must not be `..`"),
        ("https://a.test/c/.\u{200b}<.>", "must not be `..`"),
        ("https://<a.test/>.b.test/", "is part of the host"),
        ("https://<evil.test#>.b.test/", "is part of the host"),
        ("https://a.test<@evil.test>/", "is part of the host"),
        ("https://<%31>.b.test/", "is part of the host"),
        ("https://<>.b.test/", "is empty"),
        ("ht<tp://evil.test/?>://a.test/", "is part of the scheme"),
    ] {
        let shown = filled(text).expect_err(text);
        assert!(shown.contains(part), "{text}: {shown}");
    }
}

proptest! {
    #[test]
    fn whatever_is_filled_in_the_rest_of_the_address_stays(text in any::<String>()) {
        let hole = |text: &str| Piece { text: text.into(), origin: Origin::Outside, encoded: false, range: 0..0 };
        let said = |text: &str| Piece { origin: Origin::Author, ..hole(text) };
        let whole = [said("https://a.test/c/"), hole(&text), said("/t?q="), hole(&text), said("&last=1")];
        if let Ok(address) = fill(&whole) {
            let url = url::Url::parse(&address.text).unwrap();
            prop_assert_eq!(url.host_str(), Some("a.test"));
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            prop_assert_eq!(segments.len(), 3);
            prop_assert_eq!(percent_decode_str(segments[1]).decode_utf8().unwrap(), text.as_str());
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(pairs, [("q".to_owned(), text), ("last".to_owned(), "1".to_owned())]);
            prop_assert_eq!(address.reach, Reach::Anywhere);
        }
    }
}
