//! `X-OCCI-Attribute: name=value, name="value"`, by the rules that the Service Manager and its
//! clients rely on.
//!
//! Items are separated by commas. Quotes, double or single, may stand anywhere and are taken away;
//! in double quotes a backslash stands before a quote or a backslash, outside quotes before any
//! character. Blanks around an item are dropped, blanks inside stay. Empty items are nothing (the
//! Service Manager begins with `, `), items of blanks alone are a mistake.

use super::{SyntaxError, TextCursor, is_blank};

/// The attributes of one header or line, in their order; duplicates are all there, the last one
/// counts.
///
/// # Errors
/// The first place where the text breaks the rules.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, SyntaxError> {
    let mut cursor = TextCursor::new(text);
    let mut attributes = Vec::new();
    while cursor.peek().is_some() {
        if !cursor.take(',') {
            attributes.push(item(&mut cursor)?);
            cursor.take(',');
        }
    }
    Ok(attributes)
}

/// One attribute as a client may write it: quoted, with the backslashes that it needs.
pub fn write(name: &str, value: &str) -> String {
    format!(
        "{name}=\"{}\"",
        value.replace('\\', "\\\\").replace('"', "\\\"")
    )
}

/// One item; the cursor ends at the comma behind it.
fn item(cursor: &mut TextCursor<'_>) -> Result<(String, String), SyntaxError> {
    cursor.skip_blanks();
    let start = *cursor;
    if matches!(cursor.peek(), None | Some(',')) {
        return Err(start.fault("name=value"));
    }
    let name = part(cursor, Some('='))?;
    let mut rest = None;
    if cursor.take('=') {
        cursor.skip_blanks();
        rest = Some(part(cursor, None)?);
    }
    // The first `=` counts even where quotes stand around it: `"name=value"`.
    let (name, value) = match (name.split_once('='), rest) {
        (Some((name, value)), None) => (name.to_owned(), value.to_owned()),
        (Some((name, value)), Some(rest)) => (name.to_owned(), format!("{value}={rest}")),
        (None, Some(rest)) => (name, rest),
        (None, None) => return Err(start.fault("name=value")),
    };
    if name.is_empty() {
        Err(start.fault("name=value"))
    } else {
        Ok((name, value))
    }
}

/// Reads up to an unquoted comma or `stop`, without the quotes, and without the blanks at the end
/// that no quote protects.
fn part(cursor: &mut TextCursor<'_>, stop: Option<char>) -> Result<String, SyntaxError> {
    let mut text = String::new();
    let mut protected = 0;
    while let Some(c) = cursor.peek() {
        match c {
            ',' => break,
            _ if Some(c) == stop => break,
            '"' => text.push_str(&cursor.quoted("a quote")?),
            '\'' => single_quoted(cursor, &mut text)?,
            '\\' => {
                cursor.bump();
                text.push(
                    cursor
                        .bump()
                        .ok_or_else(|| cursor.fault("a character after the backslash"))?,
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

fn single_quoted(cursor: &mut TextCursor<'_>, text: &mut String) -> Result<(), SyntaxError> {
    let start = *cursor;
    cursor.take('\'');
    text.push_str(cursor.take_while(|c| c != '\''));
    if cursor.take('\'') {
        Ok(())
    } else {
        Err(start.fault("a closing quote for the one that stands here"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
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
            let fault = parse(text).expect_err(text);
            assert_eq!((fault.at, fault.expected), (at, expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_the_parser(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn syntax_heavy_text_does_not_end_it_either(text in "[a=\"', \\\\;#\t]{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_written_is_read_back(values in proptest::collection::vec(("[a-z][a-z0-9._-]{0,20}", any::<String>()), 0..6)) {
            let text = values.iter().map(|(k, v)| write(k, v)).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(parse(&text).unwrap(), values);
        }
    }
}
