//! The OCCI model of this service: its categories, a cluster as an entity, and the mixins that
//! projects define. Values only, no rendering.
//!
//! Layout
//! - [`user_mixin`]: mixins that projects define for themselves
//! - [`categories`]: kinds, actions, this service's mixins and how a category is found
//! - [`attribute_definition`]: what a category says of an attribute
//! - [`entity`]: path, actions, attributes and mixins of one cluster; `shown_texts`: what they say

pub mod attribute_definition;
pub mod categories;
pub mod entity;
mod shown_texts;
pub mod user_mixin;
