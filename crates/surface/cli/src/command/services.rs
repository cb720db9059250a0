//! `coreto services`, `coreto lookup`

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::Value;

use super::changes::Changes;
use crate::catalog::{CatalogArgs, Event, segment};
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// Which services.
#[derive(Args, Clone, Debug)]
pub struct ServicesArgs {
    #[command(flatten)]
    catalog: CatalogArgs,
}

/// Which service to look for.
#[derive(Args, Clone, Debug)]
pub struct LookupArgs {
    /// The name of the service.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,

    /// Only instances with this tag; may be repeated.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// Also those whose checks do not pass.
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    catalog: CatalogArgs,
}

/// Which instances to watch.
#[derive(Args, Clone, Debug)]
pub struct WatchedArgs {
    /// Only instances with this tag; may be repeated.
    #[arg(long, value_name = "TAG", requires = "name")]
    pub(super) tag: Vec<String>,

    /// Only instances whose checks pass.
    #[arg(long, requires = "name")]
    pub(super) passing: bool,

    #[command(flatten)]
    catalog: CatalogArgs,
}

pub(super) async fn services(
    args: ServicesArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let body = args.catalog.catalog()?.read("/v1/catalog/services", connection.timeout()).await?;
    let found = document(&body.unwrap_or_default())?;
    if format == Format::Json {
        return output::line(&found.to_string());
    }
    output::table(&SERVICES, &services_table(&found))
}

pub(super) async fn lookup(
    args: LookupArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let LookupArgs { name, tag, all, catalog } = args;
    let catalog = catalog.catalog()?;
    let look = async |all: bool| {
        let path = format!("/v1/{}", health_path(&name, &tag, all));
        document(&catalog.read(&path, connection.timeout()).await?.unwrap_or_default())
    };
    let found = look(all).await?;
    let rows = instances_table(&found);
    if rows.is_empty() {
        let others = !all && !instances_table(&look(true).await?).is_empty();
        let tagged = if tag.is_empty() { String::new() } else { format!(" with `{}`", tag.join("`, `")) };
        let well = if others { " that is well; --all shows the others" } else { "" };
        return Err(CliError::Missing(format!("there is no instance of `{name}`{tagged}{well}")));
    }
    if format == Format::Json {
        return output::line(&found.to_string());
    }
    output::table(&INSTANCES, &rows)
}

/// Tells of changes of all services, or of the instances of one, until the catalog ends.
pub(super) async fn watch(
    name: Option<String>,
    WatchedArgs { tag, passing, catalog }: WatchedArgs,
    connection: &Connection,
    format: Format,
) -> Result<(), CliError> {
    let path = name.as_deref().map(|name| health_path(name, &tag, !passing));
    let path = path.unwrap_or_else(|| "catalog/services".to_owned());
    let rows = |found: &Value| -> Vec<(String, Vec<String>)> {
        match &name {
            Some(_) => {
                let keyed = |row: Vec<String>| (format!("{} {}", row[2], row[0]), row);
                instances_table(found).into_iter().map(keyed).collect()
            }
            None => services_table(found).into_iter().map(|row| (row[0].clone(), row)).collect(),
        }
    };
    follow(&catalog, &path, connection, format, rows).await
}

/// Tells of each change of what lies behind `/v1/`: for people the rows that are other, each by what tells it apart.
pub(super) async fn follow(
    catalog: &CatalogArgs,
    path: &str,
    connection: &Connection,
    format: Format,
    rows: impl Fn(&Value) -> Vec<(String, Vec<String>)>,
) -> Result<(), CliError> {
    let mut events = catalog.catalog()?.watch(path, connection.timeout()).await?;
    let mut changes = Changes::default();
    // Bound: until the catalog ends, or whoever reads.
    loop {
        match events.next().await? {
            Event::State(found) if format == Format::Json => output::line(&found)?,
            Event::State(found) => {
                for line in changes.tell(rows(&document(found.as_bytes())?)) {
                    output::line(&line)?;
                }
            }
            Event::Trouble(reason) if format == Format::Json => {
                output::line(&serde_json::json!({ "error": reason }).to_string())?;
            }
            Event::Trouble(reason) => output::line(&format!("! {reason}"))?,
        }
    }
}

/// Where instances of a service are read.
fn health_path(name: &str, tags: &[String], all: bool) -> String {
    let mut path = format!("health/service/{}?", segment(name));
    if !all {
        path.push_str("passing&");
    }
    for tag in tags {
        path.extend(["tag=", &segment(tag), "&"]);
    }
    path
}

fn document(body: &[u8]) -> Result<Value, CliError> {
    serde_json::from_slice(body).map_err(|error| CliError::CatalogRefused {
        status: 200,
        reason: format!("its answer cannot be read as JSON: {error}"),
    })
}

const SERVICES: [&str; 2] = ["SERVICE", "TAGS"];

fn services_table(found: &Value) -> Vec<Vec<String>> {
    let row = |(name, tags): (&String, &Value)| vec![name.clone(), joined(tags)];
    found.as_object().into_iter().flatten().map(row).collect()
}

const INSTANCES: [&str; 5] = ["INSTANCE", "ADDRESS", "NODE", "STATUS", "TAGS"];

fn instances_table(found: &Value) -> Vec<Vec<String>> {
    found.as_array().into_iter().flatten().map(instance).collect()
}

fn instance(found: &Value) -> Vec<String> {
    let (node, service) = (&found["Node"], &found["Service"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let own = text(&service["Address"]);
    let address = if own.is_empty() { text(&node["Address"]) } else { own };
    let address = if address.contains(':') { format!("[{address}]") } else { address };
    let statuses = found["Checks"].as_array().into_iter().flatten().map(|check| text(&check["Status"]));
    let worst = statuses
        .min_by_key(|status| ["critical", "warning"].iter().position(|word| word == status).unwrap_or(2));
    vec![
        text(&service["ID"]),
        format!("{address}:{}", service["Port"]),
        text(&node["Node"]),
        worst.unwrap_or_else(|| "passing".to_owned()),
        joined(&service["Tags"]),
    ]
}

fn joined(tags: &Value) -> String {
    let tags = tags.as_array().into_iter().flatten().filter_map(Value::as_str);
    tags.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instance_shows_its_worst_check_and_an_address() {
        let found = json!({
            "Node": {"Node": "n1", "Address": "10.0.0.1"},
            "Service": {"ID": "web-1", "Address": "", "Port": 80, "Tags": ["a", "b"]},
            "Checks": [{"Status": "passing"}, {"Status": "critical"}, {"Status": "warning"}],
        });
        assert_eq!(instance(&found), ["web-1", "10.0.0.1:80", "n1", "critical", "a, b"]);
    }

    #[test]
    fn a_lookup_names_its_tags() {
        let tags = ["v2".to_owned(), "a b".to_owned()];
        assert_eq!(health_path("x/y", &tags, false), "health/service/x%2Fy?passing&tag=v2&tag=a%20b&");
        assert_eq!(health_path("x", &[], true), "health/service/x?");
    }
}
