//! Speaks a version of the contract that no host speaks yet.

#![cfg(target_family = "wasm")]
#![expect(unsafe_code, reason = "the generated export")]

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

bindings::export!(Future with_types_in bindings);
