//! Polls a condition until it holds or a time is over.

use std::time::Duration;

use anyhow::{Result, bail};

/// Repeats `condition` every half second; an error of it counts as "not yet" and is named at the
/// end.
pub async fn wait_until(
    seconds: u64,
    what: &str,
    mut condition: impl AsyncFnMut() -> Result<bool>,
) -> Result<()> {
    let end = std::time::Instant::now() + Duration::from_secs(seconds);
    loop {
        let last = condition().await;
        if matches!(last, Ok(true)) {
            return Ok(());
        }
        if std::time::Instant::now() > end {
            match last {
                Err(error) => return Err(error.context(format!("not within {seconds} s: {what}"))),
                Ok(_) => bail!("not within {seconds} s: {what}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
