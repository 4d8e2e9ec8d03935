//! Parses bodies of lines: text/plain, whose lines are named as OCCI's headers are, and lists of
//! URIs.

use super::super::error::{ApiError, SyntaxError};
use super::super::terms::ParsedRequest;
use super::field::{RequestField, invalid_utf8};

/// Adds what a text/plain body holds: `Category: ...` and so on, one a line.
///
/// # Errors
/// `Syntax` with the line.
pub(super) fn parse_text_body(body: &[u8], parsed: &mut ParsedRequest) -> Result<(), ApiError> {
    let text = std::str::from_utf8(body).map_err(|e| invalid_utf8("body", body, e))?;
    for (number, line) in text.lines().enumerate() {
        let place = || format!("body, line {}", number + 1);
        let line = line.trim_end_matches([' ', '\t', '\r']);
        if line.trim_start().is_empty() {
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let field = RequestField::ALL
            .into_iter()
            .find(|field| name.trim().eq_ignore_ascii_case(field.name()));
        let Some(field) = field else {
            let found = format!("{:?}", name.chars().take(40).collect::<String>());
            let unknown = SyntaxError {
                at: 1,
                found,
                expected: "Category:, X-OCCI-Attribute: or Link:",
            };
            return Err(ApiError::syntax(place(), unknown));
        };
        field
            .parse_value(value.trim_start(), parsed)
            .map_err(|mut error| {
                // The grammar counts from the value's beginning, the client from the line's.
                let before = line.len() - value.trim_start().len();
                error.at += line[..before].chars().count();
                ApiError::syntax(place(), error)
            })?;
    }
    Ok(())
}

/// Adds the locations of a text/uri-list body, one URL a line; lines that begin with `#` are
/// comments.
///
/// # Errors
/// `Syntax` for what is not UTF-8.
pub(super) fn parse_uri_list(body: &[u8], parsed: &mut ParsedRequest) -> Result<(), ApiError> {
    let text = std::str::from_utf8(body).map_err(|e| invalid_utf8("body", body, e))?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    parsed.locations.extend(lines.map(str::to_owned));
    parsed.names_entities = true;
    Ok(())
}
