//! What a descriptor may not say.

use serde_json::{Value, json};

use super::super::{limits, read_answer, read_descriptor, refuse_placeholders, wit};
use super::{component, descriptor, read, said, text};
use crate::cluster::default_groups::DEFAULT_GROUPS;
use crate::cluster::framework_request::FrameworkRequest;

type Spoil = fn(&mut wit::Descriptor);

fn parameter(theirs: &mut wit::Descriptor, name: &str, schema: Value) {
    let mut parameters: Value = serde_json::from_str(&theirs.parameters).unwrap();
    parameters["properties"][name] = schema;
    theirs.parameters = parameters.to_string();
}

fn keyword(theirs: &mut wit::Descriptor, name: &str, value: Value) {
    parameter(
        theirs,
        "new",
        json!({"type": "integer", "description": "New.", name: value}),
    );
}

#[test]
fn a_good_one_is_read_field_by_field() {
    let ours = read();
    assert_eq!(
        (ours.name.as_str(), ours.prefix().as_str()),
        ("echo-x", "echo_x")
    );
    assert_eq!(ours.versions, ["1.0", "0.9"]);
    assert_eq!(
        (ours.requires, ours.uses, ours.provides),
        (
            vec!["hdfs".to_owned()],
            vec!["yarn".to_owned()],
            vec!["echo".to_owned()]
        )
    );
    assert_eq!(ours.components.len(), 3);
    assert_eq!(ours.parameters["properties"]["copies"]["minimum"], 1);
}

const SPOILT: &[(Spoil, &str)] = &[
    (
        |d| d.name = "Echo".into(),
        "name: \"Echo\" is not of the form [a-z][a-z0-9-]{0,30}",
    ),
    (|d| d.name = text(limits::NAME_CHARS + 1), "name: "),
    (
        |d| d.name = "network-1".into(),
        "name: \"network-1\" means something else to stampede, or to the system of nodes",
    ),
    (
        |d| d.components[1].groups = vec!["spark-edge".into()],
        "components[1].groups[0]: \"spark-edge\" is not of the form [a-z][a-z0-9]{0,15}",
    ),
    (
        |d| d.components[1].groups = vec![text(17)],
        "components[1].groups[0]: \"xxxxxxxxxxxxxxxxx\" is not",
    ),
    (
        |d| d.components[1].groups = vec!["server".into()],
        "components[1].groups[0]: \"server\" is not of the form [a-z][a-z0-9]{0,15} and free of",
    ),
    (
        |d| d.components[1].groups = vec!["image".into()],
        "components[1].groups[0]: \"image\" is not",
    ),
    (
        |d| (d.name, d.components[1].groups) = ("echo".into(), vec!["echo".into()]),
        "components[1].groups: a group is called as the plugin",
    ),
    (|d| d.title = " ".into(), "title: it is empty"),
    (
        |d| d.description = "\u{1b}[2J".into(),
        "description: \"\\u{1b}[2J\" holds control characters",
    ),
    (
        |d| d.description = text(limits::TEXT_BYTES + 1),
        "description: it is 1025 bytes long, at most 1024 are taken",
    ),
    (
        |d| d.versions[1] = "1.0".into(),
        "versions[1]: \"1.0\" is named twice",
    ),
    (
        |d| d.versions[0] = "1 0".into(),
        "versions[0]: \"1 0\" is not of the form [0-9A-Za-z.+-]{1,32}",
    ),
    (
        |d| d.uses[0] = "hdfs".into(),
        "uses[0]: \"hdfs\" stands in requires too",
    ),
    (
        |d| d.provides.push("hdfs".into()),
        "provides[1]: \"hdfs\" stands in requires too",
    ),
    (
        |d| d.requires.push("H".into()),
        "requires[1]: \"H\" is not of the form",
    ),
    (
        |d| d.resource_types[0] = "Server".into(),
        "resource-types[0]: \"Server\" is not a resource type of HOT",
    ),
    (|d| d.components.clear(), "components: there is none"),
    (
        |d| d.components[1].name = "server".into(),
        "components[1]: \"server\" is named twice",
    ),
    (
        |d| d.components[1].name = "the-client".into(),
        "components[1]: \"the-client\" is not of the form [a-z][a-z0-9_]{0,30}",
    ),
    (
        |d| d.components[0].groups.clear(),
        "components[0].groups: there is none",
    ),
    (
        |d| d.components[0].groups.push("*".into()),
        "components[0].groups: `*` stands alone",
    ),
    (
        |d| d.components[0].groups.push("store".into()),
        "components[0].groups[1]: \"store\" is named twice",
    ),
    (
        |d| d.components[0].nodes = limits::NODES + 1,
        "components[0].nodes: 251 is more than 250",
    ),
    (
        |d| (d.components[0].nodes, d.components[0].most) = (3, 1),
        "components[0].most: 1 is less than its 3 nodes",
    ),
    (
        |d| (d.components[0].nodes, d.components[0].odd) = (2, true),
        "components[0].nodes: 2 is even, and it votes",
    ),
    (
        |d| d.parameters = "{".into(),
        "parameters: they are not JSON: EOF",
    ),
    (
        |d| d.parameters = "[]".into(),
        "parameters: they are not the JSON Schema of an object",
    ),
    (
        |d| d.parameters = text(limits::SCHEMA_BYTES + 1),
        "parameters: it is 65537 bytes long, at most 65536 are taken",
    ),
    (
        |d| keyword(d, "$ref", json!("#")),
        "parameters: its parameters use $ref: write the schema out",
    ),
    (
        |d| keyword(d, "pattern", json!("(?=a)")),
        "parameters: its parameters are not a JSON Schema",
    ),
    (
        |d| keyword(d, "x-fixed", json!("yes")),
        "parameters.new: x-fixed cannot be \"\\\"yes\\\"\"",
    ),
    (
        |d| keyword(d, "x-level", json!("expert")),
        "parameters.new: x-level cannot be",
    ),
    (
        |d| keyword(d, "x-secret", json!(true)),
        "parameters.new: this host does not know the keyword \"x-secret\"",
    ),
    (
        |d| keyword(d, "x-host", json!("network")),
        "parameters.new: x-host is for the plugin `cluster` alone",
    ),
    (
        |d| keyword(d, "default", json!("three")),
        "parameters.new: its default is refused by its own schema",
    ),
    (
        |d| parameter(d, "version", json!({"type": "string", "description": "V."})),
        "parameters.version: that name is the host's own",
    ),
    (
        |d| parameter(d, "new", json!({"type": "string"})),
        "parameters.new: it lacks a description",
    ),
    (
        |d| parameter(d, "Big", json!({"type": "string", "description": "V."})),
        "parameters.Big: its name is not of the form",
    ),
];

#[test]
fn each_rule_is_told_with_its_place() {
    for (spoil, wanted) in SPOILT {
        let mut one = descriptor();
        spoil(&mut one);
        let told = said(read_descriptor(one));
        assert!(
            told.starts_with(wanted) && !told.contains('\n'),
            "{told}\nwanted {wanted}"
        );
    }
}

#[test]
fn lists_and_parameters_are_taken_up_to_their_limit_and_told_beyond_it() {
    type Fill = fn(&mut wit::Descriptor, usize);
    let filled: [(&str, usize, Fill); 8] = [
        ("versions", limits::LIST, |d, count| {
            d.versions = (0..count).map(|at| at.to_string()).collect()
        }),
        ("requires", limits::LIST, |d, count| {
            d.requires = (0..count).map(|at| format!("r{at}")).collect()
        }),
        ("uses", limits::LIST, |d, count| {
            d.uses = (0..count).map(|at| format!("u{at}")).collect()
        }),
        ("provides", limits::LIST, |d, count| {
            d.provides = (0..count).map(|at| format!("p{at}")).collect()
        }),
        ("components", limits::LIST, |d, count| {
            d.components = (0..count).map(|at| component(&format!("c{at}"))).collect()
        }),
        ("components[0].groups", limits::LIST, |d, count| {
            d.components[0].groups = (0..count).map(|at| format!("g{at}")).collect()
        }),
        ("resource-types", limits::LIST, |d, count| {
            d.resource_types = (0..count).map(|at| format!("OS::T{at}")).collect()
        }),
        ("parameters", limits::PARAMETERS, |d, count| {
            let one = json!({"type": "integer", "description": "One."});
            let many = (0..count)
                .map(|at| (format!("p{at}"), one.clone()))
                .collect();
            d.parameters = json!({"type": "object", "properties": Value::Object(many)}).to_string();
        }),
    ];
    for (list, most, fill) in filled {
        let of = |count| {
            let mut one = descriptor();
            fill(&mut one, count);
            read_descriptor(one)
        };
        assert!(of(most).is_ok(), "{list}: {:?}", of(most));
        let wanted = format!("{list}: there are {}, at most {most} are taken", most + 1);
        assert_eq!(said(of(most + 1)), wanted);
    }
    let mut named = descriptor();
    named.name = text(limits::NAME_CHARS);
    named.description = text(limits::TEXT_BYTES);
    (named.components[0].nodes, named.components[0].most) = (limits::NODES, limits::NODES);
    let groups = DEFAULT_GROUPS.iter().map(|group| group.name.to_owned());
    named.components[1].groups = groups.chain([text(16)]).collect();
    read_descriptor(named).unwrap();
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let mut one = descriptor();
    one.name = "Echo".into();
    one.versions.push("1 0".into());
    one.components[2].most = 600;
    keyword(&mut one, "x-fixed", json!(1));
    let told = said(read_descriptor(one));
    assert!(
        told.starts_with("4 things are not as it says:\n  name: "),
        "{told}"
    );
    for place in ["versions[2]", "components[2].most", "parameters.new"] {
        assert!(told.contains(place), "{place}: {told}");
    }
}

#[test]
fn a_refusal_has_problems_and_each_says_where_and_what() {
    let problem = |path: &str, message: &str| wit::Problem {
        path: path.into(),
        message: message.into(),
        hint: String::new(),
    };
    let refuse = |problems: Vec<wit::Problem>| read_answer(Err(problems), |(): ()| Ok(()));
    let many = |count| vec![problem("echo.copies", "is none"); count];
    assert_eq!(
        refuse(many(limits::PROBLEMS)).unwrap().unwrap_err().len(),
        limits::PROBLEMS
    );
    assert_eq!(
        said(refuse(many(limits::PROBLEMS + 1))),
        "problems: there are 101, at most 100 are taken"
    );
    assert_eq!(
        said(refuse(Vec::new())),
        "problems: it refuses the request without one"
    );
    assert_eq!(
        said(refuse(vec![problem("", "is none")])),
        "problems[0].path: it is empty"
    );
    assert_eq!(
        said(refuse(vec![problem("a", "")])),
        "problems[0].message: it is empty"
    );
}

#[test]
fn a_setting_that_nodes_would_take_for_something_of_theirs_is_refused_wherever_it_stands() {
    let of = |settings: Value| {
        let settings = settings.as_object().unwrap().clone();
        let request = FrameworkRequest {
            settings,
            ..FrameworkRequest::default()
        };
        let problems = refuse_placeholders("echo", &request).into_iter();
        problems.map(|problem| problem.path).collect::<Vec<_>>()
    };
    assert!(of(json!({"a": "@ {", "b": ["{@"], "c": 1, "d": {"e": null}})).is_empty());
    let bad = json!({"a": "x @{node}", "b": [["@{"]], "c": {"@{": 1}, "d": {"e": "@{secret.x}"}, "f": "x"});
    assert_eq!(of(bad), ["echo.a", "echo.b", "echo.c", "echo.d"]);
}
