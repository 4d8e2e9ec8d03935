//! A cursor over one line of OCCI text: single characters, quoted texts and blanks, with positions
//! for error messages. The parsers of attributes, categories and links share it, so that a quote
//! means the same in all of them.

use super::super::error::SyntaxError;

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

    /// Takes the character if it is the next one; says whether it was.
    pub(crate) fn take(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.at += wanted.len_utf8();
        }
        is_next
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

    /// The error for a text that goes on here with something else than what is expected.
    pub(crate) fn syntax_error(&self, expected: &'static str) -> SyntaxError {
        let found = self
            .peek()
            .map_or_else(|| "the end".to_owned(), |c| format!("{c:?}"));
        SyntaxError {
            at: self.text[..self.at].chars().count() + 1,
            found,
            expected,
        }
    }

    /// Takes a text in double quotes, in which a backslash may stand before a quote and a
    /// backslash. The cursor is at the first quote.
    ///
    /// # Errors
    /// There is no such text, or it does not end.
    pub(crate) fn take_quoted(&mut self, expected: &'static str) -> Result<String, SyntaxError> {
        let start = *self;
        if !self.take('"') {
            return Err(start.syntax_error(expected));
        }
        let mut text = String::new();
        loop {
            match self.bump() {
                None => {
                    return Err(start.syntax_error("a closing quote for the one that stands here"));
                }
                Some('"') => return Ok(text),
                Some('\\') => match self.bump() {
                    None => return Err(self.syntax_error("a character after the backslash")),
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
