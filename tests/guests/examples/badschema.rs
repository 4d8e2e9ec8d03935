//! Its parameters are JSON, but no JSON Schema.

#![cfg(target_family = "wasm")]

use stampede_plugin::{Bundle, Descriptor, Guest, Problem, Request, hot::TemplatePart};

struct BadSchema;

impl Guest for BadSchema {
    fn describe() -> Descriptor {
        let parameters = r#"{"type":"object","properties":{"size":{"type":"whole number","description":"Its type is none."}}}"#;
        Descriptor {
            parameters: parameters.to_owned(),
            ..stampede_plugin::descriptor("badschema", "Bad schema", "Has a type that is none.")
        }
    }

    fn generate(_: Request) -> Result<Bundle, Vec<Problem>> {
        Ok(stampede_plugin::bundle(TemplatePart::new()))
    }
}

stampede_plugin::export!(BadSchema);
