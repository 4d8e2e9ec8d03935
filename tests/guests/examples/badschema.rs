//! Its parameters are JSON, but no JSON Schema.

#![cfg(target_family = "wasm")]

use stampede_framework::{
    Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Request, component, descriptor,
};

struct BadSchema;

impl Guest for BadSchema {
    fn describe() -> Descriptor {
        let parameters = r#"{"type":"object","properties":{"size":{"type":"whole number","description":"Its type is none."}}}"#;
        Descriptor {
            parameters: parameters.to_owned(),
            ..descriptor("badschema", "Bad schema", "Has a type that is none.")
                .with_components([component("bad", &["master"])])
        }
    }

    fn claim(_: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        Ok(Claims::of([]))
    }

    fn generate(_: Request, _: Vec<Grant>, _: Vec<Extension>) -> Result<Bundle, Vec<Problem>> {
        Ok(Bundle::default())
    }
}

stampede_framework::export!(BadSchema);
