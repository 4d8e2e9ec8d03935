//! Panics when it is asked what it is.

#![cfg(target_family = "wasm")]

use stampede_framework::{Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Request};

struct Speechless;

impl Guest for Speechless {
    fn describe() -> Descriptor {
        panic!("who am I?")
    }

    fn claim(_: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        Ok(Claims::of([]))
    }

    fn generate(_: Request, _: Vec<Grant>, _: Vec<Extension>) -> Result<Bundle, Vec<Problem>> {
        Ok(Bundle::default())
    }
}

stampede_framework::export!(Speechless);
