//! What the schema of parameters may not say, and how much work it may make.

use serde_json::{Map, Value, json};

use super::super::{read_claims, read_descriptor, wit};
use super::{descriptor, said};
use crate::cluster::framework::CLUSTER;
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::plugin::ContractBreach;

fn with(
    plugin: &str,
    change: impl FnOnce(&mut Value),
) -> Result<FrameworkDescriptor, ContractBreach> {
    let mut theirs = descriptor();
    theirs.name = plugin.into();
    let mut parameters: Value = serde_json::from_str(&theirs.parameters).unwrap();
    change(&mut parameters);
    theirs.parameters = parameters.to_string();
    read_descriptor(theirs)
}

fn with_new(schema: Value) -> Result<FrameworkDescriptor, ContractBreach> {
    with("echo-x", |parameters| {
        parameters["properties"]["new"] = schema
    })
}

#[test]
fn a_keyword_of_the_hosts_stands_beside_a_parameters_type_and_nowhere_else() {
    let inside = [
        json!({"properties": {"a": {"x-fixed": true}}}),
        json!({"items": {"x-fixed": true}}),
        json!({"items": {"allOf": [{"not": {"x-fixed": true}}]}}),
        json!({"patternProperties": {"^a": {"x-fixed": true}}}),
        json!({"prefixItems": [true, {"x-fixed": true}]}),
        json!({"if": {"x-fixed": true}}),
        json!({"$defs": {"x-a": {"x-fixed": true}}}),
        json!({"dependentSchemas": {"x-a": {"x-fixed": true}}}),
    ];
    for mut schema in inside {
        schema["type"] = "object".into();
        schema["description"] = "New.".into();
        assert_eq!(
            said(with_new(schema.clone())),
            "parameters.new: \"x-fixed\" stands beside a parameter's type alone",
            "{schema}"
        );
        let above = with("echo-x", |parameters| parameters["allOf"] = json!([schema]));
        assert_eq!(
            said(above),
            "parameters: \"x-fixed\" stands beside a parameter's type alone"
        );
    }
    let top = with("echo-x", |parameters| parameters["x-fixed"] = true.into());
    assert!(said(top).starts_with("parameters: \"x-fixed\" stands"));
    // A name is no keyword, and a value holds none.
    let names = json!({
        "type": "object", "description": "New.", "x-fixed": true, "default": {"x-a": 1}, "enum": [{"x-a": 1}],
        "properties": {"x-a": {"const": 1}}, "patternProperties": {"x-b": {}}, "required": ["x-a"],
    });
    with_new(names).unwrap();
}

#[test]
fn a_default_is_no_text_that_nodes_would_replace() {
    let list = |default: Value| {
        let types = json!(["array", "object", "string"]);
        with_new(json!({"type": types, "description": "New.", "default": default}))
    };
    for bad in [
        json!("@{node}"),
        json!([["a@{"]]),
        json!({"@{secret.x}": 1}),
    ] {
        assert_eq!(
            said(list(bad)),
            "parameters.new: `@{` stands in files and units alone"
        );
    }
    list(json!(["@ {", "{@"])).unwrap();
}

#[test]
fn what_the_host_fills_in_is_for_one_plugin_and_asked_of_nobody() {
    let fact = |plugin: &str, more: Value, change: fn(&mut Value)| {
        with(plugin, |parameters| {
            let mut schema =
                json!({"type": "object", "description": "The net.", "x-host": "network"});
            schema
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            parameters["properties"]["net"] = schema;
            change(parameters);
        })
    };
    let nothing: fn(&mut Value) = |_| ();
    fact(CLUSTER, json!({}), nothing).unwrap();
    fact(CLUSTER, json!({"required": ["net"]}), nothing).unwrap();
    assert_eq!(
        said(fact("echo-x", json!({}), nothing)),
        "parameters.net: x-host is for the plugin `cluster` alone"
    );
    assert_eq!(
        said(fact(CLUSTER, json!({"x-host": "moon"}), nothing)),
        "parameters.net: this host fills in no \"moon\""
    );
    for (keyword, value) in [("default", json!({})), ("x-fixed", json!(true))] {
        let told = said(fact(CLUSTER, json!({keyword: value}), nothing));
        assert_eq!(
            told,
            format!("parameters.net: what the host fills in has no {keyword}")
        );
    }
    let ways: [fn(&mut Value); 5] = [
        |p| p["required"] = json!(["copies", "net"]),
        |p| p["allOf"] = json!([{"required": ["net"]}]),
        |p| p["if"] = json!({"not": {"required": ["net"]}}),
        |p| p["dependentRequired"] = json!({"copies": ["net"]}),
        |p| p["dependentSchemas"] = json!({"copies": {"anyOf": [{"required": ["net"]}]}}),
    ];
    for way in ways {
        assert_eq!(
            said(fact(CLUSTER, json!({}), way)),
            "parameters.net: what the host fills in is in no claim, and cannot be required"
        );
    }
    let computed = wit::Claims {
        needs: Vec::new(),
        extensions: Vec::new(),
        computed: vec![("net".into(), "{}".into())],
    };
    let ours = fact(CLUSTER, json!({}), nothing).unwrap();
    assert_eq!(
        said(read_claims(&ours, &Map::new(), computed)),
        "computed[0]: `net` is filled in by the host, and is not to be computed"
    );
}

/// An array against many rules for its items: the number of both multiplied is what it takes.
fn heavy(items: usize, rules: usize) -> Value {
    let rule = json!({"multipleOf": 1});
    json!({
        "type": "array", "description": "New.", "default": vec![0; items], "items": {"allOf": vec![rule; rules]},
    })
}

#[test]
fn a_default_that_takes_long_to_check_is_not_checked() {
    with_new(heavy(500, 250)).unwrap();
    let told = said(with_new(heavy(10_000, 2_400)));
    assert!(
        told.starts_with("parameters.new: its default has 20001 bytes and its schema 14"),
        "{told}"
    );
}

/// Twenty levels took 47 seconds.
#[test]
fn a_schema_that_takes_twice_as_long_for_each_level_is_refused() {
    for keyword in ["unevaluatedProperties", "unevaluatedItems"] {
        let mut schema = json!({"type": "object"});
        for _ in 0..40 {
            schema = json!({"anyOf": [schema], keyword: {"type": "integer"}});
        }
        schema["type"] = "object".into();
        schema["description"] = "New.".into();
        schema["default"] = json!({"a": 1});
        assert_eq!(
            said(with_new(schema)),
            format!("parameters: its parameters use {keyword}: write the schema out")
        );
    }
}

fn computing(schema: Value, computed: Vec<(String, String)>) -> Result<(), ContractBreach> {
    let ours = with_new(schema).unwrap();
    let theirs = wit::Claims {
        needs: Vec::new(),
        extensions: Vec::new(),
        computed,
    };
    read_claims(&ours, &Map::new(), theirs).map(drop)
}

#[test]
fn what_was_computed_is_checked_once_and_never_for_long() {
    let rule = |rules: usize| {
        let all = vec![json!({"multipleOf": 1}); rules];
        json!({"type": "array", "description": "New.", "items": {"allOf": all}})
    };
    let list = |items: usize| format!("[{}]", vec!["0"; items].join(","));
    let one = |text: String| vec![("new".to_owned(), text)];
    computing(rule(500), one(list(500))).unwrap();
    let told = said(computing(rule(2_400), one(list(500))));
    assert!(
        told.starts_with("computed[0]: `new` has 1001 bytes and its schema 4"),
        "{told}"
    );
    // Too long a text is told alone, and again is told as such.
    let told = said(computing(rule(1), one(list(513))));
    assert_eq!(
        told,
        "computed[0]: it is 1027 bytes long, at most 1024 are taken"
    );
    let again = vec![("new".to_owned(), "[1.5]".to_owned()); 3];
    let told = said(computing(rule(1), again));
    assert_eq!(told.matches("multiple").count(), 1, "{told}");
    assert_eq!(
        told.matches("\"new\" is computed twice").count(),
        2,
        "{told}"
    );
}

#[test]
fn what_was_computed_goes_together_with_what_was_set() {
    let ours = with("echo-x", |parameters| {
        parameters["not"] =
            json!({"required": ["copies", "motto"], "properties": {"copies": {"minimum": 9}}});
    })
    .unwrap();
    let claims = |copies: &str| wit::Claims {
        needs: Vec::new(),
        extensions: Vec::new(),
        computed: vec![("copies".into(), copies.into())],
    };
    let settings = json!({"motto": "hi"}).as_object().unwrap().clone();
    read_claims(&ours, &settings, claims("8")).unwrap();
    read_claims(&ours, &Map::new(), claims("9")).unwrap();
    let told = said(read_claims(&ours, &settings, claims("9")));
    assert!(
        told.starts_with("computed: with the settings it is refused by the parameters' schema: "),
        "{told}"
    );
}
