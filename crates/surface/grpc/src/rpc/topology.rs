//! Who is there.

use coreto_protocol::gateway as pb;
use coreto_protocol::gateway::partition::{PartitionBrokerHealth, PartitionBrokerRole};

use crate::gateway::Shared;
use coreto_partition::Health;

/// The protocol version that clients read to switch features.
pub(crate) const GATEWAY_VERSION: &str = "8.8.0";

/// One broker that leads every partition.
pub(crate) fn topology(shared: &Shared) -> pb::TopologyResponse {
    let count = shared.backend.partitions();
    let partitions = (1..=count).map(|number| pb::Partition {
        partition_id: number.cast_signed(),
        role: PartitionBrokerRole::Leader.into(),
        health: match shared.backend.health(number) {
            Health::Healthy => PartitionBrokerHealth::Healthy,
            Health::Recovering
            | Health::NoSpace { .. }
            | Health::CannotWrite { .. }
            | Health::Stopped { .. } => PartitionBrokerHealth::Unhealthy,
        }
        .into(),
    });
    let broker = pb::BrokerInfo {
        node_id: 0,
        host: shared.address.ip().to_string(),
        port: shared.address.port().into(),
        partitions: partitions.collect(),
        version: GATEWAY_VERSION.to_owned(),
        broker_id: "0".to_owned(),
        zone: String::new(),
    };
    pb::TopologyResponse {
        brokers: vec![broker],
        cluster_size: 1,
        partitions_count: count.cast_signed(),
        replication_factor: 1,
        gateway_version: GATEWAY_VERSION.to_owned(),
        cluster_id: shared.config.cluster_id.clone(),
    }
}
