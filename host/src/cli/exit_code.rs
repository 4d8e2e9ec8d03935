//! How a command ends: every exit code, what it means, and which errors end in it.

use std::process::ExitCode;

use crate::{
    openstack::CloudError,
    orchestrator::{OrchestratorError, planning::plan_error::PlanError},
};

use super::{RefusedRequest, UsageError};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandExit {
    /// It did what it was asked to.
    Done,
    /// Stampede itself failed.
    HostFailed,
    /// The command line, a variable or a file of settings.
    WrongUsage,
    /// What was asked for was checked and refused.
    Refused,
    /// No such cluster.
    NotFound,
    /// The cloud refused it, or did not answer.
    CloudFailed,
    /// The cluster, or the change of it.
    ClusterFailed,
    /// The wait was not long enough.
    TimedOut,
    /// SIGHUP, as shells count it.
    HungUp,
    /// SIGINT, as shells count it.
    Interrupted,
    /// SIGTERM, as shells count it.
    Terminated,
}

/// Every way to end, its code, and what it means.
pub(super) const EXITS: [(CommandExit, u8, &str); 11] = [
    (CommandExit::Done, 0, "done as asked"),
    (
        CommandExit::HostFailed,
        1,
        "stampede itself failed: its store, its plugins, a file",
    ),
    (
        CommandExit::WrongUsage,
        2,
        "the command line, a variable or a file of settings is wrong; nothing was done",
    ),
    (
        CommandExit::Refused,
        3,
        "what was asked for was checked and refused; nothing was changed",
    ),
    (
        CommandExit::NotFound,
        4,
        "there is no such cluster in the project",
    ),
    (
        CommandExit::CloudFailed,
        5,
        "the cloud refused it, did not answer or did not take it; standard error says what stands",
    ),
    (
        CommandExit::ClusterFailed,
        6,
        "the cluster failed, or its change did",
    ),
    (
        CommandExit::TimedOut,
        7,
        "--timeout was over before the end; the work stands",
    ),
    (
        CommandExit::HungUp,
        129,
        "the terminal was closed (SIGHUP); the work stands",
    ),
    (
        CommandExit::Interrupted,
        130,
        "interrupted (SIGINT); the work stands",
    ),
    (
        CommandExit::Terminated,
        143,
        "terminated (SIGTERM); the work stands",
    ),
];

impl CommandExit {
    fn code(self) -> u8 {
        EXITS
            .iter()
            .find(|(exit, _, _)| *exit == self)
            .map_or(1, |(_, code, _)| *code)
    }

    /// How a command ends that failed so.
    pub(super) fn of_error(error: &anyhow::Error) -> Self {
        if error.is::<UsageError>() {
            return Self::WrongUsage;
        }
        if error.is::<RefusedRequest>()
            || matches!(error.downcast_ref(), Some(PlanError::Problems(_)))
        {
            return Self::Refused;
        }
        if let Some(error) = error.downcast_ref::<OrchestratorError>() {
            return Self::of_orchestrator(error);
        }
        match error.downcast_ref::<CloudError>() {
            Some(CloudError::Config(_) | CloudError::Credentials(_)) => Self::WrongUsage,
            Some(_) => Self::CloudFailed,
            None => Self::HostFailed,
        }
    }

    fn of_orchestrator(error: &OrchestratorError) -> Self {
        use OrchestratorError as E;
        match error {
            E::NotFound(_) => Self::NotFound,
            E::Invalid(_)
            | E::NotApplicable(_)
            | E::Conflict(_)
            | E::TooMany(_)
            | E::Superseded(_) => Self::Refused,
            E::Unauthorized(_)
            | E::Forbidden(_)
            | E::Cloud(_)
            | E::Outdated(_)
            | E::Busy { .. } => Self::CloudFailed,
            E::Internal(_) => Self::HostFailed,
        }
    }
}

impl From<CommandExit> for ExitCode {
    fn from(exit: CommandExit) -> Self {
        Self::from(exit.code())
    }
}

/// The codes as `--help` lists them.
pub(super) fn help_text() -> String {
    let rows = EXITS.map(|(_, code, meaning)| format!("  {code:>3}  {meaning}\n"));
    format!("Exit codes:\n{}", rows.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cluster::Problem, store::StoreError};

    #[test]
    fn each_error_has_its_code() {
        let problem = || vec![Problem::new("workers", "0 is too few", "")];
        let errors: [(anyhow::Error, u8); 12] = [
            (UsageError(problem()).into(), 2),
            (RefusedRequest(problem()).into(), 3),
            (PlanError::Problems(problem()).into(), 3),
            (PlanError::Broken("x".to_owned()).into(), 1),
            (OrchestratorError::Invalid(problem()).into(), 3),
            (OrchestratorError::NotApplicable("x".to_owned()).into(), 3),
            (OrchestratorError::NotFound("x".to_owned()).into(), 4),
            (OrchestratorError::cloud("x").into(), 5),
            (OrchestratorError::from(StoreError::Taken).into(), 1),
            (CloudError::NeedsTrust.into(), 5),
            (CloudError::Credentials("x".to_owned().into()).into(), 2),
            (std::io::Error::other("x").into(), 1),
        ];
        for (error, code) in errors {
            assert_eq!(CommandExit::of_error(&error).code(), code, "{error:?}");
            let with_context = error.context("while it was shown");
            assert_eq!(CommandExit::of_error(&with_context).code(), code);
        }
    }

    #[test]
    fn every_code_is_its_own_and_operators_can_look_it_up() {
        let manual = include_str!("../../docs/operating.md");
        for (at, (exit, code, meaning)) in EXITS.iter().enumerate() {
            assert_eq!(exit.code(), *code);
            assert!(EXITS[at + 1..].iter().all(|(_, other, _)| other != code));
            let row = format!("| {code} | {meaning} |");
            assert!(manual.contains(&row), "{row}");
        }
    }
}
