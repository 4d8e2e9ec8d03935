//! Parses `Category: term; scheme="http://...#"; class="kind"`, several separated by commas. Only
//! the scheme is required: term and scheme tell which category it is.

use super::super::error::SyntaxError;
use super::super::terms::{Category, CategoryDefinition};
use super::cursor::TextCursor;

/// The categories of one header or line.
///
/// # Errors
/// The first place where the text breaks the grammar.
pub fn parse_categories(text: &str) -> Result<Vec<CategoryDefinition>, SyntaxError> {
    let mut cursor = TextCursor::new(text);
    let mut categories = Vec::new();
    loop {
        cursor.skip_blanks();
        if cursor.peek().is_none() {
            return Ok(categories);
        }
        if cursor.take(',') {
            continue;
        }
        categories.push(parse_category(&mut cursor)?);
        match cursor.peek() {
            None | Some(',') => {}
            Some(_) => return Err(cursor.syntax_error("';', ',' or the end")),
        }
    }
}

fn parse_category(cursor: &mut TextCursor<'_>) -> Result<CategoryDefinition, SyntaxError> {
    let term = cursor.take_while(is_token).to_owned();
    if term.is_empty() {
        return Err(cursor.syntax_error("a category's term"));
    }
    cursor.skip_blanks();
    let parameters = parse_parameters(cursor)?;
    let scheme = parameters.iter().rev().find(|(name, _)| name == "scheme");
    let Some((_, scheme)) = scheme.filter(|(_, text)| !text.is_empty()) else {
        // The text in brackets is the Python Service Orchestrator's, as recorded.
        return Err(
            cursor.syntax_error("; scheme=\"...\" (Could not determine the value for: scheme)")
        );
    };
    let category = Category {
        term,
        scheme: scheme.clone(),
    };
    Ok(CategoryDefinition {
        category,
        parameters,
    })
}

/// `; name="value"; name=value`, as categories and links carry them. A value without quotes is a
/// token; `scheme` has quotes.
///
/// # Errors
/// The first place where the text breaks the grammar.
pub(super) fn parse_parameters(
    cursor: &mut TextCursor<'_>,
) -> Result<Vec<(String, String)>, SyntaxError> {
    let mut parameters = Vec::new();
    while cursor.take(';') {
        cursor.skip_blanks();
        if matches!(cursor.peek(), None | Some(',' | ';')) {
            continue;
        }
        let name = cursor.take_while(is_token).to_owned();
        cursor.skip_blanks();
        if name.is_empty() {
            return Err(cursor.syntax_error("a parameter's name"));
        }
        if !cursor.take('=') {
            return Err(cursor.syntax_error("'=' after the parameter's name"));
        }
        cursor.skip_blanks();
        let value = match cursor.peek() {
            Some('"') => cursor.take_quoted("a quote")?,
            _ if name == "scheme" => {
                return Err(
                    cursor.syntax_error("a quote (Could not determine the value for: scheme)")
                );
            }
            _ => cursor
                .take_while(|c| !matches!(c, ';' | ',' | '"' | ' ' | '\t'))
                .to_owned(),
        };
        cursor.skip_blanks();
        parameters.push((name, value));
    }
    Ok(parameters)
}

/// Whether text can be the term of a category.
pub fn is_term(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token)
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/' | '+' | '~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn categories(text: &str) -> Vec<Category> {
        parse_categories(text)
            .unwrap()
            .into_iter()
            .map(|described| described.category)
            .collect()
    }

    fn category(term: &str, scheme: &str) -> Category {
        Category {
            term: term.into(),
            scheme: scheme.into(),
        }
    }

    #[test]
    fn forms_that_clients_send_are_read() {
        for text in [
            "a; scheme=\"s#\"",
            "a;scheme=\"s#\"",
            "a; scheme=\"s#\"; class=\"kind\"",
            "a; class=kind; scheme=\"s#\";",
            " a ; scheme = \"s#\" ; rel=\"r#x\"; location=\"http://h/a/\"; attributes=\"x{immutable} y\"; actions=\"s#d s#p\"",
            ", a; scheme=\"s#\" ,",
        ] {
            assert_eq!(categories(text), [category("a", "s#")], "{text}");
        }
        assert_eq!(
            categories("a; scheme=\"s#\", b; scheme=\"t,u#\""),
            [category("a", "s#"), category("b", "t,u#")]
        );
        assert_eq!(parse_categories(""), Ok(vec![]));
        let described =
            parse_categories("a; scheme=\"s#\"; class=mixin; location=\"/a/\"; location=\"/b/\"")
                .unwrap()
                .remove(0);
        assert_eq!(
            (
                described.parameter("class"),
                described.parameter("location"),
                described.parameter("rel")
            ),
            (Some("mixin"), Some("/b/"), None)
        );
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, at) in [
            ("a", 2),
            ("a; class=\"kind\"", 16),
            ("a; scheme=s#", 11),
            ("a; scheme=\"s#", 11),
            ("a; scheme", 10),
            ("a; scheme=\"\"", 13),
            ("; scheme=\"s#\"", 1),
            ("a b; scheme=\"s#\"", 3),
            ("a; scheme=\"s#\" x", 16),
            ("a; =\"s#\"", 4),
        ] {
            assert_eq!(parse_categories(text).expect_err(text).at, at, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_the_parser(text in "\\PC*") {
            let _ = parse_categories(&text);
        }

        #[test]
        fn every_scheme_is_read_back(term in "[a-z][a-z0-9_-]{0,10}", scheme in "[^\\x00]{1,30}") {
            let text = format!("{term}; scheme=\"{}\"", scheme.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(categories(&text), vec![Category { term, scheme }]);
        }
    }
}
