//! From a function that does a job to one that makes a worker.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Error, FnArg, ItemFn, Pat, Type};

use crate::arguments::Arguments;

pub(crate) fn worker(arguments: TokenStream, function: TokenStream) -> syn::Result<TokenStream> {
    let Arguments { job_type, settings } = syn::parse2(arguments)?;
    let ItemFn { attrs, vis, sig, block, .. } = syn::parse2(function)?;
    if sig.asyncness.is_none() {
        return Err(Error::new_spanned(sig.fn_token, "a worker is an `async fn`"));
    }
    if !sig.generics.params.is_empty() {
        return Err(Error::new_spanned(&sig.generics, "a worker has no generic parameters"));
    }
    let mut inputs = sig.inputs.iter();
    let Some(FnArg::Typed(_)) = inputs.next() else {
        return Err(Error::new_spanned(&sig.ident, "a worker takes a `Job` first"));
    };
    let (names, types): (Vec<_>, Vec<_>) =
        inputs.map(shared).collect::<syn::Result<Vec<_>>>()?.into_iter().unzip();
    let (keys, values): (Vec<_>, Vec<_>) = settings.into_iter().unzip();
    let name = &sig.ident;
    Ok(quote! {
        #(#attrs)*
        #vis fn #name(client: ::coreto_worker::Client #(, #names: #types)*) -> ::coreto_worker::Worker {
            #[allow(clippy::unused_async, reason = "a worker is asynchronous, whatever it does")]
            #sig #block
            ::coreto_worker::Worker::builder(client, #job_type)
                #(.#keys(#values))*
                .handler(move |job| {
                    #(let #names = ::core::clone::Clone::clone(&#names);)*
                    async move { ::coreto_worker::outcome(#name(job #(, #names)*).await) }
                })
        }
    })
}

/// The name and type of what all jobs of a worker have in common.
fn shared(input: &FnArg) -> syn::Result<(Ident, Type)> {
    if let FnArg::Typed(typed) = input
        && let Pat::Ident(pattern) = &*typed.pat
        && pattern.by_ref.is_none()
        && pattern.subpat.is_none()
    {
        return Ok((pattern.ident.clone(), (*typed.ty).clone()));
    }
    Err(Error::new_spanned(input, "what a worker takes behind its job has a plain name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(arguments: TokenStream, function: TokenStream) -> String {
        worker(arguments, function).expect_err("it is refused").to_string()
    }

    #[test]
    fn says_what_is_wrong() {
        let job = || quote! { async fn pay(job: Job<Order>) -> Result<(), JobError> { Ok(()) } };
        for (arguments, function, told) in [
            (quote! {}, job(), "the job type stands first"),
            (
                quote! { "pay", retries = 3 },
                job(),
                "`retries` is no setting of a worker; there are name, timeout",
            ),
            (quote! { "pay", name = "a", name = "b" }, job(), "`name` is set twice"),
            (quote! { "pay" }, quote! { fn pay(job: Job<Order>) {} }, "a worker is an `async fn`"),
            (quote! { "pay" }, quote! { async fn pay() {} }, "takes a `Job` first"),
            (quote! { "pay" }, quote! { async fn pay(&self) {} }, "takes a `Job` first"),
            (quote! { "pay" }, quote! { async fn pay<T>(job: Job<T>) {} }, "no generic parameters"),
            (quote! { "pay" }, quote! { async fn pay(job: Job<()>, (a, b): Pair) {} }, "has a plain name"),
        ] {
            let refusal = refusal(arguments, function);
            assert!(refusal.contains(told), "{refusal}");
        }
    }

    #[test]
    fn settings_become_calls_of_the_builder() {
        let made = worker(
            quote! { "pay", max_active = 16, },
            quote! { pub async fn pay(job: Job<Order>, till: Till) -> Result<(), JobError> { Ok(()) } },
        );
        let made = made.expect("a worker").to_string();
        assert!(made.starts_with("pub fn pay (client : :: coreto_worker :: Client , till : Till)"), "{made}");
        assert!(made.contains(". max_active (16)"), "{made}");
    }
}
