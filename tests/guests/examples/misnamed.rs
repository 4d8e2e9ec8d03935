//! Says that it is another plugin.

#![cfg(target_family = "wasm")]

use stampede_plugin::{Bundle, Descriptor, Guest, Problem, Request, hot::TemplatePart};

struct Misnamed;

impl Guest for Misnamed {
    fn describe() -> Descriptor {
        stampede_plugin::descriptor("cluster", "Cluster", "Is not.")
    }

    fn generate(_: Request) -> Result<Bundle, Vec<Problem>> {
        Ok(stampede_plugin::bundle(TemplatePart::new()))
    }
}

stampede_plugin::export!(Misnamed);
