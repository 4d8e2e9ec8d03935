//! Says that it is another plugin.

#![cfg(target_family = "wasm")]

use stampede_framework::{
    Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Request, component, descriptor,
};

struct Misnamed;

impl Guest for Misnamed {
    fn describe() -> Descriptor {
        descriptor("cluster", "Cluster", "Is not.").with_components([component("node", &["*"])])
    }

    fn claim(_: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        Ok(Claims::of([]))
    }

    fn generate(_: Request, _: Vec<Grant>, _: Vec<Extension>) -> Result<Bundle, Vec<Problem>> {
        Ok(Bundle::default())
    }
}

stampede_framework::export!(Misnamed);
