//! What stands in the attribute: the job type, then settings.

use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, LitStr, Token};

/// Settings of the builder, by the names of its methods.
const SETTINGS: [&str; 9] = [
    "name",
    "timeout",
    "max_active",
    "streaming",
    "poll_timeout",
    "poll_interval",
    "drain_timeout",
    "fetch_variables",
    "tenants",
];

pub(crate) struct Arguments {
    pub(crate) job_type: LitStr,
    pub(crate) settings: Vec<(Ident, Expr)>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(LitStr) {
            return Err(input.error("the job type stands first: #[worker(\"collect-money\")]"));
        }
        let job_type = input.parse()?;
        let mut settings: Vec<(Ident, Expr)> = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let name: Ident = input.parse()?;
            if !SETTINGS.iter().any(|known| name == known) {
                let message =
                    format!("`{name}` is no setting of a worker; there are {}", SETTINGS.join(", "));
                return Err(Error::new(name.span(), message));
            }
            if settings.iter().any(|(known, _)| *known == name) {
                return Err(Error::new(name.span(), format!("`{name}` is set twice")));
            }
            input.parse::<Token![=]>()?;
            settings.push((name, input.parse()?));
        }
        Ok(Self { job_type, settings })
    }
}
