//! Ports that two components of one node would listen on. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::node_classes::NodeClass;
use crate::cluster::{Problem, component::ComponentNeed};

/// Needs of one plugin, by its name; in the order of the plugins.
pub type NeedsByPlugin<'a> = [(&'a str, &'a [ComponentNeed])];

/// One problem for each port that two components of one node claim, however many nodes that are.
pub fn find_port_conflicts(needs: &NeedsByPlugin<'_>, classes: &[NodeClass]) -> Vec<Problem> {
    let mut told = BTreeSet::new();
    let mut problems = Vec::new();
    for class in classes {
        let mut taken: BTreeMap<u16, (&str, &str)> = BTreeMap::new();
        let here = needs.iter().flat_map(|(plugin, needs)| {
            let needs = needs.iter();
            needs
                .filter(|need| class.components.contains(&need.component))
                .map(|need| (*plugin, need))
        });
        for (plugin, need) in here {
            let own = (plugin, need.component.as_str());
            for port in &need.ports {
                let Some(other) = taken.insert(*port, own) else {
                    continue;
                };
                if told.insert((*port, other, own)) {
                    problems.push(describe(*port, other, own, class));
                }
            }
        }
    }
    problems
}

fn describe(
    port: u16,
    (other_plugin, other): (&str, &str),
    (plugin, component): (&str, &str),
    class: &NodeClass,
) -> Problem {
    Problem::new(
        "framework",
        format!(
            "`{other}` of {other_plugin} and `{component}` of {plugin} both listen on port {port}, on {} for one",
            class.example
        ),
        format!(
            "put one of them on another group by GROUP.components={component}, or give one another port if {plugin} or {other_plugin} has a parameter for it"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(component: &str, ports: &[u16]) -> ComponentNeed {
        ComponentNeed {
            component: component.to_owned(),
            ports: ports.to_vec(),
            ..ComponentNeed::default()
        }
    }

    fn class(example: &str, components: &[&str]) -> NodeClass {
        NodeClass {
            group: "any".to_owned(),
            components: components.iter().map(|name| (*name).to_owned()).collect(),
            example: example.to_owned(),
        }
    }

    #[test]
    fn a_port_is_taken_once_on_a_node_and_each_clash_is_told_once() {
        let (flink, spark) = (
            [need("flink_jobmanager", &[6_123, 8_081])],
            [
                need("spark_master", &[7_077]),
                need("spark_worker", &[8_081]),
            ],
        );
        let needs: &NeedsByPlugin<'_> = &[("flink", &flink), ("spark", &spark)];
        let apart = [
            class("one", &["flink_jobmanager", "spark_master"]),
            class("two", &["spark_worker"]),
        ];
        assert_eq!(find_port_conflicts(needs, &apart), Vec::new());
        let together = [
            class("one", &["flink_jobmanager", "spark_worker"]),
            class("two", &["flink_jobmanager", "spark_master", "spark_worker"]),
        ];
        let problems = find_port_conflicts(needs, &together);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(
            problems[0].message,
            "`flink_jobmanager` of flink and `spark_worker` of spark both listen on port 8081, on one for one"
        );
    }

    #[test]
    fn two_components_of_one_plugin_clash_as_well() {
        let own = [need("broker", &[9_092]), need("proxy", &[9_092])];
        let classes = [class("worker-1", &["broker", "proxy"])];
        let problems = find_port_conflicts(&[("kafka", &own)], &classes);
        assert!(
            problems[0]
                .message
                .contains("`broker` of kafka and `proxy` of kafka"),
            "{problems:?}"
        );
    }
}
