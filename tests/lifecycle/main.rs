//! The life of clusters through the orchestrator, on the fake OpenStack: what clients see
//! and what the cloud was asked, when all goes well and when something breaks. Plans are made up
//! here; plugins have their own tests.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: what they set up is there"
)]

mod api;
mod api_client;
mod api_events;
mod bad_requests;
mod change_limits;
mod changes;
mod create_delete;
mod deletion;
mod end_times;
mod fairness;
mod faults;
mod figures;
mod fixture;
mod form_checks;
mod form_pages;
mod forms;
mod frameworks;
mod gone;
mod group_places;
mod groups;
mod health;
mod history;
mod idle_ends;
mod images;
mod lost_parts;
mod made_up_plans;
mod memory;
mod moving_plugins;
mod node_groups;
mod old_records;
mod orphans;
mod owners;
mod pinning;
mod plan_once;
mod policy;
mod preview;
mod readers;
mod refusals;
mod regions;
mod restart;
mod rollback;
mod schedules;
mod send_failures;
mod shared_store;
mod situations;
mod takeover;
mod time_left;
mod update;
mod upgrade;
mod upgrade_page;
mod wishes;
