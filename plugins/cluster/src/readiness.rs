//! How nodes report, and when the stack is complete: two wait condition handles and one wait
//! condition.
//!
//! Neither the timeout nor the transport may change in a running cluster: Heat would replace the
//! wait condition or its handle, and with the old one all signals that were ever received.

use serde_json::json;
use stampede_framework::hot::{StackPart, concat, get_attr, get_param, get_resource, resource};
use stampede_framework::{Problem, problem};

use crate::settings::HostFacts;

/// What this file may add.
pub(crate) const TYPES: &[&str] = &[
    "OS::Heat::WaitCondition",
    "OS::Heat::WaitConditionHandle",
    "OS::Heat::Value",
];
/// The bounds of `OS::Heat::WaitCondition`.
const TIMEOUT_S: std::ops::RangeInclusive<u32> = 1..=43_200;
/// The ways to signal that a node speaks.
const TRANSPORTS: [&str; 4] = [
    "HEAT_SIGNAL",
    "CFN_SIGNAL",
    "TOKEN_SIGNAL",
    "TEMP_URL_SIGNAL",
];

/// What Heat would refuse.
pub(crate) fn check_wait_condition(facts: &HostFacts) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !TIMEOUT_S.contains(&facts.timeout_s) {
        let message = format!("must be 1 to 43200 seconds, got {}", facts.timeout_s);
        problems.push(problem(
            "timeout",
            message,
            "Heat waits twelve hours at most",
        ));
    }
    if !TRANSPORTS.contains(&facts.signal_transport.as_str()) {
        problems.push(problem(
            "signal.transport",
            format!(
                "must be one of {}, got {}",
                TRANSPORTS.join(", "),
                facts.signal_transport
            ),
            "",
        ));
    }
    problems
}

/// Adds the handles, the condition, and the lines of shell that tell a node how to signal.
pub(crate) fn add_readiness(template: &mut StackPart, facts: &HostFacts) {
    template.parameter(
        "timeout",
        json!({
            "type": "number", "label": "Timeout", "default": facts.timeout_s,
            "constraints": [{ "range": { "min": TIMEOUT_S.start(), "max": TIMEOUT_S.end() } }],
            "description": "How long the nodes may take until the cluster is proved, in seconds. Not to be changed later.",
        }),
    );
    template.parameter(
        "signal_transport",
        json!({
            "type": "string", "label": "Signal transport", "default": facts.signal_transport,
            "constraints": [{ "allowed_values": TRANSPORTS }],
            "description": "How nodes signal Heat: HEAT_SIGNAL does not end; CFN_SIGNAL ends after fifteen minutes, TOKEN_SIGNAL with its token. Not to be changed later.",
        }),
    );
    let handle = || {
        resource(
            "OS::Heat::WaitConditionHandle",
            json!({ "signal_transport": get_param("signal_transport") }),
        )
    };
    template
        .resource("ready_handle", handle())
        .resource("progress_handle", handle());
    // Signals of nodes that were removed stay counted.
    template.resource(
        "ready",
        resource(
            "OS::Heat::WaitCondition",
            json!({ "handle": get_resource("ready_handle"), "timeout": get_param("timeout"), "count": facts.ready_count }),
        ),
    );
    template.resource(
        "signals",
        resource(
            "OS::Heat::Value",
            json!({ "type": "string", "value": signals() }),
        ),
    );
    template.output(
        "ready",
        "What each node reported when it was proved, by stage.",
        get_attr("ready", &["data"]),
    );
}

/// The lines of the node's header that are the same on every node, made once: each handle's
/// attributes cost Heat a credential's work.
fn signals() -> serde_json::Value {
    let mut pieces = Vec::new();
    for (variable, handle, attribute) in [
        ("STAMPEDE_READY", "ready_handle", "signal"),
        ("STAMPEDE_READY_ENDPOINT", "ready_handle", "endpoint"),
        ("STAMPEDE_READY_TOKEN", "ready_handle", "token"),
        ("STAMPEDE_PROGRESS", "progress_handle", "signal"),
        ("STAMPEDE_PROGRESS_ENDPOINT", "progress_handle", "endpoint"),
        ("STAMPEDE_PROGRESS_TOKEN", "progress_handle", "token"),
    ] {
        let end = if pieces.is_empty() { "" } else { "'\n" };
        pieces.push(format!("{end}{variable}='").into());
        pieces.push(get_attr(handle, &[attribute]));
    }
    pieces.push("'\n".into());
    concat(pieces)
}
