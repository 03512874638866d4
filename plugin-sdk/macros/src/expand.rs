//! The implementation that the derive writes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result};

use crate::field::Field;
use crate::{definition, json};

pub(crate) fn config(input: &DeriveInput) -> Result<TokenStream> {
    let fields = named_fields(input)?;
    let mut seen: Vec<&str> = Vec::new();
    for field in &fields {
        if seen.contains(&field.name.as_str()) {
            let message = format!("two fields have the key `{}`", field.name);
            return Err(Error::new(field.ident.span(), message));
        }
        seen.push(&field.name);
    }
    let definition = json::array(fields.iter().map(definition::key));
    let ty = &input.ident;
    let idents = fields.iter().map(|field| &field.ident);
    let names = fields.iter().map(|field| &field.name);
    Ok(quote! {
        impl ::longshore_sdk::config::Config for #ty {
            const DEFINITION: &'static str = #definition;

            fn parse(
                submitted: &::longshore_sdk::config::ConfigMap,
            ) -> ::core::result::Result<Self, ::longshore_sdk::Fault> {
                let reader = ::longshore_sdk::config::Reader::new::<Self>(submitted);
                ::core::result::Result::Ok(Self {
                    #(#idents: reader.get(#names)?,)*
                })
            }
        }
    })
}

fn named_fields(input: &DeriveInput) -> Result<Vec<Field>> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a config has no generics",
        ));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields.named.iter().map(Field::parse).collect(),
            Fields::Unit => Ok(Vec::new()),
            Fields::Unnamed(_) => Err(Error::new_spanned(
                &input.ident,
                "a config's fields have names",
            )),
        },
        _ => Err(Error::new_spanned(&input.ident, "a config is a struct")),
    }
}
