//! A plugin ready to be instantiated: compiled, its imports checked, its exports found.

use longshore_model::{Manifest, Role};
use wasmtime::Store;
use wasmtime::component::{Component, InstancePre};

use crate::Error;
use crate::bindings::v0_1::exports::longshore::connect::{
    cleanup, contracts, plugin, sink, source, transform,
};
use crate::engine::Machine;
use crate::grants::check_imports;
use crate::instance::GuestState;
use crate::manifest::Facts;

/// A compiled plugin.
pub(crate) struct Runnable {
    pub(crate) manifest: Manifest,
    pre: InstancePre<GuestState>,
    plugin: plugin::GuestIndices,
    source: Option<source::GuestIndices>,
    sink: Option<sink::GuestIndices>,
    transform: Option<transform::GuestIndices>,
    contracts: Option<contracts::GuestIndices>,
    cleanup: Option<cleanup::GuestIndices>,
}

/// The interfaces of one instance; those that its plugin exports.
pub(crate) struct Exports {
    pub(crate) plugin: plugin::Guest,
    source: Option<source::Guest>,
    sink: Option<sink::Guest>,
    transform: Option<transform::Guest>,
    contracts: Option<contracts::Guest>,
    cleanup: Option<cleanup::Guest>,
}

impl Runnable {
    /// Compiles a plugin, or takes it from the cache. Takes up to seconds, and blocks.
    pub(crate) fn load(machine: &Machine, bytes: &[u8], facts: &Facts) -> Result<Self, Error> {
        check_imports(facts)?;
        let component = Component::from_binary(&machine.engine, bytes);
        give_back_free_memory();
        let component = component.map_err(load_error)?;
        let pre = machine
            .linker
            .instantiate_pre(&component)
            .map_err(load_error)?;
        Ok(Self {
            plugin: plugin::GuestIndices::new(&pre).map_err(load_error)?,
            source: exported(facts, "source", || source::GuestIndices::new(&pre))?,
            sink: exported(facts, "sink", || sink::GuestIndices::new(&pre))?,
            transform: exported(facts, "transform", || transform::GuestIndices::new(&pre))?,
            contracts: exported(facts, "contracts", || contracts::GuestIndices::new(&pre))?,
            cleanup: exported(facts, "cleanup", || cleanup::GuestIndices::new(&pre))?,
            manifest: facts.manifest.clone(),
            pre,
        })
    }

    /// Whether it says beforehand what a config would produce.
    pub(crate) fn has_contracts(&self) -> bool {
        self.contracts.is_some()
    }

    /// Whether it knows what it leaves behind.
    pub(crate) fn has_cleanup(&self) -> bool {
        self.cleanup.is_some()
    }

    /// Refuses a role that the plugin has not.
    pub(crate) fn must_be(&self, role: Role) -> Result<(), Error> {
        if self.manifest.roles.contains(&role) {
            return Ok(());
        }
        let name = self.manifest.name.clone();
        Err(Error::NotARole { name, role })
    }

    pub(crate) async fn instantiate(
        &self,
        store: &mut Store<GuestState>,
    ) -> wasmtime::Result<Exports> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let store = &mut *store;
        Ok(Exports {
            plugin: self.plugin.load(&mut *store, &instance)?,
            source: self
                .source
                .as_ref()
                .map(|i| i.load(&mut *store, &instance))
                .transpose()?,
            sink: self
                .sink
                .as_ref()
                .map(|i| i.load(&mut *store, &instance))
                .transpose()?,
            transform: self
                .transform
                .as_ref()
                .map(|i| i.load(&mut *store, &instance))
                .transpose()?,
            contracts: self
                .contracts
                .as_ref()
                .map(|i| i.load(&mut *store, &instance))
                .transpose()?,
            cleanup: self
                .cleanup
                .as_ref()
                .map(|i| i.load(&mut *store, &instance))
                .transpose()?,
        })
    }
}

impl Exports {
    pub(crate) fn source(&self) -> &source::Guest {
        self.source
            .as_ref()
            .expect("the role was checked before the instance was made")
    }

    pub(crate) fn sink(&self) -> &sink::Guest {
        self.sink
            .as_ref()
            .expect("the role was checked before the instance was made")
    }

    pub(crate) fn transform(&self) -> &transform::Guest {
        self.transform
            .as_ref()
            .expect("the role was checked before the instance was made")
    }

    pub(crate) fn contracts(&self) -> &contracts::Guest {
        self.contracts
            .as_ref()
            .expect("its presence was checked before the instance was made")
    }

    pub(crate) fn cleanup(&self) -> &cleanup::Guest {
        self.cleanup
            .as_ref()
            .expect("its presence was checked before the instance was made")
    }
}

fn exported<T>(
    facts: &Facts,
    interface: &str,
    find: impl FnOnce() -> wasmtime::Result<T>,
) -> Result<Option<T>, Error> {
    let exported = facts.exports(&format!("longshore:connect/{interface}"));
    exported.then(|| find().map_err(load_error)).transpose()
}

fn load_error(error: wasmtime::Error) -> Error {
    Error::Load(format!("{error:#}"))
}

/// What a compiler leaves free the allocator would keep: 15 MB of a worker that has compiled the Postgres source, where the
/// whole of it takes 60.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back_free_memory() {
    #[expect(
        unsafe_code,
        reason = "libc declares it unsafe as it does every function"
    )]
    // SAFETY: it may be called at any time by any thread, and touches nothing that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back_free_memory() {}
