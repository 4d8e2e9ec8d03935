//! The verbs of the life cycle: one file each, called by the facade; those that change something through
//! [`carry_out`], which journals them ([`journaled`]).

pub(crate) mod at_rest;
pub(crate) mod carry_out;
pub(crate) mod cluster_end;
pub(crate) mod cluster_idle;
pub(crate) mod create;
pub(crate) mod decide_again;
pub(crate) mod delete;
pub(crate) mod deploy;
pub(crate) mod find;
pub(crate) mod form;
pub(crate) mod form_change;
pub(crate) mod form_policy;
pub(crate) mod groups;
pub(crate) mod history;
mod journaled;
pub(crate) mod new_ends;
pub(crate) mod orphans;
pub(crate) mod plan_change;
pub(crate) mod preview;
pub(crate) mod provision;
pub(crate) mod register_session;
pub(crate) mod request_form;
pub(crate) mod request_revision;
pub(crate) mod secret;
pub(crate) mod update;
pub(crate) mod update_preview;
