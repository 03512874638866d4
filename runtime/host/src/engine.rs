//! The engine that all plugins share, the runtime that guests run on, and the clock that makes a
//! guest yield.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, WasmBacktraceDetails};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2;
use wasmtime_wasi::p2::bindings::{cli, filesystem, random};
use wasmtime_wasi::random::WasiRandom;

use crate::bindings::v0_1::longshore;
use crate::instance::GuestState;
use crate::shelf::Builtin;
use crate::{Error, Limits};

/// How often a guest that computes lets others run.
const TICK: Duration = Duration::from_millis(10);

/// Guests come back to the runtime once a tick, so it looks at its timers every few polls: with
/// tokio's 61 a deadline would be late by half a second.
const POLLS_BETWEEN_EVENTS: u32 = 4;

/// What a host needs to know.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Directories with plugins, or plugin files: `plugin.path`.
    pub plugin_path: Vec<PathBuf>,
    /// Plugins inside the binary.
    pub builtins: Vec<Builtin>,
    /// Where compiled components are kept; nowhere without it. Only this worker may write there.
    pub cache_dir: Option<PathBuf>,
    /// What relative paths of a connector's config stand against.
    pub working_dir: PathBuf,
    /// The worker's data directory, which no plugin ever reaches.
    pub data_dir: PathBuf,
    /// Limits of every instance.
    pub limits: Limits,
    /// Threads that guests run on; as many as cores without it.
    pub guest_threads: Option<NonZeroUsize>,
}

/// What instances are made with.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<GuestState>,
    guests: Option<Runtime>,
}

impl Machine {
    pub(crate) fn start(config: &HostConfig) -> Result<Self, Error> {
        let engine = engine(config.cache_dir.as_deref())?;
        let linker = linker(&engine).map_err(engine_error)?;
        let threads = config
            .guest_threads
            .or_else(|| thread::available_parallelism().ok());
        let guests = Builder::new_multi_thread()
            .worker_threads(threads.map_or(1, NonZeroUsize::get))
            .thread_name("longshore-guest")
            .event_interval(POLLS_BETWEEN_EVENTS)
            .enable_time()
            .build()
            .map_err(|e| Error::Engine(e.to_string()))?;
        tick(&engine)?;
        Ok(Self {
            engine,
            linker,
            guests: Some(guests),
        })
    }

    /// The runtime of the guests.
    pub(crate) fn guests(&self) -> &Handle {
        let guests = self.guests.as_ref();
        guests.expect("only drop takes it").handle()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The last handle may be dropped within the worker's runtime, which must not wait.
        if let Some(guests) = self.guests.take() {
            guests.shutdown_background();
        }
    }
}

fn engine(cache_dir: Option<&Path>) -> Result<Engine, Error> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .wasm_component_model_async(true)
        .concurrency_support(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable);
    if let Some(dir) = cache_dir {
        config.cache(Some(cache(dir)?));
    }
    Engine::new(&config).map_err(engine_error)
}

/// What lies in the cache is machine code that will be run, so nobody else may write there.
fn cache(dir: &Path) -> Result<Cache, Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let io = |source| Error::Io {
        path: dir.to_owned(),
        source,
    };
    fs::create_dir_all(dir).map_err(io)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(io)?;
    let mut config = CacheConfig::new();
    config.with_directory(dir.canonicalize().map_err(io)?);
    Cache::new(config).map_err(engine_error)
}

/// Everything that any plugin may import; what a particular one may is checked before.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    wasi(l)?;
    longshore::host::log::add_to_linker::<_, HasSelf<GuestState>>(l, |state| state)?;
    longshore::host::metrics::add_to_linker::<_, HasSelf<GuestState>>(l, |state| state)?;
    longshore::host::schemas::add_to_linker::<_, HasSelf<GuestState>>(l, |state| state)?;
    longshore::host::lifecycle::add_to_linker::<_, HasSelf<GuestState>>(l, |state| state)?;
    longshore::files::files::add_to_linker::<_, HasSelf<GuestState>>(l, |state| state)?;
    longshore::postgres::postgres::add_to_linker::<_, HasSelf<GuestState>>(l, |state| state)?;
    Ok(linker)
}

/// What Rust's std imports, and no sockets.
fn wasi(l: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    p2::add_to_linker_proxy_interfaces_async(l)?;
    cli::environment::add_to_linker::<_, WasiCli>(l, GuestState::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(l, GuestState::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(l, GuestState::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(l, GuestState::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, GuestState::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, GuestState::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, GuestState::cli)?;
    random::insecure::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random())?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, GuestState::filesystem)?;
    filesystem::types::add_to_linker::<_, WasiFilesystem>(l, GuestState::filesystem)
}

/// Moves the epoch on for as long as there is an engine.
fn tick(engine: &Engine) -> Result<(), Error> {
    let engine = engine.weak();
    let ticking = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    let ticker = thread::Builder::new().name("longshore-epoch".to_owned());
    let started = ticker.spawn(ticking);
    started.map(drop).map_err(|e| Error::Engine(e.to_string()))
}

fn engine_error(error: wasmtime::Error) -> Error {
    Error::Engine(format!("{error:#}"))
}
