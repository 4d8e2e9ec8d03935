//! Wants something from the host that no plugin is given.

#![cfg(target_family = "wasm")]
#![expect(unsafe_code, reason = "the generated export")]

mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/framework/0.2.0",
        inline: "
            package evil:guest;
            interface vault { secret: func() -> string; }
            world burglar { import vault; include stampede:framework/plugin@0.2.0; }
        ",
        world: "evil:guest/burglar",
    });
}

use bindings::exports::stampede::framework::framework::{
    Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Request,
};

struct Burglar;

impl Guest for Burglar {
    fn describe() -> Descriptor {
        panic!("{}", bindings::evil::guest::vault::secret())
    }

    fn claim(_: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        Err(Vec::new())
    }

    fn generate(_: Request, _: Vec<Grant>, _: Vec<Extension>) -> Result<Bundle, Vec<Problem>> {
        Err(Vec::new())
    }
}

bindings::export!(Burglar with_types_in bindings);
