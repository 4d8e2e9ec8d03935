//! Write a Stampede framework plugin in Rust: implement [`Guest`], then [`export!`] it.
//!
//! The types are those of `wit/framework/0.1.0`; what stands beside them saves an author's typing. A plugin is a pure
//! function and is tested natively, by a plain call of [`Guest::generate`].
//!
//! Layout: [`settings`] reads the parameters, [`hot`] builds the template's recurring pieces.

pub mod hot;
pub mod settings;

#[expect(missing_docs, unreachable_pub, clippy::allow_attributes, clippy::allow_attributes_without_reason, clippy::too_many_lines, unsafe_code,
    reason = "generated from the WIT, which documents it")]
mod bindings {
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
    Audience, Bundle, Cardinality, Descriptor, Endpoint, File, Flavor, Guest, Network, Node, NodeGroup, Port, Problem, Request, Role, Script, Service,
    Share, Size, Stage,
};
