//! Why there is no plan, and who has to mend it. Pure.

use crate::{
    bundle::{BuildError, ContractViolations, sizes::LimitViolation},
    cluster::{
        ClusterSpec, Problem, default_groups::many_nodes, group_value::attribute_of, problem::lines,
    },
};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The user's to mend: all that was found at this step.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
    /// A plugin broke: its author's to mend.
    #[error("{0}")]
    Broken(String),
    /// Plugins returned what makes no cluster: their authors' to mend.
    #[error(transparent)]
    Faults(#[from] ContractViolations),
}

impl PlanError {
    /// All of it as problems; what the user cannot mend says so.
    pub fn into_problems(self) -> Vec<Problem> {
        let hint =
            "not a mistake of the request: tell whoever runs this service, or the plugin's author";
        match self {
            Self::Problems(problems) => problems,
            Self::Broken(message) => vec![Problem::new("framework", message, hint)],
            Self::Faults(ContractViolations(faults)) => faults
                .iter()
                .map(|fault| Problem::new("framework", fault.to_string(), hint))
                .collect(),
        }
    }
}

/// What is too large is mended by the request: fewer nodes where there are too many, else less of
/// the settings.
pub(crate) fn not_built(error: BuildError, spec: &ClusterSpec) -> PlanError {
    let (violations, group, most) = match error {
        BuildError::Violations(violations) => return violations.into(),
        BuildError::Access(problems) => return PlanError::Problems(problems),
        BuildError::TooLarge {
            violations,
            largest_group,
            most_nodes,
        } => (violations, largest_group, most_nodes),
    };
    let many = many_nodes(&group);
    let count = spec.groups.get(&group).map_or(0, |group| group.count);
    let hint = if most < count {
        format!("{most} {many} at most with these settings")
    } else {
        format!("shorter settings or fewer {many}")
    };
    let path = attribute_of(&group, "count");
    let problem =
        |excess: &LimitViolation| Problem::new(path.as_str(), excess.to_string(), hint.as_str());
    PlanError::Problems(violations.iter().map(problem).collect())
}
