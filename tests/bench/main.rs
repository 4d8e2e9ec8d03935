//! Measures Stampede; prints figures and ratios, judges nothing. Figures of one run belong together: these machines are noisy.
//!
//! `cargo bench -p stampede-tests --bench stampede -- [start] [generate] [memory] [deploy]`; nothing named: all but `deploy`, which
//! needs the real OpenStack (root on Debian, 10 minutes).
//!
//! Layout
//! - [`start`]: from exec to the first answer, and memory at rest
//! - [`generate`]: a plugin in a fresh sandbox beside the same code run natively
//! - [`deploy`]: from deploy to a proved cluster, beside the same work by hand and node by node over SSH
//! - [`figures`]: medians, and how they are printed
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(unreachable_pub, reason = "a program, not a library")]

mod deploy;
mod figures;
mod generate;
mod start;

use anyhow::Result;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let asked = |name: &str| words.iter().any(|w| w == name) || (words.is_empty() && name != "deploy");
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        if asked("start") || asked("memory") {
            start::run().await?;
        }
        if asked("generate") {
            generate::run().await?;
        }
        if asked("deploy") {
            deploy::run().await?;
        }
        Ok(())
    })
}
