//! Events of what waits for something to happen.

use coreto_record::event::{InstanceStarted, TimerChanged, TimerIntent};
use coreto_record::{ElementNumber, Event};

use super::event::tenant;
use super::{key, late, time};

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let timer = TimerChanged {
        key: late(),
        to: TimerIntent::Created,
        element_instance: key(9),
        element: ElementNumber(4),
        due: time(),
        repetitions: -1,
        instance: key(7),
        definition: key(1),
        tenant: tenant(),
    };
    let started = InstanceStarted { instance: late(), definition: key(1), tenant: tenant(), at: time() };
    vec![
        ("TimerTriggered", Event::Timer(TimerChanged { to: TimerIntent::Triggered, ..timer.clone() })),
        ("Timer", Event::Timer(timer)),
        ("InstanceStarted", Event::InstanceStarted(started)),
    ]
}
