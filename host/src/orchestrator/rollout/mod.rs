//! A change to a running cluster.
//!
//! Layout
//! - `update_request`: what a request asks for (pure)
//! - `desired_state`: what the cluster is to be, from that; `next_nodes`: with which nodes (pure);
//!   `new_node_attributes`: what only new nodes may be given (pure)
//! - `rested_clusters`: the clusters at rest that the change goes by (pure); `nodes_at_rest`: what
//!   stands on their nodes (pure)
//! - `steps`: the steps there, `steps_back`: those back (both pure)
//! - `distinct_plans`: what the steps are made of: plans, over what the stack has where it must be;
//!   `plan_sources`: or of that alone (pure)
//! - `running_stack`: what Heat has of the cluster
//! - `renewed_template`: or, in an upgrade, of what the plugins of now make (pure)
//! - `lay_digests`: what stands on the nodes then (pure)
//! - `change_plan`: every step as Heat will be given it, before the first is sent
//! - `execute`: carries out one step at a time; `rollback`: leads back

pub(crate) mod change_plan;
pub(crate) mod desired_state;
pub(crate) mod distinct_plans;
pub(crate) mod execute;
mod lay_digests;
mod new_node_attributes;
pub(crate) mod next_nodes;
pub(crate) mod nodes_at_rest;
pub(crate) mod plan_sources;
mod renewed_template;
pub(crate) mod rested_clusters;
pub(crate) mod rollback;
pub(crate) mod running_stack;
pub(crate) mod steps;
mod steps_back;
pub(crate) mod update_request;
