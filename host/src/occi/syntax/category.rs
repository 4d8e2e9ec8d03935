//! `Category: term; scheme="http://...#"; class="kind"`, several separated by commas.

use super::{SyntaxError, TextCursor};

/// A category as a client names it. Class, location and the rest may be there; only term and scheme
/// tell which it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Category {
    /// `orchestrator`.
    pub term: String,
    /// Ends in `#`.
    pub scheme: String,
}

impl Category {
    /// Scheme and term in one, as JSON and `rel` write it.
    pub fn identifier(&self) -> String {
        format!("{}{}", self.scheme, self.term)
    }
}

/// A category with everything that its client says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CategoryDefinition {
    /// Which it is.
    pub category: Category,
    /// `class`, `rel`, `location` and the others, the scheme among them.
    pub parameters: Vec<(String, String)>,
}

impl CategoryDefinition {
    /// The parameter of this name, the last of several.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .rev()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The categories of one header or line.
///
/// # Errors
/// The first place where the text breaks the grammar.
pub fn parse(text: &str) -> Result<Vec<CategoryDefinition>, SyntaxError> {
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
        categories.push(one(&mut cursor)?);
        match cursor.peek() {
            None | Some(',') => {}
            Some(_) => return Err(cursor.fault("';', ',' or the end")),
        }
    }
}

fn one(cursor: &mut TextCursor<'_>) -> Result<CategoryDefinition, SyntaxError> {
    let term = cursor.take_while(is_token).to_owned();
    if term.is_empty() {
        return Err(cursor.fault("a category's term"));
    }
    cursor.skip_blanks();
    let parameters = parameters(cursor)?;
    let scheme = parameters.iter().rev().find(|(name, _)| name == "scheme");
    let Some((_, scheme)) = scheme.filter(|(_, text)| !text.is_empty()) else {
        // The text that the Python Service Orchestrator had for it stays in the answer.
        return Err(cursor.fault("; scheme=\"...\" (Could not determine the value for: scheme)"));
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
pub(super) fn parameters(
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
            return Err(cursor.fault("a parameter's name"));
        }
        if !cursor.take('=') {
            return Err(cursor.fault("'=' after the parameter's name"));
        }
        cursor.skip_blanks();
        let value = match cursor.peek() {
            Some('"') => cursor.quoted("a quote")?,
            _ if name == "scheme" => {
                return Err(cursor.fault("a quote (Could not determine the value for: scheme)"));
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

/// Whether a category can be called so: what stands before the scheme in text.
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
        parse(text)
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
        assert_eq!(parse(""), Ok(vec![]));
        let described = parse("a; scheme=\"s#\"; class=mixin; location=\"/a/\"; location=\"/b/\"")
            .unwrap()
            .remove(0);
        assert_eq!(
            (
                described.get("class"),
                described.get("location"),
                described.get("rel")
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
            assert_eq!(parse(text).expect_err(text).at, at, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_the_parser(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn every_scheme_is_read_back(term in "[a-z][a-z0-9_-]{0,10}", scheme in "[^\\x00]{1,30}") {
            let text = format!("{term}; scheme=\"{}\"", scheme.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(categories(&text), vec![Category { term, scheme }]);
        }
    }
}
