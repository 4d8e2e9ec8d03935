//! Makes text that others wrote safe to print: a node, a plugin, Heat, another user of the project.
//! What a terminal would act on (control characters, escape sequences, changes of the writing
//! direction) and what it would not show is written out: `\u{1b}`. A newline is too, so that one
//! field stays one line. No I/O.

use std::fmt::{self, Write as _};

/// Text of somebody else, on one line.
pub(super) struct ForeignText<'a>(pub(super) &'a str);

impl fmt::Display for ForeignText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if is_printable(c) {
                f.write_char(c)?;
            } else {
                write!(f, "{}", c.escape_debug())?;
            }
        }
        Ok(())
    }
}

/// A JSON document with the same characters escaped as JSON does it. Its own line breaks, which are
/// no part of a string, stay.
pub(super) fn escape_json(document: &str) -> String {
    let mut safe = String::with_capacity(document.len());
    for c in document.chars() {
        if c == '\n' || is_printable(c) {
            safe.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    }
    safe
}

/// Whether a terminal shows it, and nothing else.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // The standard library has the table: it escapes what is control, format (bidirectional
    // overrides, zero width), private or unassigned. A mark that joins the character before it is
    // escaped only where there is none.
    let joined = ['a', c].iter().collect::<String>();
    joined.escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        ForeignText(text).to_string()
    }

    #[test]
    fn what_a_terminal_acts_on_is_written_out() {
        for (text, wanted) in [
            ("\u{1b}[31mred\u{1b}[0m", r"\u{1b}[31mred\u{1b}[0m"),
            ("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("a\rb\nc\td", r"a\rb\nc\td"),
            ("\u{202e}gpj.exe", r"\u{202e}gpj.exe"),
            (
                "\u{2066}x\u{2069}\u{200f}\u{61c}",
                r"\u{2066}x\u{2069}\u{200f}\u{61c}",
            ),
            ("a\u{200b}b\u{feff}", r"a\u{200b}b\u{feff}"),
            ("a\u{2028}b\u{2029}", r"a\u{2028}b\u{2029}"),
            ("\u{e0041}\u{7f}\0", r"\u{e0041}\u{7f}\0"),
        ] {
            assert_eq!(shown(text), wanted);
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "worker-1: \"x\" 'y' \\ `z`",
            "Zürich 東京 Ελλάδα",
            "e\u{301}té",
            "שלום",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn json_stays_json_and_says_the_same() {
        let value = serde_json::json!({"text": "\u{1b}[2J\u{202e}\u{9b}\n\u{7f}\u{e0041} Zürich"});
        let safe = escape_json(&serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
            value
        );
        assert!(safe.chars().all(|c| c == '\n' || is_printable(c)), "{safe}");
        assert!(safe.contains("Zürich"));
    }
}
