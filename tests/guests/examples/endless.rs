//! Thinks for ever about what it is.

#![cfg(target_family = "wasm")]

use std::hint::black_box;

use stampede_plugin::{Bundle, Descriptor, Guest, Problem, Request, hot::TemplatePart};

struct Endless;

impl Guest for Endless {
    fn describe() -> Descriptor {
        let mut turns = 0_u64;
        loop {
            turns = black_box(turns + 1);
        }
    }

    fn generate(_: Request) -> Result<Bundle, Vec<Problem>> {
        Ok(stampede_plugin::bundle(TemplatePart::new()))
    }
}

stampede_plugin::export!(Endless);
