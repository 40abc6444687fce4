//! What the node counts of its load: how many calls it could carry, and how many each media thread has.

use std::sync::{Arc, OnceLock};

use prometheus::{IntGauge, IntGaugeVec, Opts, Registry};

use crate::crew::Loads;

/// The gauges.
#[derive(Clone, Debug)]
pub struct Load {
    carries: IntGauge,
    workers: IntGaugeVec,
    loads: Arc<OnceLock<Loads>>,
}

impl Load {
    /// Registers them.
    ///
    /// # Errors
    /// Two metrics of one name, which is a fault of this file.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let carries = "Calls that files and sockets carry at a time.";
        let carries = IntGauge::new("jawoord_descriptor_calls", carries)?;
        let workers = "Calls whose sockets a media thread has open.";
        let workers = IntGaugeVec::new(Opts::new("jawoord_media_calls", workers), &["worker"])?;
        registry.register(Box::new(carries.clone()))?;
        registry.register(Box::new(workers.clone()))?;
        Ok(Self { carries, workers, loads: Arc::default() })
    }

    /// So many calls have descriptors.
    pub fn carries(&self, calls: usize) {
        self.carries.set(i64::try_from(calls).unwrap_or(i64::MAX));
    }

    /// Asks these for the calls of each media thread, whenever somebody reads the metrics.
    pub fn watch(&self, loads: Loads) {
        let _once_per_node = self.loads.set(loads);
    }

    /// Asks them now.
    pub fn look(&self) {
        for (worker, calls) in self.loads.get().into_iter().flat_map(Loads::calls).enumerate() {
            let gauge = self.workers.with_label_values(&[worker.to_string()]);
            gauge.set(i64::try_from(calls).unwrap_or(i64::MAX));
        }
    }
}
