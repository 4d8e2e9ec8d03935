//! Says that it speaks 0.2.0 of the contract, with functions of its own making.

#![cfg(target_family = "wasm")]
#![expect(unsafe_code, reason = "the generated export")]

mod bindings {
    wit_bindgen::generate!({
        inline: "
            package stampede:framework@0.2.0;
            interface framework { describe: func() -> string; }
            world plugin { export framework; }
        ",
        world: "plugin",
    });
}

struct Impostor;

impl bindings::exports::stampede::framework::framework::Guest for Impostor {
    fn describe() -> String {
        "one of you".to_owned()
    }
}

bindings::export!(Impostor with_types_in bindings);
