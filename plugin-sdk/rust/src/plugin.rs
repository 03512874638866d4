//! What every plugin is, and its registration.
#![expect(
    async_fn_in_trait,
    reason = "an instance runs on one thread, so its futures need not be Send"
)]

use longshore_model::{Fault, Manifest, SourcePosition};

use crate::{Ctx, Source};

/// A registered plugin; [`plugin!`](crate::plugin!) implements it.
pub trait Plugin {
    /// The manifest as the component carries it.
    const MANIFEST: &'static str;

    /// The manifest.
    #[must_use]
    fn manifest() -> Manifest {
        Manifest::from_json(Self::MANIFEST.as_bytes())
            .expect("the macro writes what the model reads")
    }
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The config is not taken.
    Refusal,
    /// The config is taken, and a person should have a look.
    Warning,
}

/// What there is to say of a config key, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key; empty where it is the config as a whole.
    pub key: String,
    /// How much it matters.
    pub severity: Severity,
    /// Why.
    pub fault: Fault,
}

impl Problem {
    /// What is so wrong with a key that the config is not taken.
    #[must_use]
    pub fn refusal(key: &str, fault: Fault) -> Self {
        Self {
            key: key.to_owned(),
            severity: Severity::Refusal,
            fault,
        }
    }

    /// What a person should have a look at; the config is taken all the same.
    #[must_use]
    pub fn warning(key: &str, fault: Fault) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::refusal(key, fault)
        }
    }
}

impl From<Fault> for Problem {
    /// A refusal; the fault's detail `key` says of which key.
    fn from(fault: Fault) -> Self {
        let key = fault.detail("key").unwrap_or_default().to_owned();
        Self::refusal(&key, fault)
    }
}

/// A source that can say beforehand what a config would produce, for the gate at deploy time.
pub trait Contracts: Source {
    /// The topics and schemas that the config would produce. Changes nothing.
    ///
    /// # Errors
    /// When they cannot be known now.
    async fn contracts(ctx: &Ctx, config: Self::Config) -> Result<Vec<Contract>, Fault>;
}

/// What a topic would hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The topic.
    pub topic: String,
    /// Avro schema of the key in JSON.
    pub key_schema: Option<String>,
    /// Avro schema of the value in JSON.
    pub value_schema: Option<String>,
}

/// A source that leaves something behind in the outside system when it is deleted.
pub trait Cleanup: Source {
    /// What a deletion would leave behind now. Changes nothing.
    ///
    /// # Errors
    /// When it cannot be known now.
    async fn leftovers(
        ctx: &Ctx,
        config: Self::Config,
        positions: Vec<SourcePosition>,
    ) -> Result<Vec<Leftover>, Fault>;

    /// Removes all of it; what is gone already is no error. Called when no task runs, and again when
    /// that was interrupted: then perhaps without positions, which means that all is gone.
    ///
    /// # Errors
    /// When something cannot be removed now.
    async fn cleanup(
        ctx: &Ctx,
        config: Self::Config,
        positions: Vec<SourcePosition>,
    ) -> Result<(), Fault>;
}

/// One thing that stays behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// What it is: `replication slot`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What it costs while it stays, where that is known.
    pub bytes: Option<u64>,
    /// What a person runs to remove it.
    pub command: String,
}

/// Registers the crate's plugin: its exports and its manifest.
///
/// ```ignore
/// longshore_sdk::plugin! {
///     name: "file-source",
///     source: FileSource,                             // or sink: or transform:
///     doc: "Lines of files to records",               // else the package's description
///     aliases: ["FileStreamSource"],
///     capabilities: [read_files("file"), write_files("spool")],
///     optional: [contracts, cleanup],                 // the source implements Contracts and Cleanup
/// }
/// ```
///
/// What a capability is for stands in the config: `read_files` and `write_files` take keys that hold
/// paths, `postgres("database")` the prefix of the keys that name a server (`database.hostname`,
/// `database.user`, ...).
///
/// Everything after the role may be left out; the order is fixed. The version is the package's. One
/// crate type that is a library holds one plugin.
#[macro_export]
macro_rules! plugin {
    (
        name: $name:literal,
        $role:ident: $plugin:ty
        $(, doc: $doc:literal)?
        $(, aliases: [$($alias:literal $(, $more_aliases:literal)* $(,)?)?])?
        $(, capabilities: [$(
            $access:ident($key:literal $(, $more_keys:literal)*)
            $(, $more_access:ident($other_key:literal $(, $more_other_keys:literal)*))*
            $(,)?
        )?])?
        $(, optional: [$($optional:ident),* $(,)?])?
        $(,)?
    ) => {
        impl $crate::Plugin for $plugin {
            const MANIFEST: &'static str = {
                const PARTS: &[&str] = &[
                    "{\"name\":\"", $crate::manifest::plain($name),
                    "\",\"version\":\"", env!("CARGO_PKG_VERSION"),
                    "\",\"contract\":\"0.1\",\"doc\":\"",
                    $crate::manifest::plain($crate::__plugin_doc!($($doc)?)),
                    "\",\"roles\":[\"", stringify!($role),
                    "\"],\"aliases\":[",
                    $($(
                        "\"", $crate::manifest::plain($alias), "\"",
                        $(",\"", $crate::manifest::plain($more_aliases), "\"",)*
                    )?)?
                    "],\"capabilities\":[",
                    $($(
                        $crate::__plugin_access!($access),
                        $crate::manifest::plain($key),
                        $("\",\"", $crate::manifest::plain($more_keys),)* "\"]}",
                        $(
                            ",", $crate::__plugin_access!($more_access),
                            $crate::manifest::plain($other_key),
                            $("\",\"", $crate::manifest::plain($more_other_keys),)* "\"]}",
                        )*
                    )?)?
                    "],\"config\":",
                    $crate::__plugin_config!($role $plugin),
                    "}",
                ];
                const JSON: [u8; $crate::manifest::joined_len(PARTS)] =
                    $crate::manifest::join(PARTS);
                $crate::manifest::text(&JSON)
            };
        }

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "a component's exports and sections are named symbols")]
        const _: () = {
            const JSON: &[u8] = <$plugin as $crate::Plugin>::MANIFEST.as_bytes();

            #[used]
            #[unsafe(link_section = "longshore:plugin")]
            static SECTION: [u8; JSON.len()] = $crate::manifest::section(JSON);

            struct Exports;
            $crate::guest::bindings::plugin::export!(
                Exports with_types_in $crate::guest::bindings::plugin
            );
            $crate::__plugin_exports!($role $plugin);
            $($($crate::__plugin_exports!($optional $plugin);)*)?
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __plugin_doc {
    () => {
        env!("CARGO_PKG_DESCRIPTION")
    };
    ($doc:literal) => {
        $doc
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __plugin_access {
    (read_files) => {
        "{\"kind\":\"files\",\"access\":\"read\",\"keys\":[\""
    };
    (write_files) => {
        "{\"kind\":\"files\",\"access\":\"write\",\"keys\":[\""
    };
    (postgres) => {
        "{\"kind\":\"postgres\",\"access\":\"connect\",\"keys\":[\""
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __plugin_config {
    (source $plugin:ty) => {
        <<$plugin as $crate::Source>::Config as $crate::Config>::DEFINITION
    };
    (sink $plugin:ty) => {
        <<$plugin as $crate::Sink>::Config as $crate::Config>::DEFINITION
    };
    (transform $plugin:ty) => {
        <<$plugin as $crate::Transform>::Config as $crate::Config>::DEFINITION
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __plugin_exports {
    (source $plugin:ty) => {
        ::std::thread_local! {
            static SLOT: $crate::guest::Slot<$plugin> = const { $crate::guest::Slot::new() };
        }
        impl $crate::guest::PluginExports for Exports {
            async fn validate(submitted: $crate::ConfigMap) -> ::std::vec::Vec<$crate::Problem> {
                $crate::guest::validate_source::<$plugin>(submitted).await
            }
        }
        impl $crate::guest::SourceExports for Exports {
            type Source = $plugin;
            fn slot() -> &'static ::std::thread::LocalKey<$crate::guest::Slot<$plugin>> {
                &SLOT
            }
        }
        $crate::guest::bindings::source::export!(
            Exports with_types_in $crate::guest::bindings::source
        );
    };
    (sink $plugin:ty) => {
        ::std::thread_local! {
            static SLOT: $crate::guest::Slot<$plugin> = const { $crate::guest::Slot::new() };
        }
        impl $crate::guest::PluginExports for Exports {
            async fn validate(submitted: $crate::ConfigMap) -> ::std::vec::Vec<$crate::Problem> {
                $crate::guest::validate_sink::<$plugin>(submitted).await
            }
        }
        impl $crate::guest::SinkExports for Exports {
            type Sink = $plugin;
            fn slot() -> &'static ::std::thread::LocalKey<$crate::guest::Slot<$plugin>> {
                &SLOT
            }
        }
        $crate::guest::bindings::sink::export!(
            Exports with_types_in $crate::guest::bindings::sink
        );
    };
    (transform $plugin:ty) => {
        ::std::thread_local! {
            static SLOT: $crate::guest::Slot<$plugin> = const { $crate::guest::Slot::new() };
        }
        impl $crate::guest::PluginExports for Exports {
            async fn validate(submitted: $crate::ConfigMap) -> ::std::vec::Vec<$crate::Problem> {
                $crate::guest::validate_transform::<$plugin>(submitted).await
            }
        }
        impl $crate::guest::TransformExports for Exports {
            type Transform = $plugin;
            fn slot() -> &'static ::std::thread::LocalKey<$crate::guest::Slot<$plugin>> {
                &SLOT
            }
        }
        $crate::guest::bindings::transform::export!(
            Exports with_types_in $crate::guest::bindings::transform
        );
    };
    (contracts $plugin:ty) => {
        impl $crate::guest::ContractsExports for Exports {
            type Source = $plugin;
        }
        $crate::guest::bindings::contracts::export!(
            Exports with_types_in $crate::guest::bindings::contracts
        );
    };
    (cleanup $plugin:ty) => {
        impl $crate::guest::CleanupExports for Exports {
            type Source = $plugin;
        }
        $crate::guest::bindings::cleanup::export!(
            Exports with_types_in $crate::guest::bindings::cleanup
        );
    };
}
