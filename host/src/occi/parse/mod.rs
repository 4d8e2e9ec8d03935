//! Parses the OCCI content of a request, in headers, text/plain, URI lists or JSON, into one
//! [`ParsedRequest`], and checks it against the limits.
//!
//! Headers count always, whatever the Content-Type says; a body is added to them and comes last, so
//! that it wins.
//!
//! Layout
//! - [`parse_request`]: headers, body, limits
//! - `text`, `json`: bodies
//! - `field`: what a header or a line of a body can be
//! - [`attribute`], [`category`], [`link`]: the grammar of each
//! - `cursor`: positions and quotes, for all grammars

pub mod attribute;
pub mod category;
mod cursor;
mod field;
mod json;
pub mod link;
mod text;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::error::ApiError;
use super::limits::OcciLimits;
use super::terms::ParsedRequest;
use field::RequestField;

/// Parses headers and body.
///
/// # Errors
/// `Syntax` and `Json` with the place, `Malformed`, `TooLarge`, `UnknownType` for a body in another
/// rendering.
pub fn parse_request(
    headers: &HeaderMap,
    body: &[u8],
    limits: &OcciLimits,
) -> Result<ParsedRequest, ApiError> {
    let mut parsed = ParsedRequest::default();
    parse_headers(headers, &mut parsed)?;
    let is_blank = body.iter().all(u8::is_ascii_whitespace);
    if !is_blank {
        match body_form(headers)? {
            // In this rendering everything is in headers; clients send `OK` or the like as the body.
            BodyForm::Headers => parsed.has_unread_body = true,
            BodyForm::Text => text::parse_text_body(body, &mut parsed)?,
            BodyForm::UriList => text::parse_uri_list(body, &mut parsed)?,
            BodyForm::Json => {
                let body = json::parse_json_body(body)?;
                parsed.categories.extend(body.categories);
                parsed.attributes.extend(body.attributes);
                parsed.locations.extend(body.locations);
                parsed.names_entities |= body.names_entities;
            }
        }
    } else if matches!(body_form(headers), Ok(BodyForm::UriList)) {
        parsed.names_entities = true;
    }
    check_limits(&parsed, limits)?;
    Ok(parsed)
}

fn parse_headers(headers: &HeaderMap, parsed: &mut ParsedRequest) -> Result<(), ApiError> {
    for field in RequestField::ALL {
        if !headers.contains_key(field.header()) {
            continue;
        }
        let lines = headers.get_all(field.header());
        let several = lines.iter().count() > 1;
        for (number, value) in lines.iter().enumerate() {
            let place = || {
                if several {
                    format!("header {}, line {}", field.name(), number + 1)
                } else {
                    format!("header {}", field.name())
                }
            };
            let text = std::str::from_utf8(value.as_bytes())
                .map_err(|e| field::invalid_utf8(&place(), value.as_bytes(), e))?;
            field
                .parse_value(text, parsed)
                .map_err(|error| ApiError::syntax(place(), error))?;
        }
    }
    Ok(())
}

/// How a body is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyForm {
    Headers,
    Text,
    UriList,
    Json,
}

impl BodyForm {
    fn from_media_type(media: &str) -> Option<Self> {
        match media {
            "text/occi" => Some(Self::Headers),
            "text/plain" | "text/occi+plain" => Some(Self::Text),
            "text/uri-list" => Some(Self::UriList),
            "application/occi+json" | "application/json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// How the body is to be read, by its Content-Type; a body without one is text. rOCCI and others
/// send a list there, as in Accept: the first known type of it counts, and `text/occi`, which is no
/// form of a body, only where there is no other.
///
/// # Errors
/// `UnknownType`.
fn body_form(headers: &HeaderMap) -> Result<BodyForm, ApiError> {
    let lines: Vec<_> = headers
        .get_all(CONTENT_TYPE)
        .iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()).to_ascii_lowercase())
        .collect();
    let types = || {
        let items = lines.iter().flat_map(|line| line.split(','));
        items
            .filter_map(|item| item.split(';').next())
            .map(str::trim)
            .filter(|media| !media.is_empty())
    };
    let Some(first) = types().next() else {
        return Ok(BodyForm::Text);
    };
    let known = || types().filter_map(BodyForm::from_media_type);
    known()
        .find(|form| *form != BodyForm::Headers)
        .or_else(|| known().next())
        .ok_or_else(|| ApiError::UnknownType(first.to_owned()))
}

/// The server bounds the bytes of a request; these bounds are for what is made of them. Attributes
/// are recorded, become parameters of a stack and are rendered for every client, in headers of
/// three times their length: a body that fits can still hold one value that no response could show.
fn check_limits(parsed: &ParsedRequest, limits: &OcciLimits) -> Result<(), ApiError> {
    let check_count = |what, found: usize, most: usize| {
        if found > most {
            Err(ApiError::TooLarge(format!(
                "{found} {what} in one request, at most {most} are taken"
            )))
        } else {
            Ok(())
        }
    };
    check_count("attributes", parsed.attributes.len(), limits.attributes)?;
    check_count("categories", parsed.categories.len(), limits.categories)?;
    check_count("locations", parsed.locations.len(), limits.locations)?;
    for (name, value) in &parsed.attributes {
        if name.len() > limits.name_bytes {
            let start: String = name.chars().take(40).collect();
            let text = format!(
                "the attribute name `{start}...` has {} bytes, at most {} are taken",
                name.len(),
                limits.name_bytes
            );
            return Err(ApiError::TooLarge(text));
        }
        if value.len() > limits.value_bytes {
            let text = format!(
                "attribute `{name}` has {} bytes, at most {} are taken",
                value.len(),
                limits.value_bytes
            );
            return Err(ApiError::TooLarge(text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "orchestrator; scheme=\"s#\"";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(
                *name,
                http::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        map
    }

    fn read(pairs: &[(&'static str, &str)], body: &str) -> Result<ParsedRequest, ApiError> {
        parse_request(&headers(pairs), body.as_bytes(), &OcciLimits::default())
    }

    fn attributes(pairs: &[(&'static str, &str)], body: &str) -> Vec<(String, String)> {
        read(pairs, body).unwrap().attributes
    }

    fn pair(k: &str, v: &str) -> (String, String) {
        (k.to_owned(), v.to_owned())
    }

    #[test]
    fn headers_count_with_every_content_type() {
        for kind in [
            None,
            Some("text/occi"),
            Some("text/occi; charset=utf-8"),
            Some("application/x-www-form-urlencoded"),
        ] {
            let mut pairs = vec![
                ("category", KIND),
                ("x-occi-attribute", "a=1, b=2"),
                ("x-occi-attribute", "c=3"),
            ];
            pairs.extend(kind.map(|kind| ("content-type", kind)));
            let found = read(&pairs, "").unwrap();
            assert_eq!(found.categories.len(), 1, "{kind:?}");
            assert_eq!(
                found.attributes,
                [pair("a", "1"), pair("b", "2"), pair("c", "3")],
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_body_is_added_to_the_headers() {
        let body = "\nCategory: orchestrator; scheme=\"s#\"\r\nx-occi-attribute: a=2\nLink: </x>; rel=\"y\"\nX-OCCI-Location: http://h/o/x\n";
        for kind in [
            vec![],
            vec![("content-type", "text/plain")],
            vec![("content-type", "Text/Plain; charset=utf-8")],
            vec![("content-type", "text/occi+plain")],
            vec![("content-type", "text/plain,text/occi")],
            vec![("content-type", "text/occi, text/plain;charset=utf-8")],
            vec![("content-type", "image/png, text/plain")],
            vec![
                ("content-type", "text/occi"),
                ("content-type", "text/plain"),
            ],
            vec![("content-type", "")],
            vec![("content-type", "; charset=utf-8")],
        ] {
            let mut pairs = vec![("x-occi-attribute", "a=1")];
            pairs.extend(kind);
            assert_eq!(attributes(&pairs, body), [pair("a", "1"), pair("a", "2")]);
        }
        assert_eq!(
            attributes(
                &[("content-type", "application/occi+json")],
                r#"{"attributes": {"a": 2}}"#
            ),
            [pair("a", "2")]
        );
        assert_eq!(attributes(&[("content-type", "text/occi")], "OK"), []);
        let listed = read(
            &[
                ("content-type", "text/uri-list"),
                ("x-occi-location", "/a,, http://h/b"),
            ],
            "# uri:/x/\r\n/c\r\n",
        )
        .unwrap();
        assert_eq!(listed.locations, ["/a", "http://h/b", "/c"]);
    }

    #[test]
    fn mistakes_name_the_header_or_the_line() {
        for (pairs, body, place) in [
            (
                vec![("x-occi-attribute", "oops")],
                "",
                "header X-OCCI-Attribute: character 1",
            ),
            (
                vec![("x-occi-attribute", "a=1"), ("x-occi-attribute", "b='")],
                "",
                "header X-OCCI-Attribute, line 2: character 3",
            ),
            (vec![("category", "x")], "", "header Category: character 2"),
            (vec![("link", "x")], "", "header Link: character 1"),
            (
                vec![],
                "\nX-OCCI-Attribute: a=1, b\n",
                "body, line 2: character 24",
            ),
            (
                vec![],
                "hello",
                "body, line 1: character 1: found \"hello\"",
            ),
            (
                vec![("content-type", "application/occi+json")],
                "{\"a\"\n:}",
                "body: line 2",
            ),
        ] {
            let text = read(&pairs, body).expect_err(place).to_string();
            assert!(
                text.starts_with(place),
                "{text} does not begin with {place}"
            );
        }
        let mut map = HeaderMap::new();
        map.append(
            "x-occi-attribute",
            http::HeaderValue::from_bytes(b"a=\xff").unwrap(),
        );
        let text = parse_request(&map, b"", &OcciLimits::default())
            .expect_err("not UTF-8")
            .to_string();
        assert!(
            text.contains("character 3: found the byte 0xff, expected UTF-8"),
            "{text}"
        );
    }

    #[test]
    fn an_unknown_body_is_refused_by_its_type() {
        let refused = read(&[("content-type", "image/png")], "x").expect_err("a picture");
        assert!(
            matches!(&refused, ApiError::UnknownType(media) if media == "image/png"),
            "{refused:?}"
        );
    }

    #[test]
    fn each_limit_holds_on_both_sides() {
        let limits = OcciLimits {
            attributes: 2,
            categories: 1,
            locations: 2,
            name_bytes: 3,
            value_bytes: 4,
            ..OcciLimits::default()
        };
        let read = |pairs: &[(&'static str, &str)]| parse_request(&headers(pairs), b"", &limits);
        for (name, fits, over) in [
            ("x-occi-attribute", "a=1, b=2", "a=1, b=2, b=3"),
            ("x-occi-attribute", "abc=1", "abcd=1"),
            ("x-occi-attribute", "a=1234", "a=12345"),
            ("x-occi-location", "/a, /b", "/a, /b, /c"),
            (
                "category",
                "a; scheme=\"s\"",
                "a; scheme=\"s\", b; scheme=\"s\"",
            ),
        ] {
            assert!(read(&[(name, fits)]).is_ok(), "{fits}");
            assert!(
                matches!(read(&[(name, over)]), Err(ApiError::TooLarge(_))),
                "{over}"
            );
        }
    }
}
