//! Reads variables of this process's environment. A variable that is set and empty counts as not
//! set, as in most shells' `${NAME:-default}`. Options of commands that have a variable are clap's
//! to read.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// A variable as text; `None` where it is not set, empty or not UTF-8.
pub fn read_text(name: &str) -> Option<String> {
    read_os(name)?.into_string().ok()
}

/// A variable as a path; `None` where it is not set or empty.
pub fn read_path(name: &str) -> Option<PathBuf> {
    read_os(name).map(PathBuf::from)
}

/// All variables, as they are.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where all variables are read"
)]
pub fn read_all() -> impl Iterator<Item = (OsString, OsString)> {
    env::vars_os()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a variable is read"
)]
fn read_os(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
