//! Reads what a request says: the fields of its query and of its body. Strict, and everything that is
//! wrong is told at once, each with where it stands.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use url::form_urlencoded;

use super::json_node::JsonNode;
use super::limits::REQUEST_ID_BYTES;
use super::problem::{ApiProblem, FieldProblem, pointer};
use crate::cluster::attribute_names::PREFIX;
use crate::orchestrator::ClientAttributes;

/// The header by which a request may say its id, as the IETF's draft has it.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The fields of a query, each at most once.
pub(super) struct QueryFields(Vec<(String, String)>);

impl QueryFields {
    /// The fields, of which these are known.
    pub(super) fn read(
        query: Option<&str>,
        known: &[&str],
        problems: &mut Vec<FieldProblem>,
    ) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let path = format!("?{name}");
            if !known.contains(&name.as_ref()) {
                let hint = match known {
                    [] => "this path has none".to_owned(),
                    known => format!("known are {}", known.join(", ")),
                };
                problems.push(FieldProblem::new(path, "is no field of this query", hint));
            } else if fields.iter().any(|(other, _)| *other == name) {
                problems.push(FieldProblem::new(
                    path,
                    "is there more than once",
                    "keep one",
                ));
            } else {
                fields.push((name.into_owned(), value.into_owned()));
            }
        }
        Self(fields)
    }

    /// A field's text.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let field = fields.find(|(other, _)| other == name);
        field.map(|(_, value)| value.as_str())
    }

    /// Whether a field is `true`.
    pub(super) fn flag(&self, name: &str, problems: &mut Vec<FieldProblem>) -> bool {
        match self.get(name) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                let path = format!("?{name}");
                problems.push(FieldProblem::new(path, "must be true or false", ""));
                false
            }
        }
    }

    /// A field's whole number, within these bounds.
    pub(super) fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<usize>,
        problems: &mut Vec<FieldProblem>,
    ) -> Option<usize> {
        let text = self.get(name)?;
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            let (least, most) = bounds.into_inner();
            let message = format!("must be a whole number from {least} to {most}");
            problems.push(FieldProblem::new(format!("?{name}"), message, ""));
        }
        number
    }
}

/// What a request asks a cluster to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ClusterRequest {
    /// Empty where it is not said or not to be read.
    pub(super) name: String,
    pub(super) attributes: ClientAttributes,
    pub(super) request_id: Option<String>,
}

/// What the body may say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFields {
    /// Name, attributes, and the id of the request.
    NewCluster,
    /// Attributes alone; null lets one go.
    Change,
}

impl ClusterRequest {
    /// Reads a body; with the id of the request in the header, too.
    ///
    /// # Errors
    /// Of another type than JSON, or not JSON; what is wrong in it is put among `problems`.
    pub(super) fn read(
        headers: &HeaderMap,
        body: &[u8],
        fields: BodyFields,
        problems: &mut Vec<FieldProblem>,
    ) -> Result<Self, ApiProblem> {
        check_type(headers)?;
        let node: JsonNode = serde_json::from_slice(body)
            .map_err(|error| ApiProblem::malformed_json(&error.to_string()))?;
        let mut request = Self::default();
        let JsonNode::Object(pairs) = node else {
            let message = format!("must be an object, got {}", node.type_name());
            problems.push(FieldProblem::new("", message, ""));
            return Ok(request);
        };
        let is_new = fields == BodyFields::NewCluster;
        let mut seen: Vec<String> = Vec::new();
        for (name, node) in pairs {
            let path = pointer(&[&name]);
            if seen.contains(&name) {
                problems.push(FieldProblem::new(
                    path,
                    "is there more than once",
                    "keep one",
                ));
                continue;
            }
            match (name.as_str(), is_new) {
                ("name", true) => {
                    request.name = read_text(&path, node, problems).unwrap_or_default()
                }
                ("request_id", true) => request.request_id = read_text(&path, node, problems),
                ("attributes", _) => request.attributes = read_attributes(node, is_new, problems),
                _ => {
                    let known = if is_new {
                        "known are name, attributes, request_id"
                    } else {
                        "known is attributes; settings of the cluster stand in it"
                    };
                    problems.push(FieldProblem::new(path, "is not known here", known));
                }
            }
            seen.push(name);
        }
        for (needed, here) in [("name", is_new), ("attributes", !is_new)] {
            if here && !seen.iter().any(|name| name == needed) {
                problems.push(FieldProblem::new(pointer(&[needed]), "is missing", ""));
            }
        }
        if is_new {
            request.take_header_id(headers, problems);
        }
        Ok(request)
    }

    fn take_header_id(&mut self, headers: &HeaderMap, problems: &mut Vec<FieldProblem>) {
        let mut lines = headers.get_all(IDEMPOTENCY_KEY).iter();
        let (first, further) = (lines.next(), lines.next());
        let text = first.map(|line| String::from_utf8_lossy(line.as_bytes()).trim().to_owned());
        // The draft has it in quotes, as a text of RFC 8941.
        let text = text.map(|text| text.trim_matches('"').to_owned());
        let mut refuse = |path: &str, message: String| {
            problems.push(FieldProblem::new(path, message, ""));
        };
        match (&self.request_id, &text) {
            _ if further.is_some() => refuse("Idempotency-Key", "is there more than once".into()),
            (Some(body), Some(header)) if body != header => {
                refuse(
                    "Idempotency-Key",
                    "is not the request_id of the body".into(),
                );
            }
            (None, Some(_)) => self.request_id = text,
            _ => {}
        }
        if let Some(id) = &self.request_id {
            let is_plain = id.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_plain || id.is_empty() || id.len() > REQUEST_ID_BYTES {
                let message = format!(
                    "must be 1 to {REQUEST_ID_BYTES} letters, digits and signs of ASCII, without blanks"
                );
                refuse("/request_id", message);
            }
        }
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), ApiProblem> {
    let Some(given) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(given.as_bytes());
    let kind = text.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(ApiProblem::unknown_type(kind))
    }
}

fn read_text(path: &str, node: JsonNode, problems: &mut Vec<FieldProblem>) -> Option<String> {
    match node {
        JsonNode::Scalar(Value::String(text)) => Some(text),
        other => {
            let message = format!("must be a text, got {}", other.type_name());
            problems.push(FieldProblem::new(path, message, ""));
            None
        }
    }
}

fn read_attributes(
    node: JsonNode,
    is_new: bool,
    problems: &mut Vec<FieldProblem>,
) -> ClientAttributes {
    let JsonNode::Object(pairs) = node else {
        let message = format!("must be an object, got {}", node.type_name());
        problems.push(FieldProblem::new("/attributes", message, ""));
        return Vec::new();
    };
    let mut attributes: ClientAttributes = Vec::new();
    for (name, node) in pairs {
        let path = pointer(&["attributes", &name]);
        let of = |message: String, hint: &str| FieldProblem {
            attribute: Some(name.clone()),
            ..FieldProblem::new(path.clone(), message, hint)
        };
        let full = format!("{PREFIX}{name}");
        if name.starts_with(PREFIX) {
            let hint = "leave `stampede.` out";
            problems.push(of("is no name of an attribute".into(), hint));
            continue;
        }
        if attributes.iter().any(|(other, _)| *other == full) {
            problems.push(of("is there more than once".into(), "keep one"));
            continue;
        }
        match attribute_text(&node, is_new) {
            Some(text) => attributes.push((full, text)),
            None => {
                let message = format!(
                    "must be a text, a number, true, false or a list of texts, got {}",
                    node.type_name()
                );
                problems.push(of(message, ""));
            }
        }
    }
    attributes
}

/// An attribute's value as a text: the orchestrator says what the text may be.
fn attribute_text(node: &JsonNode, is_new: bool) -> Option<String> {
    match node {
        JsonNode::Scalar(Value::String(text)) => Some(text.clone()),
        JsonNode::Scalar(Value::Null) => (!is_new).then(String::new),
        JsonNode::Scalar(value) => Some(value.to_string()),
        JsonNode::Array(items) => {
            let text = |item: &JsonNode| match item {
                JsonNode::Scalar(Value::String(text)) if !text.contains(',') => Some(text.clone()),
                _ => None,
            };
            let texts: Option<Vec<String>> = items.iter().map(text).collect();
            Some(texts?.join(","))
        }
        JsonNode::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, fields: BodyFields) -> (ClusterRequest, Vec<(String, String)>) {
        let mut problems = Vec::new();
        let request =
            ClusterRequest::read(&HeaderMap::new(), body.as_bytes(), fields, &mut problems);
        let told = problems.into_iter().map(|one| (one.path, one.message));
        (request.unwrap(), told.collect())
    }

    #[test]
    fn values_of_every_type_become_the_texts_that_attributes_are() {
        let (request, problems) = read(
            r#"{"name": "a", "request_id": "r-1", "attributes":
                {"workers": 3, "image.has_java": true, "framework": ["hadoop", "spark"], "key": "k"}}"#,
            BodyFields::NewCluster,
        );
        assert_eq!(problems, []);
        let texts = request.attributes.iter();
        let texts: Vec<_> = texts.map(|(name, value)| (&**name, &**value)).collect();
        let wanted = [
            ("stampede.workers", "3"),
            ("stampede.image.has_java", "true"),
            ("stampede.framework", "hadoop,spark"),
            ("stampede.key", "k"),
        ];
        assert_eq!(texts, wanted);
        assert_eq!(
            (&*request.name, request.request_id.as_deref()),
            ("a", Some("r-1"))
        );
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_place() {
        let (_, problems) = read(
            r#"{"name": 7, "name": "x", "nam": 1, "attributes":
                {"workers": {}, "a/b": null, "key": "k", "key": "l", "stampede.image": "i",
                 "access": ["1", 2]}, "request_id": "has blanks"}"#,
            BodyFields::NewCluster,
        );
        let paths: Vec<&str> = problems.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/name",
                "/name",
                "/nam",
                "/attributes/workers",
                "/attributes/a~1b",
                "/attributes/key",
                "/attributes/stampede.image",
                "/attributes/access",
                "/request_id",
            ]
        );
        let (_, missing) = read("{}", BodyFields::NewCluster);
        assert_eq!(missing, [("/name".to_owned(), "is missing".to_owned())]);
        let (_, missing) = read("{}", BodyFields::Change);
        assert_eq!(missing[0].0, "/attributes");
        let (_, list) = read("[]", BodyFields::Change);
        assert_eq!(list[0].1, "must be an object, got a list");
        let (change, problems) = read(r#"{"attributes": {"key": null}}"#, BodyFields::Change);
        assert_eq!(
            change.attributes,
            [("stampede.key".to_owned(), String::new())]
        );
        assert_eq!(problems, [], "null lets an attribute of a cluster go");
    }

    #[test]
    fn an_id_is_as_long_as_it_may_be_and_the_header_says_the_same() {
        for (length, is_good) in [(0, false), (1, true), (128, true), (129, false)] {
            let body = format!(r#"{{"name": "a", "request_id": "{}"}}"#, "x".repeat(length));
            let (_, problems) = read(&body, BodyFields::NewCluster);
            assert_eq!(problems.is_empty(), is_good, "{length}");
        }
        for (header, is_good) in [("\"r-1\"", true), ("r-1", true), ("r-2", false)] {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, header.parse().unwrap());
            let body = br#"{"name": "a", "request_id": "r-1"}"#;
            let mut problems = Vec::new();
            ClusterRequest::read(&headers, body, BodyFields::NewCluster, &mut problems).unwrap();
            assert_eq!(problems.is_empty(), is_good, "{header}");
        }
    }

    #[test]
    fn a_query_says_each_of_its_fields_once_and_nothing_else() {
        let mut problems = Vec::new();
        let query = QueryFields::read(
            Some("limit=501&limit=2&x=1&dry_run=yes"),
            &["limit", "dry_run"],
            &mut problems,
        );
        assert!(!query.flag("dry_run", &mut problems));
        assert_eq!(query.number("limit", 1..=500, &mut problems), None);
        let paths: Vec<&str> = problems.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, ["?limit", "?x", "?dry_run", "?limit"]);
        let mut none = Vec::new();
        let query = QueryFields::read(Some("limit=500"), &["limit"], &mut none);
        assert_eq!(query.number("limit", 1..=500, &mut none), Some(500));
        assert_eq!(none, []);
    }
}
