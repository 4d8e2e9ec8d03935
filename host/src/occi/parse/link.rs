//! Parses `Link: </orchestrator/default?action=deploy>; rel="..."`. Entities here have no links of
//! their own; a client that sends back an entity as it received it sends the links of its actions,
//! so links are checked and then ignored.

use super::super::error::SyntaxError;
use super::category::parse_parameters;
use super::cursor::TextCursor;

/// A link as a client sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkHeader {
    /// Between the angle brackets.
    pub target: String,
    /// `rel`, `self`, `category` and attributes.
    pub parameters: Vec<(String, String)>,
}

/// The links of one header or line.
///
/// # Errors
/// The first place where the text breaks the grammar.
pub fn parse_links(text: &str) -> Result<Vec<LinkHeader>, SyntaxError> {
    let mut cursor = TextCursor::new(text);
    let mut links = Vec::new();
    loop {
        cursor.skip_blanks();
        if cursor.peek().is_none() {
            return Ok(links);
        }
        if cursor.take(',') {
            continue;
        }
        if !cursor.take('<') {
            return Err(cursor.syntax_error("'<' before the link's target"));
        }
        let target = cursor.take_while(|c| c != '>').to_owned();
        if !cursor.take('>') {
            return Err(cursor.syntax_error("'>' after the link's target"));
        }
        cursor.skip_blanks();
        let parameters = parse_parameters(&mut cursor)?;
        if !matches!(cursor.peek(), None | Some(',')) {
            return Err(cursor.syntax_error("';', ',' or the end"));
        }
        links.push(LinkHeader { target, parameters });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_entities_show_is_read_back() {
        let links = parse_links(
            "</orchestrator/default?action=deploy>; rel=\"s#deploy\", </x>; self=\"/y\"",
        )
        .unwrap();
        assert_eq!(links.len(), 2);
        assert_eq!(links[0].target, "/orchestrator/default?action=deploy");
        assert_eq!(
            links[0].parameters,
            [("rel".to_owned(), "s#deploy".to_owned())]
        );
        assert_eq!(links[1].target, "/x");
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, at) in [
            ("x", 1),
            ("<x", 3),
            ("<x>; rel", 9),
            ("<x> y", 5),
            ("<x>; rel=\"y", 10),
        ] {
            assert_eq!(parse_links(text).expect_err(text).at, at, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_the_parser(text in "[<>;=\", a-z]{0,40}") {
            let _ = parse_links(&text);
        }
    }
}
