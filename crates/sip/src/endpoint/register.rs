//! Registrations at work: REGISTER, its answers and its timer (RFC 3261 §10.2).

use std::time::Instant;

use super::command::CommandError;
use super::compose;
use super::config::Listener;
use super::core::{Endpoint, Owner};
use super::event::Event;
use crate::auth::rewrite::authorised;
use crate::dialog::own_uri;
use crate::registration::{Account, Next, Registration, RegistrationId, Standing};
use crate::uri::Uri;
use crate::wire::message::Message;

impl Endpoint {
    /// Registers with a carrier and keeps it up until [`Endpoint::unregister`];
    /// [`Event::Registration`] tells how it stands. Calls for the account come to the Contact user
    /// of the order at the listener's address.
    ///
    /// # Errors
    /// An unknown listener.
    pub fn register(
        &mut self,
        now: Instant,
        order: Registration,
    ) -> Result<RegistrationId, CommandError> {
        self.remote(order.listener, order.destination)?;
        let id = RegistrationId(self.next_number());
        let (call_id, tag) = (self.tokens.token(), self.tokens.token());
        self.accounts.insert(id, Account::new(order, call_id, tag));
        self.send_register(now, id);
        Ok(id)
    }

    /// Takes a registration back; [`Standing::Over`] follows. A REGISTER that waits for its answer is
    /// waited for first (RFC 3261 §10.2).
    ///
    /// # Errors
    /// There is no such registration, or it is being taken back already.
    pub fn unregister(&mut self, now: Instant, id: RegistrationId) -> Result<(), CommandError> {
        let account = self.accounts.get_mut(&id).ok_or(CommandError::UnknownLeg)?;
        if account.leaving {
            return Err(CommandError::WrongState);
        }
        account.leaving = true;
        if account.client.is_none() {
            self.leave(now, id);
        }
        Ok(())
    }

    /// How many registrations are held, those included that are being taken back.
    pub fn registrations(&self) -> usize {
        self.accounts.len()
    }

    fn leave(&mut self, now: Instant, id: RegistrationId) {
        self.refreshes.file(id, None);
        if self.accounts.get(&id).is_some_and(|account| account.bound && !account.left) {
            self.send_register(now, id);
        } else if self.accounts.remove(&id).is_some() {
            self.emit(Event::Registration { registration: id, standing: Standing::Over });
        }
    }

    /// Sends the next REGISTER of an account, or the last one when it is being taken back.
    pub(crate) fn send_register(&mut self, now: Instant, id: RegistrationId) {
        self.refreshes.file(id, None);
        let branch = self.tokens.branch();
        let full = self.is_full();
        let Some(account) = self.accounts.get_mut(&id) else { return };
        let Some(listener) = self.config.listener(account.order.listener) else { return };
        let expires_s = if account.leaving { 0 } else { account.expires_s };
        account.left = account.leaving;
        let cseq = account.next_cseq();
        let parts = compose::Registering {
            registrar: account.order.registrar.to_request_uri(),
            account: account.order.account.to_wire(),
            contact: contact(&account.order, listener).to_wire(),
            tag: &account.tag,
            call_id: &account.call_id,
            cseq,
            branch: &branch,
            expires_s,
        };
        let octets = compose::register(&self.config, listener, &parts);
        let octets = authorised(account.wallet.as_mut(), octets);
        let (listener, destination) = (account.order.listener, account.order.destination);
        let sent = self.remote(listener, destination).ok().filter(|_| !full).and_then(|remote| {
            self.transactions.send(now, Owner::Registration(id), remote, octets)
        });
        match sent {
            Some(client) => {
                if let Some(account) = self.accounts.get_mut(&id) {
                    account.client = Some(client);
                }
            }
            None => self.on_registered(now, id, None),
        }
    }

    /// A REGISTER has its final response, or never will have one.
    pub(crate) fn on_registered(
        &mut self,
        now: Instant,
        id: RegistrationId,
        response: Option<&Message>,
    ) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        let Some(listener) = self.config.listener(account.order.listener) else { return };
        let contact = contact(&account.order, listener);
        let next = account.concluded(response, &contact);
        if account.leaving {
            self.leave(now, id);
            return;
        }
        match next {
            Next::Again => self.send_register(now, id),
            Next::Wait(wait, standing) => {
                self.refreshes.file(id, Some(now + wait));
                if let Some(standing) = standing {
                    self.emit(Event::Registration { registration: id, standing });
                }
            }
            Next::BackOff(most, fault) => {
                let wait = self.tokens.between(most / 2, most);
                self.refreshes.file(id, Some(now + wait));
                let retry_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
                let standing = Standing::Failed { fault, retry_s };
                self.emit(Event::Registration { registration: id, standing });
            }
        }
    }

    /// Renews what is due.
    pub(crate) fn renew(&mut self, now: Instant) {
        while let Some(id) = self.refreshes.due(now) {
            self.send_register(now, id);
        }
    }

    /// When the next registration is due.
    pub(crate) fn next_renewal(&self) -> Option<Instant> {
        self.refreshes.next()
    }
}

/// Our Contact for an account.
fn contact(order: &Registration, listener: Listener) -> Uri {
    let mut uri = own_uri(listener.advertised, listener.transport);
    if let Uri::Sip(sip) = &mut uri {
        sip.user = Some(order.contact_user.clone());
    }
    uri
}
