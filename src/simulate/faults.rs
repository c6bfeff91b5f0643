//! Faults that are waiting to strike.

use crate::simulate::scenario::fault::{FaultKind, FaultSpec, Times};

/// The faults of a simulation with their counts.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Armed>);

#[derive(Clone, Debug)]
struct Armed {
    spec: FaultSpec,
    seen: u32,
}

/// The part of a call that faults look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) model: &'a str,
    pub(crate) region: &'a str,
}

impl Faults {
    pub(crate) fn new(specs: Vec<FaultSpec>) -> Self {
        Self(specs.into_iter().map(|spec| Armed { spec, seen: 0 }).collect())
    }

    /// Adds a fault.
    pub fn add(&mut self, spec: FaultSpec) {
        self.0.push(Armed { spec, seen: 0 });
    }

    /// Removes all faults.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the first fault of the wanted kinds that strikes this call, and counts the call for every one that looked at it.
    pub(crate) fn strike(&mut self, place: Place<'_>, wanted: impl Fn(FaultKind) -> bool) -> Option<FaultSpec> {
        let mut struck = None;
        for armed in &mut self.0 {
            if !wanted(armed.spec.kind)
                || !armed.spec.matches(place.service, place.operation, place.model, place.region)
            {
                continue;
            }
            let turn = armed.seen;
            armed.seen = armed.seen.saturating_add(1);
            let due = turn >= armed.spec.after
                && match armed.spec.times {
                    Times::Always => true,
                    Times::Count(times) => turn - armed.spec.after < times,
                };
            if due && struck.is_none() {
                struck = Some(armed.spec.clone());
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_so_often_after_so_many() {
        let mut fault: FaultSpec = "sts=throttle:2".parse().unwrap();
        fault.after = 1;
        let mut faults = Faults::new(vec![fault]);
        let mut strike = |service| {
            let place = Place { service, operation: "GetCallerIdentity", model: "", region: "us-east-1" };
            faults.strike(place, FaultKind::refuses).is_some()
        };
        assert_eq!(
            [strike("sts"), strike("bedrock"), strike("sts"), strike("sts"), strike("sts")],
            [false, false, true, true, false]
        );
    }
}
