//! Writes a template as YAML for people, which PyYAML (YAML 1.1, what Heat and its client read
//! with) takes for exactly the same data.
//!
//! The hard part is which texts need quotes. YAML 1.1 reads `no`, `1:30` and `2018-08-31`
//! as a boolean, the number 90 and a date, where YAML 1.2 sees texts; a template with an unquoted
//! version date is another template. The serializer is told to quote by both; what it misses inside
//! brackets is kept out of them, and the tests ask PyYAML itself.

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::Value;
use serde_saphyr::{FlowSeq, SerializerOptions};

/// Items of the longest list that stands in one line.
const FLOW_ITEMS: usize = 6;
/// Characters of the longest text in such a list.
const FLOW_CHARS: usize = 60;

/// The value could not be written as YAML.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the template as YAML: {0}")]
pub struct YamlError(String);

/// The document, ended by a newline. Texts that YAML 1.1 would read as something else (`no`,
/// `2018-08-31`, `0777`, `1:30`) are quoted, and no line is folded.
///
/// # Errors
/// The serializer's own; none is known for JSON values.
pub fn to_yaml(value: &Value) -> Result<String, YamlError> {
    serde_saphyr::to_string_with_options(&ReadableYaml(value), options())
        .map_err(|e| YamlError(e.to_string()))
}

fn options() -> SerializerOptions {
    serde_saphyr::ser_options! {
        // Each text stays on one line, quoted where it must be.
        prefer_block_scalars: false,
        compact_list_indent: false,
        // Quote what YAML 1.1 would read as something else, not only what YAML 1.2 would.
        yaml_12: false,
    }
}

/// A value whose short lists stand in one line: `get_attr: [ready_handle, signal]`.
struct ReadableYaml<'a>(&'a Value);

impl Serialize for ReadableYaml<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) if items.len() <= FLOW_ITEMS && items.iter().all(fits_in_flow) => {
                FlowSeq(items).serialize(serializer)
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(ReadableYaml)),
            Value::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, &ReadableYaml(value))?;
                }
                map.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

/// Whether a value can stand in a list within brackets. There PyYAML takes any `?`, and a `:` at
/// the front, for a key's mark, though the serializer leaves them unquoted.
fn fits_in_flow(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            text.chars().count() <= FLOW_CHARS
                && !text.starts_with(':')
                && !text.chars().any(|c| c == '?' || c.is_control())
        }
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// What PyYAML, with the two constructors that Heat's reader changes, takes each document for.
    fn as_heat_reads(documents: &[String]) -> Vec<Value> {
        const READ: &str = "import json, sys, yaml\n\
            class Loader(getattr(yaml, 'CSafeLoader', yaml.SafeLoader)): pass\n\
            Loader.add_constructor('tag:yaml.org,2002:timestamp', lambda l, n: 'a timestamp, not a text')\n\
            print(json.dumps([yaml.load(d, Loader=Loader) for d in json.load(sys.stdin)]))";
        let mut python = Command::new("python3")
            .args(["-c", READ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        python
            .stdin
            .take()
            .unwrap()
            .write_all(serde_json::to_string(documents).unwrap().as_bytes())
            .unwrap();
        let output = python.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "PyYAML (python3-yaml) must be there and read {documents:?}"
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn survive(values: &[Value]) {
        let documents: Vec<String> = values.iter().map(|value| to_yaml(value).unwrap()).collect();
        for (read, (value, document)) in as_heat_reads(&documents)
            .iter()
            .zip(values.iter().zip(&documents))
        {
            assert_eq!(read, value, "{document}");
        }
    }

    /// What YAML 1.1 reads as something else, or could.
    const TEXTS: &[&str] = &[
        "no",
        "yes",
        "on",
        "off",
        "y",
        "N",
        "True",
        "null",
        "~",
        "",
        "2018-08-31",
        "2018-08-31 10:00:00",
        "1e3",
        "1.5",
        "0777",
        "0o17",
        "0x1f",
        "0b11",
        "1_000",
        "1:30",
        "12:30:45",
        ".inf",
        "-.INF",
        ".nan",
        "=",
        "<<",
        "- a",
        "? a",
        ": a",
        "a: b",
        "a #b",
        "#",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "{",
        "}",
        "[",
        "]",
        ",",
        "a,b",
        "'",
        "\"",
        "\\",
        "\\n",
        "---",
        "...",
        " a",
        "a ",
        "\t",
        "a\nb",
        "a\n",
        "\n",
        "\r\n",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{7f}",
        "\u{1}",
        "\u{0}",
        "ü",
        "\u{1F980}",
        "10.77.0.0/22",
        "$(id)",
        "a:",
        "a: ",
        "::",
        "-",
        "--",
        "?",
        "+1",
        "1.",
        "._",
        "+.5",
        "?a",
        "a?b",
        ":a",
        "?$&.:a",
    ];

    #[test]
    fn texts_that_yaml_1_1_reads_as_something_else_stay_texts() {
        let values: Vec<Value> = TEXTS
            .iter()
            .flat_map(|t| {
                [
                    json!({"a": t}),
                    json!({*t: 1}),
                    json!([t, {"b": [t, {"c": t}]}]),
                    json!([[t]]),
                ]
            })
            .collect();
        survive(&values);
        survive(&[
            json!({"a": "word ".repeat(100), "b": [], "c": {}, "d": [[], {}], "e": null, "f": true, "g": -1, "h": 1.5}),
        ]);
    }

    #[test]
    fn a_template_reads_like_one() {
        let template = json!({"heat_template_version": "2018-08-31", "resources": {"ready": {"properties": {"handle": {"get_attr": ["a", "b"]}}}}});
        let wanted = "heat_template_version: \"2018-08-31\"\nresources:\n  ready:\n    properties:\n      handle:\n        get_attr: [a, b]\n";
        assert_eq!(to_yaml(&template).unwrap(), wanted);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[-+0-9._:eExob ]{1,8}",
            "[ \\n\\t'\"\\\\#:&*!|>%@`{}\\[\\],?-]{1,6}",
            "[a-z]{1,5}"
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.clone().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 6, move |inner| {
            let entry = (text.clone(), inner.clone());
            prop_oneof![
                proptest::collection::vec(inner, 0..6).prop_map(Value::from),
                proptest::collection::vec(entry, 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn any_json_is_the_same_data_to_pyyaml(values in proptest::collection::vec(json_value(), 24)) {
            survive(&values);
        }
    }
}
