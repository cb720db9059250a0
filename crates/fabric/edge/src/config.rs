//! From the text of a file to what the data plane runs.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use coreto_proxy::model::{Balance, Model, Plan, Sticky};
use toml::de::DeTable;

use crate::acme::{self, Acme};
use crate::catalog::Seat;
use crate::fault::{Fault, line};
use crate::internal::{Ours, Served};
use crate::keys::Own;
use crate::read::{Notes, Reader};
use crate::write::Writer;
use crate::{internal, keys};

/// A gateway's configuration, checked.
#[derive(Debug)]
pub struct Config {
    /// Where the gateway's management is served.
    pub admin: SocketAddr,
    /// How long it says that it drains before it does.
    pub pre_drain: Duration,
    /// Where the catalog of services is, and how it is asked, for clusters that name one.
    pub catalog: Seat,
    /// What its data plane runs.
    pub plan: Plan,
    /// From whom its certificates are ordered.
    pub acme: Option<Acme>,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// All faults, by line. What is no TOML at all is told alone.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
        Self::read_beside(text, &[])
    }

    /// The same of a gateway in a process that serves more, at addresses that are no upstreams either.
    pub(crate) fn read_beside(text: &str, beside: &[Served]) -> Result<Self, Vec<Fault>> {
        let (table, broken) = DeTable::parse_recoverable(text);
        if !broken.is_empty() {
            return Err(broken.iter().map(|error| not_toml(text, error)).collect());
        }
        let notes = RefCell::new(Notes::default());
        let (mut model, mut own) = (Model::default(), Own::default());
        let mut reader = Reader::file(table.get_ref(), &notes);
        keys::file(&mut reader, &mut model, &mut own);
        reader.finish();
        let notes = notes.into_inner();
        let names = Names::of(&model);
        let mut found: Vec<(usize, String, String)> = notes.faults.clone();
        let mut judge = |place: &str, message: String| {
            // What could not be read is at its default, of which nothing more is said.
            if !notes.is_unread(place) {
                found.push((notes.offset(place), place.to_owned(), message));
            }
        };
        if model.listeners.is_empty() {
            judge("listener", "there is no `[[listener]]`: nobody could connect".to_owned());
        }
        let Own { admin, pre_drain, catalog, acme } = own;
        let orders = acme::faults(acme.as_ref(), &model);
        for (place, message) in internal::faults(&Ours { admin, beside }, &model).into_iter().chain(orders) {
            judge(&place, message);
        }
        let plan = Plan::build(model).map_err(|faults| {
            for fault in faults {
                judge(&fault.at, fault.message);
            }
        });
        let mut faults: Vec<Fault> = found
            .into_iter()
            .map(|(offset, place, message)| Fault {
                line: line(text, offset),
                place: names.tell(&place),
                message,
            })
            .collect();
        faults.sort();
        faults.dedup();
        match plan {
            Ok(plan) if faults.is_empty() => Ok(Self { admin, pre_drain, catalog, plan, acme }),
            _ => Err(faults),
        }
    }
}

/// The text of a configuration with every default in it.
pub fn render(config: &Config) -> String {
    written(config, config.plan.model().clone(), config.catalog.clone())
}

/// The same for those who may not know what is secret.
pub(crate) fn render_open(config: &Config) -> String {
    let mut model = config.plan.model().clone();
    for cluster in &mut model.clusters {
        if let Balance::Sticky(Sticky { secret: Some(secret), .. }) = &mut cluster.balance {
            SECRET.clone_into(secret);
        }
    }
    let token = config.catalog.token.as_ref().map(|_| SECRET.to_owned());
    written(config, model, Seat { token, ..config.catalog.clone() })
}

/// Stands for a secret. It is none itself: it is too short.
const SECRET: &str = "(secret)";

fn written(config: &Config, mut model: Model, catalog: Seat) -> String {
    let Config { admin, pre_drain, .. } = *config;
    let mut own = Own { admin, pre_drain, catalog, acme: config.acme.clone() };
    let mut writer = Writer::default();
    keys::file(&mut writer, &mut model, &mut own);
    writer.file()
}

fn not_toml(text: &str, error: &toml::de::Error) -> Fault {
    let offset = error.span().map_or(0, |span| span.start);
    let message = format!("this is no TOML: {}", error.message());
    Fault { line: line(text, offset), place: String::new(), message }
}

/// The names of a model's parts, by which people know them.
struct Names([(&'static str, Vec<String>); 3]);

impl Names {
    fn of(model: &Model) -> Self {
        Self([
            ("listener", model.listeners.iter().map(|listener| listener.name.clone()).collect()),
            ("cluster", model.clusters.iter().map(|cluster| cluster.name.clone()).collect()),
            ("route", model.routes.iter().map(|route| route.name.clone()).collect()),
        ])
    }

    /// `route[3].retry.on` as "route `orders`: `retry.on`".
    fn tell(&self, place: &str) -> String {
        let part = self.0.iter().find_map(|(kind, names)| {
            let (number, key) = place.strip_prefix(kind)?.strip_prefix('[')?.split_once(']')?;
            let number: usize = number.parse().ok()?;
            let name = names.get(number).filter(|name| !name.is_empty());
            let whose = name
                .map_or_else(|| format!("{kind} number {}", number + 1), |name| format!("{kind} `{name}`"));
            Some((whose, key.trim_start_matches('.')))
        });
        match part {
            None => format!("`{place}`"),
            Some((whose, "")) => whose,
            Some((whose, key)) => format!("{whose}: `{key}`"),
        }
    }
}
