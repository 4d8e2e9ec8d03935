//! The properties that must hold for every request and every value.

use std::collections::BTreeMap;

use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use stampede::addressing::ServiceUrl;
use stampede::cluster::ClusterState;
use stampede::cluster::progress::StageReport;
use stampede::occi::http::negotiate::Rendering;
use stampede::occi::limits::OcciLimits;
use stampede::occi::model::categories::CategoryModel;
use stampede::occi::model::entity::OcciEntity;
use stampede::occi::model::user_mixin::UserMixin;
use stampede::occi::parse::attribute::{parse_attributes, write_attribute};
use stampede::occi::parse::category::parse_categories;
use stampede::occi::parse::parse_request;
use stampede::occi::render::Renderer;
use stampede::occi::render::error_response::render_error_text;
use stampede::occi::render::text::user_mixin_line;
use stampede::occi::terms::ParsedRequest;
use stampede::orchestrator::{ClusterView, LifecyclePhase};
use stampede_tests::service_manager;

/// Headers, one a line, an empty line, a body. What is read can be written and read again, and
/// shown in every rendering; what is refused is refused in one of the statuses for it, in words.
pub(super) fn request(input: &[u8]) -> String {
    let limits = OcciLimits::default();
    let (head, body) = split(input);
    match parse_request(&headers(head), body, &limits) {
        Err(error) => {
            let answer = render_error_text(&error);
            assert!(
                matches!(answer.status().as_u16(), 400 | 413 | 415),
                "{error}"
            );
            assert!(!answer.body().is_empty());
            // Without what the input put into it.
            let text = error.to_string();
            let (before, after) = (text.split([':', '`']).next(), text.split("expected").nth(1));
            let place = before
                .unwrap_or_default()
                .chars()
                .filter(|c| c.is_ascii_alphabetic())
                .take(40);
            place
                .chain(after.unwrap_or_default().chars().take(40))
                .collect()
        }
        Ok(parsed) => {
            within(&parsed, &limits);
            read_again(&parsed, &limits);
            let own = mixins(&parsed);
            let attributes: BTreeMap<String, String> = parsed.attributes.iter().cloned().collect();
            let shown = shown(
                ClusterView {
                    attributes,
                    ..view()
                },
                &own,
                &limits,
            );
            format!(
                "{} {} {} {shown}",
                parsed.categories.len().min(4),
                parsed.locations.len().min(3),
                own.len().min(2)
            )
        }
    }
}

/// Lines `name=value`: attributes, outputs, endpoints, progress and the failure of a cluster,
/// whatever stands in them.
pub(super) fn values(input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    let mut view = view();
    for (number, piece) in text.split("\n--\n").enumerate() {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        // Clients' names are refused beyond this, Heat's and Keystone's are as long at most.
        let name: String = name
            .chars()
            .take(OcciLimits::default().name_bytes)
            .collect();
        let value = value.to_owned();
        match number % 6 {
            0 => drop(view.attributes.insert(name, value)),
            1 => drop(view.outputs.insert(
                name,
                serde_json::from_str(&value).unwrap_or(Value::String(value)),
            )),
            2 => drop(view.endpoints.insert(name, value)),
            3 => view
                .progress
                .push(StageReport::parse(&format!("{name} {value}"))),
            4 => view.state = ClusterState::Failed(value),
            _ => (view.region, view.stack_status_reason) = (name, value),
        }
    }
    shown(view, &[], &OcciLimits::default())
}

fn split(input: &[u8]) -> (&[u8], &[u8]) {
    input
        .windows(2)
        .position(|two| two == b"\n\n")
        .map_or((input, &[]), |at| (&input[..at], &input[at + 2..]))
}

/// The lines that HTTP would let through as headers.
fn headers(head: &[u8]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n').take(100) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (
            HeaderName::from_bytes(&line[..colon]),
            HeaderValue::from_bytes(line[colon + 1..].trim_ascii()),
        );
        if let (Ok(name), Ok(value)) = (name, value) {
            map.append(name, value);
        }
    }
    map
}

fn within(parsed: &ParsedRequest, limits: &OcciLimits) {
    assert!(
        parsed.attributes.len() <= limits.attributes
            && parsed.categories.len() <= limits.categories
    );
    assert!(
        parsed
            .attributes
            .iter()
            .all(|(name, value)| name.len() <= limits.name_bytes
                && value.len() <= limits.value_bytes)
    );
    assert!(
        parsed.attributes.iter().all(|(name, _)| !name.is_empty()),
        "{:?}",
        parsed.attributes
    );
}

/// In quotes, and in JSON.
fn read_again(read: &ParsedRequest, limits: &OcciLimits) {
    let text: Vec<String> = read
        .attributes
        .iter()
        .filter(|(name, _)| is_plain(name))
        .map(|(name, value)| write_attribute(name, value))
        .collect();
    let plain: Vec<_> = read
        .attributes
        .iter()
        .filter(|(name, _)| is_plain(name))
        .cloned()
        .collect();
    assert_eq!(
        parse_attributes(&text.join(", ")).as_deref(),
        Ok(plain.as_slice())
    );
    for described in &read.categories {
        let scheme = described
            .category
            .scheme
            .replace('\\', "\\\\")
            .replace('"', "\\\"");
        let again = parse_categories(&format!("{}; scheme=\"{scheme}\"", described.category.term));
        // Not every scheme that JSON can hold can stand in text.
        if let Ok(again) = again {
            assert!(
                again.len() != 1 || again[0].category == described.category,
                "{described:?} {again:?}"
            );
        }
    }
    let attributes: BTreeMap<&str, &str> = read
        .attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-type",
        HeaderValue::from_static("application/occi+json"),
    );
    let again = parse_request(
        &headers,
        json!({ "attributes": attributes }).to_string().as_bytes(),
        limits,
    )
    .unwrap();
    let again: BTreeMap<&str, &str> = again
        .attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(again, attributes);
}

/// Whether a name needs no quotes around it.
fn is_plain(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// What can be defined is shown as one category, which is the same.
fn mixins(parsed: &ParsedRequest) -> Vec<UserMixin> {
    let groups = parsed.categories.iter().filter_map(|described| {
        Some((
            described,
            UserMixin::build_group(described, &ServiceUrl::plain("h")).ok()?,
        ))
    });
    let mut all = Vec::new();
    for (described, mut group) in groups {
        group.clusters.insert(view().id);
        let own = UserMixin::from_group(&group);
        let line = user_mixin_line(&own, "http://h");
        assert!(
            HeaderValue::from_str(&line).is_ok() && line.is_ascii(),
            "{line}"
        );
        if described
            .category
            .term
            .bytes()
            .all(|b| b.is_ascii_alphanumeric())
        {
            let again = parse_categories(&line).unwrap();
            assert_eq!(
                (
                    again.len(),
                    &again[0].category.term,
                    again[0].parameter("class")
                ),
                (1, &described.category.term, Some("mixin")),
                "{line}"
            );
        }
        all.push(own);
    }
    all
}

fn view() -> ClusterView {
    let stack_id = Some(("RegionOne".to_owned(), "9445a2fc".to_owned()));
    ClusterView {
        name: "default".to_owned(),
        id: "4f4bb9f3".to_owned(),
        created_s: 0,
        owner: None,
        frameworks: Vec::new(),
        node_counts: BTreeMap::new(),
        phase: LifecyclePhase::Initialised,
        state: ClusterState::Requested,
        stack_status: None,
        stack_id,
        attributes: BTreeMap::new(),
        brought: Default::default(),
        outputs: BTreeMap::new(),
        endpoints: BTreeMap::new(),
        endpoint_access: BTreeMap::new(),
        health: Vec::new(),
        region: "RegionOne".to_owned(),
        progress: Vec::new(),
        failure: None,
        ends_s: None,
        end_notice: None,
        idle: None,
        deletion: stampede::orchestrator::DeletionStage::NotWanted,
        cloud_error: None,
        time_left: None,
        upgrade: None,
        silent_since_s: None,
        stack_status_reason: String::new(),
        change: None,
    }
}

/// The attributes as headers, as the Service Manager reads them; how many lines they take.
fn check_headers(
    occi: &Response<Bytes>,
    whole: &BTreeMap<String, String>,
    limits: &OcciLimits,
) -> usize {
    assert_eq!(occi.body(), &Bytes::from_static(b"OK"));
    assert!(
        occi.headers().len() <= 100 && occi.headers().values().all(|value| value.len() <= 65_000),
        "httplib would give up"
    );
    let joined: Vec<&str> = occi
        .headers()
        .get_all("x-occi-attribute")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    let read = service_manager::parse(&joined.join(", ")).unwrap();
    assert_eq!(read.len(), whole.len(), "{joined:?}");
    for ((name, value), (wanted_name, wanted)) in read.iter().zip(whole) {
        assert_eq!(decoded(name), *wanted_name);
        let is_cut = value.ends_with("...") && value.len() >= limits.header_value_bytes - 3;
        assert!(
            is_cut || decoded(value) == *wanted,
            "{name}: {value} is not {wanted:?}"
        );
        assert!(
            !value.contains(',') && value.len() <= limits.header_value_bytes,
            "what builds on it splits at commas: {value}"
        );
    }
    joined.len()
}

/// Every rendering holds every attribute, and none of them anything that an attribute smuggled in.
fn shown(view: ClusterView, own: &[UserMixin], limits: &OcciLimits) -> String {
    let entity = OcciEntity::from_view(view, &CategoryModel::from_frameworks(&[]), own);
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let whole: BTreeMap<String, String> = entity
        .attributes
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    let answer = |rendering| {
        Renderer {
            rendering,
            address: &ServiceUrl::plain("h"),
            limits,
        }
        .render_entity(&entity)
        .unwrap()
    };

    let lines = check_headers(&answer(Rendering::Occi), &whole, limits);

    let plain = String::from_utf8(answer(Rendering::Plain).body().to_vec()).unwrap();
    let attribute_lines = plain
        .lines()
        .filter(|line| line.starts_with("X-OCCI-Attribute: "))
        .count();
    assert_eq!(
        (attribute_lines, plain.lines().count()),
        (
            whole.len(),
            3 + entity.built_in.len() + entity.mixins.len() + whole.len()
        ),
        "{plain}"
    );

    let json: Value = serde_json::from_slice(answer(Rendering::Json).body()).unwrap();
    assert_eq!(json["attributes"].as_object().unwrap().len(), whole.len());
    assert!(
        entity
            .attributes
            .iter()
            .all(|(name, value)| json["attributes"][name] == *value)
    );

    let html = String::from_utf8(answer(Rendering::Html).body().to_vec()).unwrap();
    assert!(
        !html.contains("<script") && !html.contains("href=\"javascript:"),
        "{html}"
    );
    let odd = |test: fn(char) -> bool| {
        whole
            .iter()
            .any(|(name, value)| name.chars().chain(value.chars()).any(test))
    };
    let kinds = [
        odd(char::is_control),
        odd(|c| !c.is_ascii()),
        odd(|c| c == ','),
        odd(|c| c == '"'),
        odd(|c| c == '<'),
    ];
    let long = whole
        .values()
        .map(|value| value.len().checked_ilog2().unwrap_or(0) / 4)
        .max()
        .unwrap_or(0);
    format!("{} {kinds:?} {long} {}", whole.len().min(12), lines)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}
