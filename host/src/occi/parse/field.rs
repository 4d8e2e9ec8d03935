//! The four fields that carry OCCI content, each as a header or as a line of a text body, and which
//! grammar parses their values.

use http::HeaderName;

use super::super::error::{ApiError, SyntaxError};
use super::super::terms::ParsedRequest;
use super::{attribute, category, link};

static CATEGORY: HeaderName = HeaderName::from_static("category");
static ATTRIBUTE: HeaderName = HeaderName::from_static("x-occi-attribute");
static LINK: HeaderName = http::header::LINK;
static LOCATION: HeaderName = HeaderName::from_static("x-occi-location");

/// What a header or a line of a body can be.
#[derive(Clone, Copy)]
pub(super) enum RequestField {
    Category,
    Attribute,
    Link,
    Location,
}

impl RequestField {
    pub(super) const ALL: [Self; 4] = [Self::Category, Self::Attribute, Self::Link, Self::Location];

    pub(super) fn header(self) -> &'static HeaderName {
        match self {
            Self::Category => &CATEGORY,
            Self::Attribute => &ATTRIBUTE,
            Self::Link => &LINK,
            Self::Location => &LOCATION,
        }
    }

    /// The name as lines of a body and error messages have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Category => "Category",
            Self::Attribute => "X-OCCI-Attribute",
            Self::Link => "Link",
            Self::Location => "X-OCCI-Location",
        }
    }

    /// Parses one value and adds what it holds.
    ///
    /// # Errors
    /// The first place where the value breaks the field's grammar.
    pub(super) fn parse_value(
        self,
        text: &str,
        parsed: &mut ParsedRequest,
    ) -> Result<(), SyntaxError> {
        match self {
            Self::Category => parsed.categories.extend(category::parse_categories(text)?),
            Self::Attribute => parsed.attributes.extend(attribute::parse_attributes(text)?),
            Self::Link => drop(link::parse_links(text)?),
            Self::Location => {
                let items = text
                    .split(',')
                    .map(|item| item.trim_matches([' ', '\t']))
                    .filter(|item| !item.is_empty());
                parsed.locations.extend(items.map(str::to_owned));
                parsed.names_entities = true;
            }
        }
        Ok(())
    }
}

/// The error for bytes that are not UTF-8, with the place of the first of them.
pub(super) fn invalid_utf8(place: &str, bytes: &[u8], error: std::str::Utf8Error) -> ApiError {
    let at = error.valid_up_to();
    let found = bytes
        .get(at)
        .map_or_else(String::new, |byte| format!("the byte 0x{byte:02x}"));
    ApiError::syntax(
        place.to_owned(),
        SyntaxError {
            at: at + 1,
            found,
            expected: "UTF-8",
        },
    )
}
