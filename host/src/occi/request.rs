//! What a request carries in OCCI's terms, whichever rendering it came in: headers, text/plain or
//! JSON.
//!
//! Headers count always, whatever the Content-Type says; a body is added to them and comes last, so
//! that it wins.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

use super::error::ApiError;
use super::json_parse;
use super::limits::OcciLimits;
use super::syntax::category::CategoryDefinition;
use super::syntax::{SyntaxError, attribute, category, link};

static CATEGORY: HeaderName = HeaderName::from_static("category");
static ATTRIBUTE: HeaderName = HeaderName::from_static("x-occi-attribute");
static LINK: HeaderName = http::header::LINK;
static LOCATION: HeaderName = HeaderName::from_static("x-occi-location");

/// What a request carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedRequest {
    /// In their order; headers first.
    pub categories: Vec<CategoryDefinition>,
    /// In their order; headers first, later duplicates count.
    pub attributes: Vec<(String, String)>,
    /// `X-OCCI-Location`: URLs and paths, as they stand; headers first.
    pub locations: Vec<String>,
}

/// Reads headers and body.
///
/// # Errors
/// `Malformed` with the place, `TooLarge`, `UnknownType` for a body in another rendering.
pub fn carried(
    headers: &HeaderMap,
    body: &[u8],
    limits: &OcciLimits,
) -> Result<ParsedRequest, ApiError> {
    let mut carried = ParsedRequest::default();
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
                .map_err(|e| not_utf8(&place(), value.as_bytes(), e))?;
            field
                .read(text, &mut carried)
                .map_err(|fault| ApiError::malformed(place(), &fault))?;
        }
    }
    let whole = !body.iter().all(u8::is_ascii_whitespace);
    match media_type(headers).as_deref() {
        _ if !whole => {}
        Some("text/occi") => {}
        None | Some("text/plain") => plain(body, &mut carried)?,
        Some("text/uri-list") => uri_list(body, &mut carried)?,
        Some("application/occi+json" | "application/json") => json_parse::read(body, &mut carried)?,
        Some(other) => return Err(ApiError::UnknownType(other.to_owned())),
    }
    check(&carried, limits)?;
    Ok(carried)
}

/// The Content-Type without its parameters, in lower case.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(CONTENT_TYPE)?.as_bytes()).to_ascii_lowercase();
    let media = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    (!media.is_empty()).then_some(media)
}

/// What a line or a header can be.
#[derive(Clone, Copy)]
enum RequestField {
    Category,
    Attribute,
    Link,
    Location,
}

impl RequestField {
    const ALL: [Self; 4] = [Self::Category, Self::Attribute, Self::Link, Self::Location];

    fn header(self) -> &'static HeaderName {
        match self {
            Self::Category => &CATEGORY,
            Self::Attribute => &ATTRIBUTE,
            Self::Link => &LINK,
            Self::Location => &LOCATION,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Category => "Category",
            Self::Attribute => "X-OCCI-Attribute",
            Self::Link => "Link",
            Self::Location => "X-OCCI-Location",
        }
    }

    fn read(self, text: &str, carried: &mut ParsedRequest) -> Result<(), SyntaxError> {
        match self {
            Self::Category => carried.categories.extend(category::parse(text)?),
            Self::Attribute => carried.attributes.extend(attribute::parse(text)?),
            Self::Link => drop(link::parse(text)?),
            Self::Location => {
                let items = text
                    .split(',')
                    .map(|item| item.trim_matches([' ', '\t']))
                    .filter(|item| !item.is_empty());
                carried.locations.extend(items.map(str::to_owned));
            }
        }
        Ok(())
    }
}

/// Reads a body of lines, `Category: ...`, as text/plain has them.
fn plain(body: &[u8], carried: &mut ParsedRequest) -> Result<(), ApiError> {
    let text = std::str::from_utf8(body).map_err(|e| not_utf8("body", body, e))?;
    for (number, line) in text.lines().enumerate() {
        let place = || format!("body, line {}", number + 1);
        let line = line.trim_end_matches([' ', '\t', '\r']);
        if line.trim_start().is_empty() {
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let field = RequestField::ALL
            .into_iter()
            .find(|f| name.trim().eq_ignore_ascii_case(f.name()));
        match field {
            // Positions count from the line's beginning.
            Some(field) => field
                .read(value.trim_start(), carried)
                .map_err(|mut fault| {
                    let before = line.len() - value.trim_start().len();
                    fault.at += line[..before].chars().count();
                    ApiError::malformed(place(), &fault)
                })?,
            None => {
                let found = format!("{:?}", name.chars().take(40).collect::<String>());
                let expected = "Category:, X-OCCI-Attribute: or Link:";
                return Err(ApiError::malformed(
                    place(),
                    &SyntaxError {
                        at: 1,
                        found,
                        expected,
                    },
                ));
            }
        }
    }
    Ok(())
}

/// Reads a body of one URL a line; lines that begin with `#` are remarks.
fn uri_list(body: &[u8], carried: &mut ParsedRequest) -> Result<(), ApiError> {
    let text = std::str::from_utf8(body).map_err(|e| not_utf8("body", body, e))?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    carried.locations.extend(lines.map(str::to_owned));
    Ok(())
}

fn not_utf8(place: &str, bytes: &[u8], error: std::str::Utf8Error) -> ApiError {
    let at = error.valid_up_to();
    let found = bytes
        .get(at)
        .map_or_else(String::new, |byte| format!("the byte 0x{byte:02x}"));
    ApiError::malformed(
        place.to_owned(),
        &SyntaxError {
            at: at + 1,
            found,
            expected: "UTF-8",
        },
    )
}

fn check(carried: &ParsedRequest, limits: &OcciLimits) -> Result<(), ApiError> {
    let count = |what, found: usize, most: usize| {
        if found > most {
            Err(ApiError::TooLarge(format!(
                "{found} {what} in one request, at most {most} are taken"
            )))
        } else {
            Ok(())
        }
    };
    count("attributes", carried.attributes.len(), limits.attributes)?;
    count("categories", carried.categories.len(), limits.categories)?;
    count("locations", carried.locations.len(), limits.locations)?;
    for (name, value) in &carried.attributes {
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

/// The value of `key` in a query, percent-decoded.
pub fn query_value(query: &str, key: &str) -> Option<String> {
    let (_, value) = query
        .split('&')
        .filter_map(|part| part.split_once('='))
        .find(|(k, _)| *k == key)?;
    percent_decode_str(value)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
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
        carried(&headers(pairs), body.as_bytes(), &OcciLimits::default())
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
        let text = carried(&map, b"", &OcciLimits::default())
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
        assert_eq!(refused, ApiError::UnknownType("image/png".to_owned()));
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
        let read = |pairs: &[(&'static str, &str)]| carried(&headers(pairs), b"", &limits);
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

    #[test]
    fn query_values_are_found() {
        assert_eq!(
            query_value("x=1&action=de%70loy", "action").as_deref(),
            Some("deploy")
        );
        assert_eq!(query_value("deploy", "action"), None);
    }
}
