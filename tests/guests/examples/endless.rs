//! Thinks for ever about what it is.

#![cfg(target_family = "wasm")]

use std::hint::black_box;

use stampede_framework::{Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Request};

struct Endless;

impl Guest for Endless {
    fn describe() -> Descriptor {
        let mut turns = 0_u64;
        loop {
            turns = black_box(turns + 1);
        }
    }

    fn claim(_: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        Ok(Claims::of([]))
    }

    fn generate(_: Request, _: Vec<Grant>, _: Vec<Extension>) -> Result<Bundle, Vec<Problem>> {
        Ok(Bundle::default())
    }
}

stampede_framework::export!(Endless);
