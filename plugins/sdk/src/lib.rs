//! SDK for a Stampede framework plugin in Rust, on the contract 0.2.0: implement [`Guest`], then
//! [`export!`] the type. It knows nothing of the host but the contract, `wit/framework/0.2.0`.
//!
//! ```
//! use stampede_framework::{
//!     Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Request, component, descriptor, file, java, need, unit,
//! };
//!
//! struct Hello;
//!
//! impl Guest for Hello {
//!     fn describe() -> Descriptor {
//!         descriptor("hello", "Hello", "Greets whoever asks.").with_components([component("hello", &["worker"])])
//!     }
//!     fn claim(_: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
//!         Ok(Claims::of([need("hello").least(256).most(1_024).weight(1).ports(&[8_000])]))
//!     }
//!     fn generate(request: Request, grants: Vec<Grant>, _: Vec<Extension>) -> Result<Bundle, Vec<Problem>> {
//!         let run = |grant: &Grant| {
//!             let exec = format!("@{{java}}/bin/java -Xmx{}m -jar /opt/hello.jar", grant.memory_mib - 128);
//!             unit("hello", "hello", "hello", exec).in_group(&grant.group)
//!         };
//!         Ok(Bundle {
//!             software: vec![java(17, 21)],
//!             files: vec![file("/etc/hello", format!("from {} on @{{node}}\n", request.cluster))],
//!             units: grants.iter().map(run).collect(),
//!             ..Bundle::default()
//!         })
//!     }
//! }
//!
//! stampede_framework::export!(Hello);
//! ```
//!
//! The types are those of `wit/framework/0.2.0`, whose comments say what each field means and what
//! the host refuses; what stands beside them saves an author's typing. A plugin is three pure
//! functions and is tested natively, by plain calls. Build it with `cargo build --release --target
//! wasm32-wasip2`, as a `cdylib` (and an `rlib`, for its tests).
//!
//! Layout
//! - `asked`: what is looked up in a [`Request`] and in grants again and again
//! - [`parameters`]: the JSON Schema of a plugin's parameters, and its settings as a type
//! - [`hot`]: the recurring pieces of a Heat template
//! - `claimed`: what `describe` and `claim` answer; `added`: what `generate` answers
//! - [`rehearsal`]: a cluster as the host would plan it, for native tests

mod added;
mod asked;
mod claimed;
pub mod hot;
pub mod parameters;
#[cfg(not(target_family = "wasm"))]
pub mod rehearsal;

/// What `wit-bindgen` makes of the contract; public for [`export!`] alone.
#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        world: "plugin",
        path: "../../wit/framework/0.2.0",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "stampede_framework::bindings",
        additional_derives: [PartialEq, Clone],
    });
}

pub use added::{
    apache, apt, archive, check, config_lines, endpoint, file, java, pip, script, secret, service,
    unit,
};
pub use asked::{first_grant, grants_of};
pub use bindings::exports::stampede::framework::framework::{
    Artifact, Bundle, Check, Claims, Component, Descriptor, Effect, Endpoint, Extension, File,
    Grant, Guest, Member, Need, Placement, Problem, Reach, Request, Script, Secret, Service,
    Software, Stage, Unit,
};
pub use claimed::{component, descriptor, extension, need, problem};

/// Makes the type that implements [`Guest`] the component's export. Natively it exports nothing, so
/// that one test may link several plugins; that the type is there and implements the trait is
/// checked all the same.
#[macro_export]
macro_rules! export {
    ($guest:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::export_component!($guest with_types_in $crate::bindings);
        #[cfg(not(target_family = "wasm"))]
        const _: () = $crate::assert_guest::<$guest>();
    };
}

/// Compiles for types that implement [`Guest`] alone; public for [`export!`].
#[doc(hidden)]
pub const fn assert_guest<T: Guest>() {}

fn owned<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}
