//! A plugin of the contract 0.2.0 that goes together with few others: it provides what `spark` does,
//! wants a Java of YARN that Hadoop does not run on, and has a page without a password.

#![cfg(target_family = "wasm")]

use stampede_framework::{
    Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Reach, Request, component,
    descriptor, endpoint, need, service, unit,
};

struct Rival;

/// The port of its page.
const PORT: u16 = 7_009;
const NAME: &str = "rival";
const SERVER: &str = "rival_server";

impl Guest for Rival {
    fn describe() -> Descriptor {
        descriptor(NAME, "Rival", "Does what Spark does, on another Java.")
            .with_versions(&["9.0"])
            .with_components([component(SERVER, &["master"]).on_nodes(1)])
            .providing(&["spark"])
    }

    fn claim(_: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        Ok(
            Claims::of([need(SERVER).least(256).ports(&[PORT])]).extending(
                "yarn",
                "java/oldest",
                21,
            ),
        )
    }

    fn generate(_: Request, _: Vec<Grant>, _: Vec<Extension>) -> Result<Bundle, Vec<Problem>> {
        Ok(Bundle {
            units: vec![unit(SERVER, NAME, NAME, "/usr/bin/true")],
            endpoints: vec![endpoint(NAME, SERVER, PORT, "Its page.").reached_by(Reach::Outside)],
            services: vec![service("spark", [])],
            ..Bundle::default()
        })
    }
}

stampede_framework::export!(Rival);
