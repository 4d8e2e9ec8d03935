//! Measures Stampede; prints figures and ratios, judges nothing. Figures of one run belong
//! together: these machines are noisy.
//!
//! `cargo bench -p stampede-tests --bench stampede -- [start] [memory] [generate] [load] [clusters]
//! [pages] [slow] [sizes] [deploy]`; nothing named: the first three. `deploy` needs the real OpenStack (root on
//! Debian, 10 minutes a shape; `deploy 4 plain` is one of four). `STAMPEDE_BIN` names another host
//! than the development build's: the image's is target/image/rootfs/opt/stampede/stampede, once
//! tests/image/build has run.
//!
//! Layout
//! - [`start`]: from exec to the first answer, and memory at rest
//! - [`generate`]: a plugin in a fresh sandbox beside the same code run natively
//! - [`deploy`]: from deploy to a verified cluster, beside the same work by hand and node by node
//!   over SSH; [`ways`]: how each of them goes
//! - [`load`]: requests a CPU second and latency, beside a bare handler that sends the same bytes;
//!   [`generator`], [`served`]: both ends of it
//! - [`clusters`]: ten thousand of them in one host; [`pages`]: their lists and open streams
//! - [`sizes`]: what nodes are given to boot by
//! - [`slow`]: what idle and slow connections cost the others
//! - [`figures`]: medians, and how they are printed
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(unreachable_pub, reason = "a program, not a library")]

mod clusters;
mod deploy;
mod figures;
mod generate;
mod generator;
mod load;
#[path = "../plugins/native.rs"]
mod native;
mod pages;
mod served;
mod sizes;
mod slow;
mod start;
mod ways;

use anyhow::Result;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let asked = |name: &str| {
        words.iter().any(|w| w == name)
            || (words.is_empty() && ["start", "generate"].contains(&name))
    };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        if asked("start") || asked("memory") {
            start::run().await?;
        }
        if asked("generate") {
            generate::run().await?;
        }
        if asked("load") {
            load::run().await?;
        }
        if asked("clusters") {
            clusters::run().await?;
        }
        if asked("pages") {
            pages::run().await?;
        }
        if asked("sizes") {
            sizes::run()?;
        }
        if asked("slow") {
            slow::run().await?;
        }
        if asked("deploy") {
            deploy::run(&words).await?;
        }
        Ok(())
    })
}
