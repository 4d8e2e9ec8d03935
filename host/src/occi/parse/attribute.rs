//! Parses `X-OCCI-Attribute: name=value, name="value"` as Python's `shlex` does, which the Service
//! Orchestrators of hurtle use: the Service Manager and its clients send what OCCI's own grammar
//! does not allow, such as values without quotes.
//!
//! Items are separated by commas. Quotes, double or single, may stand anywhere and are taken away;
//! in double quotes a backslash stands before a quote or a backslash, outside quotes before any
//! character. Blanks around an item are dropped, blanks inside stay. Empty items are skipped (the
//! Service Manager begins with `, `), items of blanks alone are an error.

use super::super::error::SyntaxError;
use super::cursor::{TextCursor, is_blank};

/// The attributes of one header or line, in their order; duplicates are all there, the last one
/// counts.
///
/// # Errors
/// The first place where the text breaks the rules.
pub fn parse_attributes(text: &str) -> Result<Vec<(String, String)>, SyntaxError> {
    let mut cursor = TextCursor::new(text);
    let mut attributes = Vec::new();
    while cursor.peek().is_some() {
        if !cursor.take(',') {
            attributes.push(parse_item(&mut cursor)?);
            cursor.take(',');
        }
    }
    Ok(attributes)
}

/// Writes one attribute as a client may: quoted, with the backslashes that it needs.
pub fn write_attribute(name: &str, value: &str) -> String {
    format!(
        "{name}=\"{}\"",
        value.replace('\\', "\\\\").replace('"', "\\\"")
    )
}

/// One item; the cursor ends at the comma behind it.
fn parse_item(cursor: &mut TextCursor<'_>) -> Result<(String, String), SyntaxError> {
    cursor.skip_blanks();
    let start = *cursor;
    if matches!(cursor.peek(), None | Some(',')) {
        return Err(start.syntax_error("name=value"));
    }
    let name = parse_part(cursor, Some('='))?;
    let mut rest = None;
    if cursor.take('=') {
        cursor.skip_blanks();
        rest = Some(parse_part(cursor, None)?);
    }
    // The Python parser removed quotes before it looked for `=`, so the first `=` counts even in
    // quotes: `"name=value"`.
    let (name, value) = match (name.split_once('='), rest) {
        (Some((name, value)), None) => (name.to_owned(), value.to_owned()),
        (Some((name, value)), Some(rest)) => (name.to_owned(), format!("{value}={rest}")),
        (None, Some(rest)) => (name, rest),
        (None, None) => return Err(start.syntax_error("name=value")),
    };
    if name.is_empty() {
        Err(start.syntax_error("name=value"))
    } else {
        Ok((name, value))
    }
}

/// Reads up to an unquoted comma or `stop`, without the quotes, and without the blanks at the end
/// that no quote protects.
fn parse_part(cursor: &mut TextCursor<'_>, stop: Option<char>) -> Result<String, SyntaxError> {
    let mut text = String::new();
    let mut protected = 0;
    while let Some(c) = cursor.peek() {
        match c {
            ',' => break,
            _ if Some(c) == stop => break,
            '"' => text.push_str(&cursor.take_quoted("a quote")?),
            '\'' => take_single_quoted(cursor, &mut text)?,
            '\\' => {
                cursor.bump();
                text.push(
                    cursor
                        .bump()
                        .ok_or_else(|| cursor.syntax_error("a character after the backslash"))?,
                );
            }
            _ => {
                cursor.bump();
                text.push(c);
                if is_blank(c) {
                    continue;
                }
            }
        }
        protected = text.len();
    }
    text.truncate(protected);
    Ok(text)
}

fn take_single_quoted(cursor: &mut TextCursor<'_>, text: &mut String) -> Result<(), SyntaxError> {
    let start = *cursor;
    cursor.take('\'');
    text.push_str(cursor.take_while(|c| c != '\''));
    if cursor.take('\'') {
        Ok(())
    } else {
        Err(start.syntax_error("a closing quote for the one that stands here"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse_attributes(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    fn one(text: &str) -> (String, String) {
        let mut all = pairs(text);
        assert_eq!(all.len(), 1, "{text}");
        all.remove(0)
    }

    #[test]
    fn recorded_forms_are_read() {
        for (text, value) in [
            ("a=1", "1"),
            (", a=1", "1"),
            (",,a=1,", "1"),
            ("a=hello world", "hello world"),
            ("  a = 1\t", "1"),
            ("a=\"p, q\"", "p, q"),
            ("a='p, q'", "p, q"),
            ("a=\"x=y\"", "x=y"),
            ("a=x=y", "x=y"),
            (r#"a="say \"hi\"""#, r#"say "hi""#),
            (r#"a="c:\\d""#, r"c:\d"),
            (r#"a="c:\d""#, r"c:\d"),
            (r"a=it\'s", "it's"),
            ("a=\" kept \"", " kept "),
            ("a=", ""),
            ("a=\"\"", ""),
            ("a=x#y", "x#y"),
            ("a=http://h/#f", "http://h/#f"),
            ("a=p\"q, r\"s", "pq, rs"),
            ("\"a\"=1", "1"),
            ("\"a=1\"", "1"),
            ("'a=p, q'=1", "p, q=1"),
            ("a=\u{e9}", "\u{e9}"),
        ] {
            assert_eq!(one(text), ("a".to_owned(), value.to_owned()), "{text}");
        }
    }

    #[test]
    fn duplicates_and_several_items_keep_their_order() {
        let wanted =
            [("a", "1"), ("b", "2"), ("a", "3")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(pairs("a=1, b=2,a=3"), wanted);
        assert_eq!(pairs(""), []);
        assert_eq!(pairs(","), []);
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, at, expected) in [
            ("noequals", 1, "name=value"),
            ("a=1, noequals", 6, "name=value"),
            ("a=1, , b=2", 6, "name=value"),
            ("=1", 1, "name=value"),
            ("a=\"x", 3, "a closing quote for the one that stands here"),
            ("a=it's", 5, "a closing quote for the one that stands here"),
            (
                "a=\u{e9}\u{e9}, b='x",
                9,
                "a closing quote for the one that stands here",
            ),
            ("a=x\\", 5, "a character after the backslash"),
            ("a=\"x\\", 6, "a character after the backslash"),
        ] {
            let fault = parse_attributes(text).expect_err(text);
            assert_eq!((fault.at, fault.expected), (at, expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_the_parser(text in "\\PC*") {
            let _ = parse_attributes(&text);
        }

        #[test]
        fn syntax_heavy_text_does_not_end_it_either(text in "[a=\"', \\\\;#\t]{0,40}") {
            let _ = parse_attributes(&text);
        }

        #[test]
        fn what_is_written_is_read_back(values in proptest::collection::vec(("[a-z][a-z0-9._-]{0,20}", any::<String>()), 0..6)) {
            let text = values.iter().map(|(k, v)| write_attribute(k, v)).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(parse_attributes(&text).unwrap(), values);
        }
    }
}
