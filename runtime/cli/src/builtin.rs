//! The connectors inside the binary: what `LONGSHORE_BUILTINS` held when it was compiled.

include!(concat!(env!("OUT_DIR"), "/builtins.rs"));
