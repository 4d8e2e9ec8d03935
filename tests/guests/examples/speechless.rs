//! Panics when it is asked what it is.

#![cfg(target_family = "wasm")]

use stampede_plugin::{Bundle, Descriptor, Guest, Problem, Request, hot::TemplatePart};

struct Speechless;

impl Guest for Speechless {
    fn describe() -> Descriptor {
        panic!("who am I?")
    }

    fn generate(_: Request) -> Result<Bundle, Vec<Problem>> {
        Ok(stampede_plugin::bundle(TemplatePart::new()))
    }
}

stampede_plugin::export!(Speechless);
