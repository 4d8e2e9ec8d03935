//! The signals by which others end a process: SIGINT, SIGTERM, and SIGHUP of a terminal that was
//! closed, which stays ignored where `nohup` has had it ignored. SIGINT is heeded always: a shell
//! has what it starts by `&` ignore it, and who sends it to that means it.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Which of them came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndingSignal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    Hangup,
}

/// From when it is made on, none of them ends the process by itself: as a container's first process
/// it would not even see a signal that nobody waits for.
pub struct EndingSignals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    hangup: Option<Signal>,
}

impl EndingSignals {
    /// Listens.
    pub fn listen() -> Self {
        let ignored = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = ignored_signals(&ignored);
        let listen = |kind: SignalKind| {
            signal(kind)
                .inspect_err(|error| tracing::warn!("cannot wait for signals: {error}"))
                .ok()
        };
        let hangup = SignalKind::hangup();
        Self {
            interrupt: listen(SignalKind::interrupt()),
            terminate: listen(SignalKind::terminate()),
            hangup: (!is_in(ignored, hangup)).then(|| listen(hangup)).flatten(),
        }
    }

    /// The next one.
    pub async fn recv(&mut self) -> EndingSignal {
        tokio::select! {
            biased;
            () = next(&mut self.hangup) => EndingSignal::Hangup,
            () = next(&mut self.interrupt) => EndingSignal::Interrupt,
            () = next(&mut self.terminate) => EndingSignal::Terminate,
        }
    }
}

async fn next(signals: &mut Option<Signal>) {
    match signals {
        Some(signals) => drop(signals.recv().await),
        None => std::future::pending().await,
    }
}

/// The mask of a process's status; none where the system does not say.
fn ignored_signals(status: &str) -> u64 {
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

fn is_in(mask: u64, kind: SignalKind) -> bool {
    let bit = u32::try_from(kind.as_raw_value() - 1).unwrap_or(u32::MAX);
    mask.checked_shr(bit).is_some_and(|rest| rest & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_from_the_mask() {
        let status = "Name:\tx\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001003\n";
        let mask = ignored_signals(status);
        assert!(is_in(mask, SignalKind::hangup()) && is_in(mask, SignalKind::interrupt()));
        assert!(!is_in(mask, SignalKind::terminate()));
        for silent in ["", "SigIgn:\tx", "SigIgn:"] {
            assert_eq!(ignored_signals(silent), 0, "{silent}");
        }
    }
}
