//! Runs one bounded call of a guest: a fresh store with the limits and a deadline, and the fault if
//! it ends badly. Knows no version of the contract.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::error::Elapsed;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Engine, Store, Trap, UpdateDeadline};
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxView, WasiView};

use super::deterministic_wasi::{CapturedOutput, build_wasi};
use super::engine::{EpochTicker, TICK, TickGuard, new_engine};
use super::limits::CallLimiter;
use super::{PluginError, PluginFault, PluginLimits};
use crate::metrics::{HostMetrics, WorkOutcome};

/// What all calls share.
pub(super) struct PluginSandbox {
    pub(super) engine: Engine,
    pub(super) linker: Linker<GuestState>,
    pub(super) limits: PluginLimits,
    pub(super) metrics: OnceLock<Arc<HostMetrics>>,
    ticker: EpochTicker,
    calls: Semaphore,
}

/// What a store holds.
pub(super) struct GuestState {
    wasi: WasiCtx,
    table: ResourceTable,
    limiter: CallLimiter,
    written: CapturedOutput,
    ticks: u64,
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl PluginSandbox {
    pub(super) fn new(limits: PluginLimits) -> wasmtime::Result<Self> {
        let engine = new_engine()?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        let ticker = EpochTicker::new(&engine)?;
        Ok(Self {
            engine,
            linker,
            limits,
            metrics: OnceLock::new(),
            ticker,
            calls: Semaphore::new(limits.calls),
        })
    }

    /// Records a call, where anyone wants to know.
    pub(super) fn record_call(&self, outcome: WorkOutcome, took: Duration) {
        if let Some(metrics) = self.metrics.get() {
            metrics.observe_plugin_call(outcome, took);
        }
    }

    /// A fresh store for one call; waits while too many others run.
    pub(super) async fn begin_call(&self) -> GuestCall<'_> {
        // The semaphore is never closed; without a permit the call would only be less bounded.
        let permit = self.calls.acquire().await.ok();
        let written = CapturedOutput::new(self.limits.stderr_bytes);
        let mut table = ResourceTable::new();
        table.set_max_capacity(self.limits.handles);
        let wasi = build_wasi(&self.limits, &written);
        let mut store = Store::new(
            &self.engine,
            GuestState {
                wasi,
                table,
                limiter: CallLimiter::new(self.limits),
                written,
                ticks: 0,
            },
        );
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(self.limits.answer_bytes);
        store.set_max_component_handles(self.limits.handles);
        // The guest sees every tick: it yields, so that others of this thread go on, and traps
        // after the last one that it may see.
        let most = ticks(self.limits.time);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |mut store| {
            let state = store.data_mut();
            state.ticks += 1;
            Ok(if state.ticks > most {
                UpdateDeadline::Interrupt
            } else {
                UpdateDeadline::Yield(1)
            })
        });
        GuestCall {
            store,
            limits: self.limits,
            ticking: self.ticker.start(),
            permit,
        }
    }
}

impl Drop for PluginSandbox {
    fn drop(&mut self) {
        self.ticker.stop();
    }
}

/// A call under way.
pub(super) struct GuestCall<'a> {
    pub(super) store: Store<GuestState>,
    limits: PluginLimits,
    ticking: TickGuard,
    permit: Option<SemaphorePermit<'a>>,
}

/// A call that has ended well; its place is free again when this goes.
pub(super) struct EndedCall<'a> {
    written: CapturedOutput,
    _permit: Option<SemaphorePermit<'a>>,
}

impl EndedCall<'_> {
    /// The error of a plugin whose answer is not what it should be.
    pub(super) fn fault(&self, plugin: &str, fault: PluginFault) -> PluginError {
        PluginError {
            plugin: plugin.to_owned(),
            fault,
            stderr: self.written.text(),
        }
    }
}

impl<'a> GuestCall<'a> {
    /// The call's end: its answer, still to be checked, or what went wrong. The guest's memory is
    /// given back. `outcome` is what `tokio::time::timeout` over the guest gave, since the epoch
    /// stops a guest that computes, but not one that sleeps.
    pub(super) fn end<T>(
        self,
        plugin: &str,
        outcome: Result<wasmtime::Result<T>, Elapsed>,
    ) -> Result<(T, EndedCall<'a>), PluginError> {
        let found = match outcome {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.find_fault(&error)),
            Err(_) => Err(self.too_long()),
        };
        let ended = EndedCall {
            written: self.store.data().written.clone(),
            _permit: self.permit,
        };
        match found {
            Ok(answer) => Ok((answer, ended)),
            Err(fault) => Err(ended.fault(plugin, fault)),
        }
    }

    fn too_long(&self) -> PluginFault {
        // A guest that computes sees nearly every tick, one that waits sees none meanwhile.
        PluginFault::Time {
            limit: self.limits.time,
            waited: self.store.data().ticks < self.ticking.ticks() / 4,
        }
    }

    fn find_fault(&self, error: &wasmtime::Error) -> PluginFault {
        match self.store.data().limiter.refused() {
            Some("memory") => {
                return PluginFault::Memory {
                    limit_bytes: self.limits.memory_bytes,
                };
            }
            Some(other) => return PluginFault::Resource(other.to_owned()),
            None => {}
        }
        if let Some(I32Exit(code)) = error.downcast_ref() {
            return PluginFault::Exit(*code);
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => self.too_long(),
            Some(trap) => PluginFault::Trap(trap.to_string()),
            None => {
                let cause = error.root_cause().to_string();
                // wasmtime keeps the type of this one to itself.
                if cause.contains("fuel allocated for hostcalls") {
                    PluginFault::AnswerSize {
                        limit_bytes: self.limits.answer_bytes,
                    }
                } else {
                    PluginFault::Trap(cause)
                }
            }
        }
    }
}

fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
}
