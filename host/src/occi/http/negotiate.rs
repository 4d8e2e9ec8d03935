//! Content negotiation: chooses a response's rendering by the Accept header with its q values and
//! parameters. It also takes what clients send beside the standard: `q=.2`, as Java writes it, and
//! the media type of forms, by which hurtle's clients ask for HTML.

use http::HeaderMap;
use http::header::ACCEPT;

use super::version::{OCCI_1_2, OcciVersion, expected_version};

/// The renderings that this API knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rendering {
    /// `text/plain`: lines in the body.
    Plain,
    /// `text/occi+plain`: the same by the name that OCCI 1.2 gives it.
    OcciPlain,
    /// `text/occi`: everything in headers.
    Occi,
    /// `application/occi+json` as the Python Service Orchestrator has it.
    Json,
    /// `application/occi+json` of OCCI 1.2 (GFD.226), for clients that expect that version.
    StandardJson,
    /// `application/json`: that of OCCI 1.2.
    PlainJson,
    /// `text/uri-list`: collections only.
    UriList,
    /// `text/html`, for browsers.
    Html,
}

impl Rendering {
    /// What is one text.
    pub const TEXT: &[Self] = &[Self::Plain];
    /// What an entity or the query interface can be shown as; the first one is the default.
    pub const ENTITY: &[Self] = &[
        Self::Plain,
        Self::Occi,
        Self::Json,
        Self::OcciPlain,
        Self::PlainJson,
        Self::Html,
    ];
    /// What a collection can be shown as.
    pub const COLLECTION: &[Self] = &[
        Self::Plain,
        Self::Occi,
        Self::Json,
        Self::OcciPlain,
        Self::PlainJson,
        Self::UriList,
        Self::Html,
    ];

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain",
            Self::OcciPlain => "text/occi+plain",
            Self::Occi => "text/occi",
            Self::Json | Self::StandardJson => "application/occi+json",
            Self::PlainJson => "application/json",
            Self::UriList => "text/uri-list",
            Self::Html => "text/html",
        }
    }

    /// Whether it is the JSON of OCCI 1.2.
    pub fn is_standard_json(self) -> bool {
        matches!(self, Self::StandardJson | Self::PlainJson)
    }

    /// The media types in Accept that ask for this rendering. hurtle's clients ask for HTML by the
    /// media type of forms.
    fn accepted_types(self) -> &'static [&'static str] {
        match self {
            Self::Html => &["text/html", "application/x-www-form-urlencoded"],
            Self::Plain => &["text/plain"],
            Self::OcciPlain => &["text/occi+plain"],
            Self::Occi => &["text/occi"],
            Self::Json | Self::StandardJson => &["application/occi+json"],
            Self::PlainJson => &["application/json"],
            Self::UriList => &["text/uri-list"],
        }
    }

    /// The JSON of that version: both share a media type, which a client that means 1.2 tells by its
    /// User-Agent or by the parameter `version`.
    fn of_version(self, expected: Option<OcciVersion>) -> Self {
        if self == Self::Json && expected >= Some(OCCI_1_2) {
            Self::StandardJson
        } else {
            self
        }
    }
}

/// The rendering that the client prefers of those offered: the highest q, then the earliest in its
/// list, then the first offered. No Accept header accepts anything. `None`: none of them is
/// accepted.
pub fn choose_rendering(headers: &HeaderMap, offered: &[Rendering]) -> Option<Rendering> {
    if let Some(rendering) = match_single_type(headers) {
        let rendering = offered.contains(&rendering).then_some(rendering)?;
        return Some(rendering.of_version(expected_version(headers)));
    }
    let lines: Vec<_> = headers
        .get_all(ACCEPT)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let ranges: Vec<MediaRange> = lines
        .iter()
        .flat_map(|line| line.split(','))
        .filter_map(MediaRange::parse)
        .collect();
    if lines.iter().all(|line| line.trim().is_empty()) {
        return offered.first().copied();
    }
    let mut best: Option<(u16, usize, Rendering)> = None;
    for rendering in offered {
        // RFC 9110: the most specific range that matches decides, whatever its q.
        let matching = ranges
            .iter()
            .enumerate()
            .filter_map(|(at, range)| Some((range.matching_specificity(*rendering)?, range.q, at)));
        let Some((_, q, at)) =
            matching.max_by_key(|(specificity, _, at)| (*specificity, std::cmp::Reverse(*at)))
        else {
            continue;
        };
        if q > 0
            && best.is_none_or(|(best_q, best_at, _)| q > best_q || (q == best_q && at < best_at))
        {
            best = Some((q, at, *rendering));
        }
    }
    let (_, at, rendering) = best?;
    let asked = ranges.get(at).and_then(|range| range.version);
    Some(rendering.of_version(asked.or_else(|| expected_version(headers))))
}

/// The JSON of OCCI 1.2 that the client prefers to the other renderings.
pub fn preferred_standard_json(headers: &HeaderMap) -> Option<Rendering> {
    choose_rendering(headers, Rendering::COLLECTION)
        .filter(|rendering| rendering.is_standard_json())
}

/// Whether the client prefers a page to the other renderings.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    choose_rendering(headers, Rendering::COLLECTION) == Some(Rendering::Html)
}

/// The rendering of an Accept header that is one media type without parameters. Most clients send
/// that, and it needs no allocation.
fn match_single_type(headers: &HeaderMap) -> Option<Rendering> {
    let mut lines = headers.get_all(ACCEPT).iter();
    let (only, None) = (lines.next()?, lines.next()) else {
        return None;
    };
    Rendering::COLLECTION.iter().copied().find(|rendering| {
        rendering
            .accepted_types()
            .iter()
            .any(|name| name.as_bytes() == only.as_bytes())
    })
}

/// One media range of an Accept header.
struct MediaRange {
    media: String,
    /// The version of OCCI that its parameter names.
    version: Option<OcciVersion>,
    /// The weight in thousandths.
    q: u16,
}

impl MediaRange {
    /// `type/subtype;parameter=value;q=0.5`. A range that cannot be read matches nothing; other
    /// parameters than q and version are left out.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next()?.to_ascii_lowercase();
        let parameters: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
        let parameter = |wanted: &str| {
            let found = parameters
                .iter()
                .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.trim())
        };
        let q = parameter("q").map_or(Some(1000), parse_quality)?;
        let version = parameter("version").map(|text| text.trim_matches('"'));
        let version = version.and_then(OcciVersion::parse);
        (!media.is_empty()).then_some(Self { media, version, q })
    }

    /// How closely the range names the rendering, the larger the closer; `None` where it does not.
    fn matching_specificity(&self, rendering: Rendering) -> Option<u8> {
        let group = rendering.media_type().split('/').next().unwrap_or_default();
        match self.media.as_str() {
            "*/*" => Some(0),
            media if media.strip_suffix("/*") == Some(group) => Some(1),
            media if rendering.accepted_types().contains(&media) => Some(2),
            _ => None,
        }
    }
}

/// A weight in thousandths: `0.5` is 500; up to three digits behind the point, `.2` as Java writes
/// it.
fn parse_quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let fraction: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match (whole, fraction) {
        ("0" | "", thousandths) if text != "." && !text.is_empty() => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_gets_what_it_likes_best() {
        use Rendering::{Html, Json, Occi, Plain, UriList};
        for (accept, chosen) in [
            ("", Some(Plain)),
            ("*/*", Some(Plain)),
            ("text/occi", Some(Occi)),
            ("TEXT/OCCI", Some(Occi)),
            ("text/occi; charset=utf-8", Some(Occi)),
            ("application/occi+json", Some(Json)),
            ("application/occi+json, text/plain", Some(Json)),
            ("text/plain;q=0.5, application/occi+json;q=0.9", Some(Json)),
            (
                "text/plain; charset=utf-8; q=0.5, text/occi;q=0.4",
                Some(Plain),
            ),
            ("application/*", Some(Json)),
            ("text/*;q=0.2, application/occi+json;q=0.1", Some(Plain)),
            ("text/plain;q=0, */*", Some(Occi)),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Some(Html),
            ),
            ("application/x-www-form-urlencoded", Some(Html)),
            ("text/html;q=0.5, text/plain;q=0.5", Some(Html)),
            ("text/html;q=0.5, text/plain", Some(Plain)),
            ("text/uri-list", Some(UriList)),
            ("image/png, text/uri-list;q=0.1", Some(UriList)),
            ("application/json", Some(Rendering::PlainJson)),
            (
                "application/json, application/occi+json",
                Some(Rendering::PlainJson),
            ),
            ("application/json;q=0.5, application/occi+json", Some(Json)),
            ("text/occi+plain", Some(Rendering::OcciPlain)),
            (
                "application/occi+json; version=1.2",
                Some(Rendering::StandardJson),
            ),
            (
                "application/occi+json; version=\"1.2\", */*;q=0.1",
                Some(Rendering::StandardJson),
            ),
            ("application/occi+json; version=1.1", Some(Json)),
            ("application/occi+json; version=x", Some(Json)),
            ("text/occi;q=0", None),
            ("text/occi;q=2", None),
            ("text/occi;q=1.001", None),
            ("text/occi;q=0.0001", None),
            ("text/occi;q=-1", None),
            ("text/occi;q=", None),
            ("text/occi;q=1.000, text/plain;q=0.999", Some(Occi)),
            ("text/html, image/gif, *; q=.2, */*; q=.2", Some(Html)),
            ("garbage", None),
            ("*/*;q=0", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(
                choose_rendering(&headers, Rendering::COLLECTION),
                chosen,
                "{accept}"
            );
        }
        assert_eq!(
            choose_rendering(&HeaderMap::new(), Rendering::ENTITY),
            Some(Plain)
        );
    }

    #[test]
    fn the_two_forms_of_json_are_told_apart_by_the_version() {
        for (agent, accept, chosen) in [
            (
                "python-requests/2.11.0",
                "application/occi+json",
                Rendering::Json,
            ),
            (
                "rOCCI-api/4.3.9 OCCI/1.1",
                "application/occi+json",
                Rendering::Json,
            ),
            (
                "client/1.0 OCCI/1.2",
                "application/occi+json",
                Rendering::StandardJson,
            ),
            (
                "client/1.0 OCCI/1.2",
                "text/plain;q=0.1, application/*",
                Rendering::StandardJson,
            ),
            (
                "client/1.0 OCCI/1.2",
                "application/occi+json;version=1.1",
                Rendering::Json,
            ),
            (
                "client/1.0 OCCI/1.2",
                "application/json",
                Rendering::PlainJson,
            ),
            ("client/1.0 OCCI/1.2", "*/*", Rendering::Plain),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            headers.insert(http::header::USER_AGENT, agent.parse().unwrap());
            let found = choose_rendering(&headers, Rendering::ENTITY);
            assert_eq!(found, Some(chosen), "{agent} {accept}");
        }
    }

    #[test]
    fn several_accept_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, "text/plain;q=0.1".parse().unwrap());
        headers.append(ACCEPT, "text/occi".parse().unwrap());
        assert_eq!(
            choose_rendering(&headers, Rendering::ENTITY),
            Some(Rendering::Occi)
        );
    }

    #[test]
    fn a_uri_list_of_one_entity_is_not_offered() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, "text/uri-list".parse().unwrap());
        assert_eq!(choose_rendering(&headers, Rendering::ENTITY), None);
    }
}
