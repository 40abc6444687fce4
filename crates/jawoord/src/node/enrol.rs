//! Carriers that want to be registered with: who is, over which routes, and how it went.

use std::sync::Arc;

use sip::{Registration, RegistrationId, Standing};

use super::Node;
use crate::targets::Kind;

impl Node {
    /// Takes every registration back.
    pub(crate) fn withdraw_all(&mut self) {
        self.registry.closing = true;
        self.registry.unsettle();
    }

    /// Registers with the trunks that want it, and takes back what the settings no longer ask for. A
    /// trunk whose address is not known yet is tried again with the next input.
    pub(crate) fn enrol(&mut self) {
        if self.registry.settled {
            return;
        }
        self.registry.settled = true;
        let wanted = self.wanted();
        let mut old = Vec::new();
        for (id, (name, order, leaving)) in &mut self.registry.held {
            let same = wanted.iter().any(|(wants, wish)| wants == name && wish == order);
            if !same && !*leaving {
                *leaving = true;
                old.push(*id);
            }
        }
        for id in old {
            if let Err(error) = self.endpoint.unregister(self.instant, id) {
                tracing::debug!(%error, "taking a registration back");
            }
        }
        for (name, order) in wanted {
            // One that is being taken back goes first: it has the same Contact.
            if self.registry.held.values().any(|(held, ..)| *held == name) {
                continue;
            }
            match self.endpoint.register(self.instant, order.clone()) {
                Ok(id) => {
                    self.registry.held.insert(id, (name, order, false));
                }
                Err(error) => tracing::warn!(trunk = %name, %error, "registering"),
            }
        }
    }

    /// What the settings ask for, as far as addresses are known.
    fn wanted(&mut self) -> Vec<(Box<str>, Registration)> {
        if self.registry.closing {
            return Vec::new();
        }
        let known = self.targets.candidates(Kind::Trunk, true, self.instant, |_| 0);
        let mut wanted = Vec::new();
        let settings = Arc::clone(&self.settings);
        for trunk in &settings.trunks {
            let Some(enrolment) = &trunk.register else { continue };
            let Some(candidate) = known.iter().find(|one| *one.name == *trunk.name) else {
                self.registry.settled = false;
                continue;
            };
            let host = (candidate.host.as_deref(), candidate.address);
            let transport = candidate.transport.on_the_wire();
            let Some(leaves) = self.leaves(&candidate.reach.exit, host, transport) else {
                tracing::warn!(trunk = %trunk.name, "no listener leads to the registrar");
                continue;
            };
            let order = Registration {
                listener: leaves.listener,
                destination: candidate.address,
                registrar: enrolment.registrar.clone(),
                account: enrolment.account.clone(),
                contact_user: enrolment.contact.to_string(),
                expires_s: enrolment.expires_s,
                credentials: trunk.reach.digest.clone(),
            };
            wanted.push((trunk.name.clone(), order));
        }
        wanted
    }

    /// How a registration stands now.
    pub(crate) fn registered(&mut self, id: RegistrationId, standing: Standing) {
        let Some((name, ..)) = self.registry.held.get(&id) else { return };
        match standing {
            Standing::Registered { expires_s, service_route } => {
                tracing::info!(trunk = %name, expires_s, "registered");
                self.registry.routes.insert(name.clone(), service_route);
            }
            Standing::Failed { fault, retry_s } => {
                tracing::warn!(trunk = %name, %fault, retry_s, "not registered");
                self.registry.routes.remove(name);
                // Another target of the trunk may know us.
                self.registry.unsettle();
            }
            Standing::Over => {
                self.registry.routes.remove(&name.clone());
                self.registry.held.remove(&id);
                self.registry.unsettle();
            }
        }
    }
}
