//! Says of itself what breaks the contract's rules in many places.

#![cfg(target_family = "wasm")]

use stampede_framework::{
    Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Request, component, descriptor,
};

struct Braggart;

impl Guest for Braggart {
    fn describe() -> Descriptor {
        let mut descriptor = descriptor("braggart", "Braggart", "\u{1b}[2JThe greatest of all.")
            .with_versions(&["1.0", "1.0"])
            .with_components([
                component("throne", &["*", "worker"]).on_nodes(2).voting(),
                component("throne", &[]),
            ])
            .requiring(&["glory"])
            .providing(&["glory"]);
        descriptor.parameters = r#"{"type": "object", "properties": {
            "version": {"type": "string", "description": "Of him."},
            "size": {"type": "integer", "description": "Of him.", "default": "huge", "x-secret": true}
        }}"#
        .to_owned();
        descriptor
    }

    fn claim(_: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        Ok(Claims::of([]))
    }

    fn generate(_: Request, _: Vec<Grant>, _: Vec<Extension>) -> Result<Bundle, Vec<Problem>> {
        Ok(Bundle::default())
    }
}

stampede_framework::export!(Braggart);
