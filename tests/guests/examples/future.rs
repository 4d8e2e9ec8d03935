//! Speaks a version of the contract that no host speaks yet.

#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "the generated export"))]

#[expect(clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated from the WIT")]
#[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "exported from the component alone"))]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package stampede:framework@9.9.0;
            interface framework { describe: func() -> string; }
            world plugin { export framework; }
        ",
        world: "plugin",
    });
}

struct Future;

impl bindings::exports::stampede::framework::framework::Guest for Future {
    fn describe() -> String {
        "from the future".to_owned()
    }
}

#[cfg(target_family = "wasm")]
bindings::export!(Future with_types_in bindings);
