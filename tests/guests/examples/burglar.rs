//! Wants something from the host that no plugin is given.

#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "the generated export"))]

#[expect(clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated from the WIT")]
#[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "exported from the component alone"))]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/framework/0.1.0",
        inline: "
            package evil:guest;
            interface vault { secret: func() -> string; }
            world burglar { import vault; include stampede:framework/plugin@0.1.0; }
        ",
        world: "evil:guest/burglar",
    });
}

use bindings::exports::stampede::framework::framework::{Bundle, Descriptor, Guest, Problem, Request};

struct Burglar;

impl Guest for Burglar {
    fn describe() -> Descriptor {
        panic!("{}", bindings::evil::guest::vault::secret())
    }

    fn generate(_: Request) -> Result<Bundle, Vec<Problem>> {
        Err(Vec::new())
    }
}

#[cfg(target_family = "wasm")]
bindings::export!(Burglar with_types_in bindings);
