//! The grammar of OCCI's text renderings, as the clients of hurtle write it: nothing here knows
//! HTTP or a cluster.
//!
//! Layout
//! - [`attribute`]: `name=value, name="value"`
//! - [`category`]: `term; scheme="..."; class="kind"`
//! - [`link`]: `</path>; rel="..."`
//! - [`escape`]: values in headers and back

pub mod attribute;
pub mod category;
pub mod escape;
pub mod link;

/// What is wrong with a text and where. The caller knows which header or line the text came from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("character {at}: found {found}, expected {expected}")]
pub struct SyntaxError {
    /// The character's place in the text, from 1.
    pub at: usize,
    /// What stands there: a character in quotes, or `the end`.
    pub found: String,
    /// What could stand there.
    pub expected: &'static str,
}

/// A place in a text.
#[derive(Clone, Copy)]
pub(crate) struct TextCursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> TextCursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    pub(crate) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes the character when it is the next one.
    pub(crate) fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.at += wanted.len_utf8();
        }
        there
    }

    pub(crate) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.bump();
        }
        &self.text[start..self.at]
    }

    pub(crate) fn skip_blanks(&mut self) {
        self.take_while(is_blank);
    }

    /// The fault of finding here something else than what is expected.
    pub(crate) fn fault(&self, expected: &'static str) -> SyntaxError {
        let found = self
            .peek()
            .map_or_else(|| "the end".to_owned(), |c| format!("{c:?}"));
        SyntaxError {
            at: self.text[..self.at].chars().count() + 1,
            found,
            expected,
        }
    }

    /// A text in double quotes, in which a backslash may stand before a quote and a backslash. The
    /// cursor is at the first quote.
    ///
    /// # Errors
    /// There is no such text, or it does not end.
    pub(crate) fn quoted(&mut self, expected: &'static str) -> Result<String, SyntaxError> {
        let start = *self;
        if !self.take('"') {
            return Err(start.fault(expected));
        }
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return Err(start.fault("a closing quote for the one that stands here")),
                Some('"') => return Ok(text),
                Some('\\') => match self.bump() {
                    None => return Err(self.fault("a character after the backslash")),
                    Some(c @ ('"' | '\\')) => text.push(c),
                    Some(c) => text.extend(['\\', c]),
                },
                Some(c) => text.push(c),
            }
        }
    }
}

/// What may stand around items: a blank or a tab.
pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}
