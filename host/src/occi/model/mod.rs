//! The OCCI model of this service: its categories, a cluster as an entity, and the mixins that
//! projects define. Values only, no rendering.
//!
//! Layout
//! - [`user_mixin`]: mixins that projects define for themselves
//! - [`categories`]: the kind, its actions, frameworks' mixins and how a category is found
//! - [`entity`]: path, actions, attributes and mixins of one cluster

pub mod categories;
pub mod entity;
pub mod user_mixin;
