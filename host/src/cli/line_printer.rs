//! What commands print through. Every line is escaped here, whoever wrote what is in it, so that no
//! command can forget it; logs and errors pass through the same.

use std::{
    fmt,
    io::{self, Write},
};

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use super::foreign_text::{ForeignText, escape_json};

/// What writing to a terminal fails with that was closed; for a file it means a disk that fails.
const EIO: i32 = 5;

/// Prints lines for people, or a JSON document. A reader who has gone away (`stampede list | head`)
/// ends the printing and not the command: what it does in the cloud goes on, and its exit code says
/// how that ended.
pub struct LinePrinter<'a> {
    out: &'a mut dyn Write,
    is_unread: bool,
    is_terminal: bool,
    /// Whether lines go to standard error, since a document is to come.
    is_for_document: bool,
}

impl<'a> LinePrinter<'a> {
    /// Prints there.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            is_unread: false,
            is_terminal: false,
            is_for_document: false,
        }
    }

    /// It prints on a terminal, which may be closed.
    #[must_use]
    pub(super) fn on_terminal(mut self, is_terminal: bool) -> Self {
        self.is_terminal = is_terminal;
        self
    }

    /// From now on a document is all that is printed here; lines go to standard error.
    pub(super) fn keep_for_document(&mut self) {
        self.is_for_document = true;
    }

    /// One line, for `writeln!`: whatever is in it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_fmt(&mut self, line: fmt::Arguments<'_>) -> io::Result<()> {
        let text = line.to_string();
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let line = format!("{}\n", ForeignText(text));
        if self.is_for_document {
            // Nobody waits for these lines.
            let _ = io::stderr().write_all(line.as_bytes());
            return Ok(());
        }
        self.write(&line)
    }

    /// A document for programs.
    pub(super) fn print_json(&mut self, document: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(document)?;
        self.write(&format!("{}\n", escape_json(&text)))?;
        Ok(self.flush()?)
    }

    /// The same as YAML, whose writer escapes control characters itself.
    pub(super) fn print_yaml(&mut self, document: &Value) -> Result<()> {
        let text = serde_saphyr::to_string(document)?;
        for line in text.lines() {
            self.print_text(line)?;
        }
        Ok(self.flush()?)
    }

    /// A line of what programs read.
    pub(super) fn print_text(&mut self, line: &str) -> Result<()> {
        Ok(self.write(&format!("{}\n", ForeignText(line)))?)
    }

    /// A text of our own, as it is: what clap has made.
    pub(super) fn print_own(&mut self, text: &[u8]) -> io::Result<()> {
        let written = self.out.write_all(text);
        self.unless_unread(written)
    }

    /// Shows what was printed so far.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.unless_unread(flushed)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        if self.is_unread {
            return Ok(());
        }
        let written = self.out.write_all(text.as_bytes());
        self.unless_unread(written)
    }

    fn unless_unread(&mut self, outcome: io::Result<()>) -> io::Result<()> {
        match outcome {
            Err(error)
                if error.kind() == io::ErrorKind::BrokenPipe
                    || (self.is_terminal && error.raw_os_error() == Some(EIO)) =>
            {
                self.is_unread = true;
                Ok(())
            }
            other => other,
        }
    }
}

/// The log on standard error: an event stays one line, whatever was logged.
pub(super) struct SafeLog;

impl<'a> MakeWriter<'a> for SafeLog {
    type Writer = SafeLogEvent;

    fn make_writer(&'a self) -> SafeLogEvent {
        SafeLogEvent
    }
}

/// Takes one event.
pub(super) struct SafeLogEvent;

impl Write for SafeLogEvent {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        // There is nobody left to tell, and whoever logs must not end for it.
        let _ = io::stderr().write_all(safe_event(event).as_bytes());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}

fn safe_event(event: &[u8]) -> String {
    let text = String::from_utf8_lossy(event);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    format!("{}\n", ForeignText(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct GoneReader;

    impl Write for GoneReader {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_line_stays_a_line_whoever_wrote_it() {
        let mut out = Vec::new();
        let mut printer = LinePrinter::new(&mut out);
        let reason = "failed\nstate  active\u{1b}[2J";
        writeln!(printer, "state  {reason}").unwrap();
        writeln!(printer).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "state  failed\\nstate  active\\u{1b}[2J\n\n"
        );
    }

    #[test]
    fn a_reader_who_goes_away_is_no_failure_and_a_full_disk_is() {
        let mut gone = GoneReader;
        let mut printer = LinePrinter::new(&mut gone);
        writeln!(printer, "x").unwrap();
        printer.flush().unwrap();
        let mut full: &mut [u8] = &mut [];
        assert!(writeln!(LinePrinter::new(&mut full), "x").is_err());
    }

    #[test]
    fn a_terminal_that_was_closed_is_no_failure_and_a_disk_that_fails_is() {
        struct FailingDevice;

        impl Write for FailingDevice {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(EIO))
            }

            fn flush(&mut self) -> io::Result<()> {
                Err(io::Error::from_raw_os_error(EIO))
            }
        }

        for is_terminal in [true, false] {
            let mut device = FailingDevice;
            let mut printer = LinePrinter::new(&mut device).on_terminal(is_terminal);
            assert_eq!(writeln!(printer, "x").is_ok(), is_terminal);
            assert_eq!(printer.flush().is_ok(), is_terminal);
        }
    }

    #[test]
    fn an_event_of_the_log_is_one_line() {
        assert_eq!(
            safe_event(b"WARN heat says: \x1b[2J\nINFO all is well\n"),
            "WARN heat says: \\u{1b}[2J\\nINFO all is well\n"
        );
    }
}
