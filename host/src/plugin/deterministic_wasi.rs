//! Gives a guest a WASI 0.2 in which everything is fixed: it links with any stock toolchain's
//! output, but there are no files, sockets, variables or arguments, the clocks stand still,
//! randomness begins at a constant, and output is kept in a bounded buffer. So the same request
//! gives the same answer.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, async_trait};

use super::PluginLimits;

/// What one `check_write` allows: the host may allocate that much for zeroes.
const WRITE_BYTES: usize = 64 << 10;
/// Where randomness begins. A constant of the contract: another value is another answer of every
/// guest that draws lots.
const SEED: u64 = 0x5741_4d50_4544_4500;

/// A guest's whole world.
pub(super) fn build_wasi(limits: &PluginLimits, written: &CapturedOutput) -> WasiCtx {
    WasiCtxBuilder::new()
        .wall_clock(FrozenClock)
        .monotonic_clock(FrozenClock)
        .secure_random(SplitMix(SEED))
        .insecure_random(SplitMix(SEED))
        .insecure_random_seed(u128::from(SEED))
        .max_random_size(limits.random_bytes)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .socket_addr_check(|_, _| Box::pin(async { false }))
        .stdout(written.clone())
        .stderr(written.clone())
        .build()
}

/// A clock that stands still.
struct FrozenClock;

impl HostWallClock for FrozenClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for FrozenClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), spelled out, so that no update of a library changes what a
/// guest draws.
struct SplitMix(u64);

impl SplitMix {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl rand::TryRng for SplitMix {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let [a, b, c, d, ..] = self.draw().to_le_bytes();
        Ok(u32::from_le_bytes([a, b, c, d]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.draw())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.draw().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// What a guest writes to stdout and stderr: the beginning and the end are kept, the middle is
/// counted.
#[derive(Clone)]
pub(super) struct CapturedOutput(Arc<Mutex<OutputBuffer>>);

struct OutputBuffer {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: usize,
}

impl CapturedOutput {
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self(Arc::new(Mutex::new(OutputBuffer {
            half: limit_bytes / 2,
            head: Vec::new(),
            tail: VecDeque::new(),
            dropped: 0,
        })))
    }

    fn add(&self, mut bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (head, rest) = bytes.split_at(bytes.len().min(kept.half - kept.head.len()));
        kept.head.extend_from_slice(head);
        bytes = rest;
        let surplus = bytes.len().saturating_sub(kept.half);
        kept.dropped += surplus;
        kept.tail.extend(&bytes[surplus..]);
        let over = kept.tail.len().saturating_sub(kept.half);
        kept.dropped += over;
        kept.tail.drain(..over);
    }

    /// As text: bytes that are no UTF-8 and control characters (but for line ends and tabs) are
    /// replaced, so that it may be shown on a terminal.
    pub(super) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tail: Vec<u8> = kept.tail.iter().copied().collect();
        let text = if kept.dropped == 0 {
            String::from_utf8_lossy(&[kept.head.as_slice(), &tail].concat()).into_owned()
        } else {
            format!(
                "{}\n[{} bytes left out]\n{}",
                String::from_utf8_lossy(&kept.head),
                kept.dropped,
                String::from_utf8_lossy(&tail)
            )
        };
        text.chars()
            .map(|c| {
                if c.is_control() && c != '\n' && c != '\t' {
                    '\u{fffd}'
                } else {
                    c
                }
            })
            .collect()
    }
}

impl IsTerminal for CapturedOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for CapturedOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for CapturedOutput {
    async fn ready(&mut self) {}
}

impl OutputStream for CapturedOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.add(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

impl AsyncWrite for CapturedOutput {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.add(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_to_the_limit_all_is_kept_and_past_it_the_beginning_and_the_end() {
        let written = CapturedOutput::new(8);
        written.add(b"abcdef");
        written.add(b"gh");
        assert_eq!(written.text(), "abcdefgh");
        written.add(b"i");
        assert_eq!(written.text(), "abcd\n[1 bytes left out]\nfghi");
        written.add(b"0123456789");
        assert_eq!(written.text(), "abcd\n[11 bytes left out]\n6789");
    }

    #[test]
    fn what_a_terminal_would_obey_is_replaced() {
        let written = CapturedOutput::new(64);
        written.add(b"a\x1b[2J\tb\n\xff");
        assert_eq!(written.text(), "a\u{fffd}[2J\tb\n\u{fffd}");
    }

    #[test]
    fn randomness_is_the_published_sequence() {
        // The first output of SplitMix64 for seed 0, as in the reference implementation.
        assert_eq!(SplitMix(0).draw(), 0xe220_a839_7b1d_cdaf);
    }
}
