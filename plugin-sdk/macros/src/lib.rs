//! `derive(Config)`, nothing else: one struct gives the typed config and the definition of its keys.
//!
//! *Must not know*: how values are checked; the expansion calls the SDK, which calls the model.
//! *Invariant*: whatever compiles is a definition that the model reads.
#![warn(missing_docs)]

mod definition;
mod expand;
mod field;
mod json;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Typed config and its definition; see `longshore_sdk::config`.
#[proc_macro_derive(Config, attributes(config))]
pub fn derive_config(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::config(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
