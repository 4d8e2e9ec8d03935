//! SDK for a Stampede framework plugin in Rust: implement [`Guest`], then [`export!`] the type. It
//! knows nothing of the host but the contract, `wit/framework/0.1.0`.
//!
//! ```
//! use stampede_plugin::{Bundle, Descriptor, Guest, Problem, Request, hot::TemplatePart};
//!
//! struct Hello;
//!
//! impl Guest for Hello {
//!     fn describe() -> Descriptor {
//!         Descriptor { requires: vec!["cluster".into()], ..stampede_plugin::descriptor("hello", "Hello", "Greets from every node.") }
//!     }
//!     fn generate(request: Request) -> Result<Bundle, Vec<Problem>> {
//!         let mut template = TemplatePart::new();
//!         template.output("hello", "Whom it greets.", request.cluster.as_str());
//!         Ok(stampede_plugin::bundle(template))
//!     }
//! }
//!
//! stampede_plugin::export!(Hello);
//! ```
//!
//! The types are those of `wit/framework/0.1.0`; what stands beside them saves an author's typing.
//! A plugin is a pure function and is tested natively, by a plain call of `Hello::generate`. Build
//! it with `cargo build --release --target wasm32-wasip2` (in Stampede's own repository with
//! `--profile plugin`), as a `cdylib` (and an `rlib`, for its tests).
//!
//! Layout
//! - [`hot`]: the recurring pieces of a template
//! - [`settings`]: the parameters, typed
//! - `request`: what is looked up in a [`Request`] again and again

pub mod hot;
mod request;
pub mod settings;

/// What `wit-bindgen` makes of the contract; public for [`export!`] alone.
#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        world: "plugin",
        path: "../../wit/framework/0.1.0",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "stampede_plugin::bindings",
        additional_derives: [PartialEq, Clone],
    });
}

pub use bindings::exports::stampede::framework::framework::{
    Audience, Bundle, Cardinality, Descriptor, Endpoint, File, Flavor, Guest, Network, Node,
    NodeGroup, Port, Problem, Request, Role, Script, Service, Share, Size, Stage,
};

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

/// A descriptor of a framework without versions, parameters, roles and ports: fill in the rest with
/// `..`.
pub fn descriptor(name: &str, title: &str, description: &str) -> Descriptor {
    Descriptor {
        name: name.to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
        versions: Vec::new(),
        default_version: String::new(),
        requires: Vec::new(),
        provides: Vec::new(),
        roles: Vec::new(),
        parameters: r#"{"type":"object","properties":{},"additionalProperties":false}"#.to_owned(),
        ports: Vec::new(),
        resource_types: Vec::new(),
    }
}

/// A bundle of a template alone: fill in the rest with `..`.
pub fn bundle(template: hot::TemplatePart) -> Bundle {
    Bundle {
        template: template.into_json(),
        files: Vec::new(),
        scripts: Vec::new(),
        endpoints: Vec::new(),
        services: Vec::new(),
        taken: Vec::new(),
    }
}

/// A problem: the setting as the user writes it, what is wrong (a lowercase fragment), what to do
/// (may be empty).
pub fn problem(
    path: impl Into<String>,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Problem {
    Problem {
        path: path.into(),
        message: message.into(),
        hint: hint.into(),
    }
}
