//! Percent-escapes values in responses, so that no value can end a line, a quote or an item and so
//! forge another header or attribute.
//!
//! The Service Manager takes an attribute header apart with `split(', ')` and `split('=')[1]`, and
//! what builds on it with `split(',')`. So a header's values hold no comma, no `=`, no quote, no
//! backslash and no byte that is not printable ASCII. Percent decoding gives the value back. JSON
//! carries values as they are.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What cannot stand between quotes on a line of text/plain. Everything that is not ASCII is
/// escaped always.
const LINE: &AsciiSet = &CONTROLS.add(b'%').add(b'"').add(b'\\');

/// What cannot stand in a header that is taken apart at commas and `=`.
const HEADER: &AsciiSet = &LINE.add(b',').add(b'=');

/// What cannot stand in an attribute's name.
const NAME: &AsciiSet = &HEADER.add(b' ').add(b'\'').add(b';').add(b'<').add(b'>');

/// What stands at the end of a value that was cut.
const CUT: &str = "...";

/// Escapes a value for one line of text/plain.
pub fn escape_line(value: &str) -> String {
    utf8_percent_encode(value, LINE).to_string()
}

/// Escapes a value for a header; it is cut behind `limit` bytes, which then end in `...`.
pub fn escape_header(value: &str, limit: usize) -> String {
    let mut text = String::with_capacity(value.len());
    for piece in utf8_percent_encode(value, HEADER) {
        if text.len() + piece.len() > limit {
            // The encoder yields either one escape or a run of plain bytes, so that a long piece
            // can be cut anywhere; what must not stay is an escape cut in half at the new end.
            let rest = limit.saturating_sub(text.len() + CUT.len());
            text.push_str(piece.get(..rest).unwrap_or_default());
            text.truncate(limit.saturating_sub(CUT.len()));
            let half = text.len()
                - text
                    .rfind('%')
                    .filter(|at| at + 3 > text.len())
                    .unwrap_or(text.len());
            text.truncate(text.len() - half);
            text.push_str(CUT);
            break;
        }
        text.push_str(piece);
    }
    text
}

/// Escapes an attribute's name, a term or a path, for a header or a line.
pub fn escape_name(name: &str) -> String {
    utf8_percent_encode(name, NAME).to_string()
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::super::super::parse::attribute::parse_attributes;
    use super::*;

    /// What the Service Manager does with an answer's attribute header, in its own order.
    fn service_manager(header: &str) -> Vec<(String, String)> {
        let split = header.split(", ").map(|item| {
            let parts: Vec<&str> = item.split('=').collect();
            (parts[0].to_owned(), parts[1].trim_matches('"').to_owned())
        });
        split.collect()
    }

    fn decoded(text: &str) -> String {
        percent_decode_str(text).decode_utf8().unwrap().into_owned()
    }

    #[test]
    fn plain_values_stay_as_they_are() {
        for value in [
            "RegionOne:9445a2fc",
            "http://198.51.100.7:9870/",
            "hadoop setup done 34 s",
            "N/A",
            "it's #1; $(x)",
        ] {
            assert_eq!(escape_header(value, 100), value);
            assert_eq!(escape_line(value), value);
        }
        assert_eq!(escape_header("p, q=r", 100), "p%2C q%3Dr");
        assert_eq!(escape_line("p, q=r"), "p, q=r");
    }

    #[test]
    fn long_values_are_cut_at_the_limit() {
        assert_eq!(escape_header(&"x".repeat(20), 20), "x".repeat(20));
        assert_eq!(escape_header(&"x".repeat(21), 20), "x".repeat(17) + "...");
        for limit in 0..30 {
            let text = escape_header("ab,cd\u{e9}efghijklm,,,,,,", limit);
            assert!(text.len() <= limit.max(CUT.len()), "{limit}: {text}");
            assert!(
                !decoded(&text.replace("%C3", "").replace("%A9", "")).contains('%'),
                "{limit}: {text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_value_splits_a_header_and_the_service_manager_reads_it(
            values in proptest::collection::vec((any::<String>(), any::<String>()), 1..5),
        ) {
            let text = values.iter().map(|(k, v)| format!("{}=\"{}\"", escape_name(k), escape_header(v, usize::MAX))).collect::<Vec<_>>().join(", ");
            prop_assert!(text.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert!(http::HeaderValue::from_str(&text).is_ok());
            let read: Vec<_> = service_manager(&text).into_iter().map(|(k, v)| (decoded(&k), decoded(&v))).collect();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn our_own_parser_reads_both_forms(key in "[a-z.]{1,9}", value in any::<String>()) {
            for written in [escape_line(&value), escape_header(&value, usize::MAX)] {
                prop_assert!(written.bytes().all(|b| (0x20..0x7f).contains(&b)));
                let read = parse_attributes(&format!("{key}=\"{written}\"")).unwrap();
                prop_assert_eq!(decoded(&read[0].1), value.clone());
            }
        }
    }
}
