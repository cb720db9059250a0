//! What comes with a command: time, chance, and who asks.

use std::sync::Arc;

use crate::time::Timestamp;

/// Where a machine's partition stands in its group: `number` counts from 1 to `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// This partition, from 1.
    pub number: u32,
    /// Partitions of the group.
    pub count: u32,
}

/// An interned tenant; a number is never used for another tenant again. 0 is the default tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(u32);

impl Tenant {
    /// The tenant of everything while multi-tenancy is off; on the wire `<default>`.
    pub const DEFAULT: Self = Self(0);

    /// The tenant with this interned number.
    pub const fn from_raw(number: u32) -> Self {
        Self(number)
    }

    /// The interned number.
    pub const fn raw(self) -> u32 {
        self.0
    }
}

/// An interned user, client or workload. 0 is the anonymous principal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Principal(pub u32);

/// By which door a command came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    /// The gRPC gateway.
    #[default]
    Grpc,
    /// A door that speaks HTTP.
    Http,
    /// The program itself: ticks, follow-ups, frames from other partitions.
    Internal,
}

/// Who asks, and what they may see. What belongs to another tenant is not found.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// By which door.
    pub channel: Channel,
    tenants: Tenants,
}

#[derive(Clone, Debug)]
enum Tenants {
    All,
    Default,
    Some(Arc<[Tenant]>),
}

impl Caller {
    /// The program itself, which sees every tenant.
    pub const fn internal() -> Self {
        Self { principal: Principal(0), channel: Channel::Internal, tenants: Tenants::All }
    }

    /// Whoever comes in by `channel` while identities are off: sees the default tenant.
    pub const fn anonymous(channel: Channel) -> Self {
        Self { principal: Principal(0), channel, tenants: Tenants::Default }
    }

    /// A principal that sees exactly `tenants`, which may be none.
    pub const fn of(principal: Principal, channel: Channel, tenants: Arc<[Tenant]>) -> Self {
        Self { principal, channel, tenants: Tenants::Some(tenants) }
    }

    /// Whether things of `tenant` exist for this caller.
    pub fn sees(&self, tenant: Tenant) -> bool {
        match &self.tenants {
            Tenants::All => true,
            Tenants::Default => tenant == Tenant::DEFAULT,
            Tenants::Some(tenants) => tenants.contains(&tenant),
        }
    }
}

/// Names a request that waits for its answer. Tokens from before a restart name nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

impl Token {
    /// The token with this number, as the runtime made it.
    pub const fn from_raw(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn raw(self) -> u64 {
        self.0
    }
}

/// What comes with a command and is no part of the wish itself.
#[derive(Clone, Debug)]
pub struct Head {
    /// The time of the batch; never before that of the batch before it.
    pub now: Timestamp,
    /// Random bits for this command alone.
    pub seed: u128,
    /// Who asks.
    pub caller: Caller,
    /// The caller's number, copied to every record that the command causes.
    pub operation_reference: Option<u64>,
    /// Names the waiting request, for an answer that comes later.
    pub token: Option<Token>,
}
