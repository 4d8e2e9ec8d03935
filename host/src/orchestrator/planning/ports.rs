//! Ports that two components of one node would listen on. Pure.

use std::collections::BTreeSet;

use crate::bundle::node_classes::NodeClass;
use crate::cluster::{Problem, component::ComponentNeed};

/// Problems that are told.
const MOST_TOLD: usize = 100;

/// Needs of one plugin, by its name; in the order of the plugins.
pub type NeedsByPlugin<'a> = [(&'a str, &'a [ComponentNeed])];

/// One problem for each port that two components of one node claim, however many nodes that are; of
/// them no more than people read.
pub fn find_port_conflicts(needs: &NeedsByPlugin<'_>, classes: &[NodeClass]) -> Vec<Problem> {
    let all: Vec<(&str, &ComponentNeed)> = needs
        .iter()
        .flat_map(|(plugin, needs)| needs.iter().map(|need| (*plugin, need)))
        .collect();
    let mut told = BTreeSet::new();
    let mut problems = Vec::new();
    // Who has a port on which class: plugins choose how many there are.
    let mut taken: Vec<Option<(usize, usize)>> = vec![None; usize::from(u16::MAX) + 1];
    for (number, class) in classes.iter().enumerate() {
        let here = all.iter().enumerate();
        let here = here.filter(|(_, (_, need))| class.components.contains(&need.component));
        for (own, (plugin, need)) in here {
            for port in &need.ports {
                let slot = &mut taken[usize::from(*port)];
                let other = slot.filter(|(at, _)| *at == number);
                *slot = Some((number, own));
                let Some((_, other)) = other else { continue };
                if !told.insert((*port, other, own)) {
                    continue;
                }
                if problems.len() == MOST_TOLD {
                    return problems;
                }
                let (other_plugin, other) = all[other];
                let other = (other_plugin, other.component.as_str());
                let own = (*plugin, need.component.as_str());
                problems.push(describe(*port, other, own, class));
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
            name: "any".to_owned(),
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

    #[test]
    fn as_many_clashes_as_people_read_are_told() {
        let names: Vec<String> = (0..1_024).map(|at| format!("c{at}")).collect();
        let ports = |first: u16| (first..first + 64).collect::<Vec<u16>>();
        let needs = |first: fn(usize) -> u16| -> Vec<ComponentNeed> {
            let named = names.iter().enumerate();
            named
                .map(|(at, name)| need(name, &ports(first(at))))
                .collect()
        };
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        let classes: Vec<NodeClass> = (0..251)
            .map(|at| class(&format!("n{at}"), &all[at..]))
            .collect();
        let same = needs(|_| 1_000);
        let problems = find_port_conflicts(&[("one", &same)], &classes);
        assert_eq!(problems.len(), MOST_TOLD);
        let apart = needs(|at| (at % 1_000) as u16 * 64);
        let problems = find_port_conflicts(&[("one", &apart[..1_000])], &classes);
        assert_eq!(problems, Vec::new());
        let some = needs(|at| if at < 101 { 7_000 } else { 10_000 + at as u16 });
        let told = |count: usize| {
            let some: Vec<ComponentNeed> = some[..count]
                .iter()
                .map(|one| need(&one.component, &one.ports[..1]))
                .collect();
            find_port_conflicts(&[("one", &some)], &classes[..1]).len()
        };
        assert_eq!(
            (told(2), told(100), told(101), told(200)),
            (1, 99, 100, 100)
        );
    }
}
