//! Resolves the names of targets ahead of every call, and again as their answers grow old (RFC 3263 §4).

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hickory_resolver::{
    ResolverBuilder, TokioResolver,
    config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts},
    lookup::Lookup,
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{RData, RecordType, rdata::SRV},
    },
};
use tokio::{sync::mpsc, task::AbortHandle, time};

use crate::{
    config::{listener::Listener, target::Transport},
    note::Note,
    targets::{Found, Question, order::Rank},
};

/// An answer is never asked for again sooner than this, whatever its TTL.
const SOONEST: Duration = Duration::from_secs(1);
/// Nor later than this.
const LATEST: Duration = Duration::from_secs(3_600);
/// That a name leads nowhere is believed for so long at most.
const NOWHERE: Duration = Duration::from_secs(300);
/// How long one server is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Keeps the answers for all names fresh. Answers go to the loop of calls as notes; no call ever
/// waits for one.
pub struct Resolver {
    servers: Vec<SocketAddr>,
    strategy: LookupIpStrategy,
    /// Made for the first name: most nodes have none and need no name server.
    asker: Option<Arc<TokioResolver>>,
    notes: mpsc::UnboundedSender<Note>,
    asking: BTreeMap<Question, AbortHandle>,
}

impl Resolver {
    /// Asks the servers, or those of the system when there are none, for addresses that the
    /// listeners can send to.
    #[must_use]
    pub fn new(
        servers: &[SocketAddr],
        listeners: &[Listener],
        notes: mpsc::UnboundedSender<Note>,
    ) -> Self {
        let (servers, strategy) = (servers.to_vec(), families(listeners));
        Self { servers, strategy, asker: None, notes, asking: BTreeMap::new() }
    }

    fn asker(&mut self) -> Option<Arc<TokioResolver>> {
        if self.asker.is_none() {
            match asker(&self.servers, self.strategy) {
                Ok(asker) => self.asker = Some(Arc::new(asker)),
                Err(error) => {
                    tracing::error!(%error, "names cannot be resolved; write `dns.servers`");
                }
            }
        }
        self.asker.clone()
    }

    /// Follows these names from now on, and no others.
    pub fn follow(&mut self, questions: &[Question]) {
        self.asking.retain(|question, task| {
            let stays = questions.contains(question);
            if !stays {
                task.abort();
            }
            stays
        });
        for question in questions {
            if self.asking.contains_key(question) {
                continue;
            }
            let Some(asker) = self.asker() else { return };
            let task = tokio::spawn(follow(asker, question.clone(), self.notes.clone()));
            self.asking.insert(question.clone(), task.abort_handle());
        }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.asking.values().for_each(AbortHandle::abort);
    }
}

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Its addresses; none when the name leads nowhere.
    pub found: Vec<Found>,
    /// For how long they are good: the shortest TTL.
    pub fresh: Duration,
    /// Whether SRV says so; else A and AAAA do.
    pub by_services: bool,
}

/// Asks for one name once, as the running node would. `None` when no name server answers, or none
/// is known.
pub async fn look(
    servers: &[SocketAddr],
    listeners: &[Listener],
    question: &Question,
) -> Option<Looked> {
    let asker = asker(servers, families(listeners)).ok()?;
    match addresses(&asker, question).await {
        Answer::Found(looked) => Some(looked),
        Answer::Silence => None,
    }
}

/// The kinds of addresses that the listeners can send to.
fn families(listeners: &[Listener]) -> LookupIpStrategy {
    let has = |v6: bool| listeners.iter().any(|listener| listener.bind.is_ipv6() == v6);
    match (has(false), has(true)) {
        (false, true) => LookupIpStrategy::Ipv6Only,
        (true, true) => LookupIpStrategy::Ipv4AndIpv6,
        (_, false) => LookupIpStrategy::Ipv4Only,
    }
}

fn asker(servers: &[SocketAddr], strategy: LookupIpStrategy) -> Result<TokioResolver, NetError> {
    let mut builder: ResolverBuilder<TokioRuntimeProvider> = if servers.is_empty() {
        TokioResolver::builder_tokio()?
    } else {
        let servers = servers.iter().map(server).collect();
        let config = ResolverConfig::from_name_servers(servers);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options: &mut ResolverOpts = builder.options_mut();
    options.ip_strategy = strategy;
    options.timeout = PATIENCE;
    options.attempts = 2;
    // We keep the answers ourselves, for as long as they say.
    options.cache_size = 0;
    builder.build()
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let at = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
    NameServerConfig::new(address.ip(), true, connections)
}

/// Asks for one name for as long as the node runs. While nobody answers, the old answer stays.
async fn follow(asker: Arc<TokioResolver>, question: Question, notes: mpsc::UnboundedSender<Note>) {
    let mut pause = SOONEST;
    loop {
        let wait = match addresses(&asker, &question).await {
            Answer::Found(Looked { found, fresh, .. }) => {
                pause = SOONEST;
                tracing::debug!(name = %question.name, addresses = found.len(), "resolved");
                if notes.send(Note::Resolved(question.clone(), found)).is_err() {
                    return;
                }
                fresh.clamp(SOONEST, LATEST)
            }
            Answer::Silence => {
                tracing::warn!(
                    name = %question.name,
                    "no name server answers; what is known of the name is used on"
                );
                let wait = pause;
                pause = (pause * 2).min(Duration::from_secs(30));
                wait
            }
        };
        time::sleep(wait).await;
    }
}

/// What came of one question.
enum Answer {
    /// The name leads there, or nowhere.
    Found(Looked),
    /// Nobody answered, or nobody could.
    Silence,
}

/// RFC 3263 §4.2: a port is taken as it is; without one SRV says where to, and without SRV the
/// addresses of the name have the transport's own port.
async fn addresses(asker: &TokioResolver, question: &Question) -> Answer {
    let plain = Rank { priority: 0, weight: 1 };
    if let Some(port) = question.port {
        return hosts(asker, &question.name, port, plain).await;
    }
    let service = match question.transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    };
    // The dot at the end keeps the system's search list away.
    let name = format!("{service}.{}.", question.name);
    match asker.lookup(name, RecordType::SRV).await {
        Ok(lookup) => services(asker, &lookup).await,
        Err(error) => match nowhere(&error) {
            Some(_) => hosts(asker, &question.name, question.transport.port(), plain).await,
            None => Answer::Silence,
        },
    }
}

/// The addresses behind the services of a name.
async fn services(asker: &TokioResolver, lookup: &Lookup) -> Answer {
    let (mut all, mut fresh, mut silent) = (Vec::new(), fresh_for(lookup), false);
    for record in lookup.answers() {
        let RData::SRV(SRV { priority, weight, port, target, .. }) = &record.data else { continue };
        // RFC 2782: a single dot says that there is no such service.
        if target.is_root() {
            continue;
        }
        let rank = Rank { priority: *priority, weight: *weight };
        match hosts(asker, &target.to_utf8(), *port, rank).await {
            Answer::Found(looked) => {
                all.extend(looked.found);
                fresh = fresh.min(looked.fresh);
            }
            Answer::Silence => silent = true,
        }
    }
    let found = |found, fresh| Answer::Found(Looked { found, fresh, by_services: true });
    match (all.is_empty(), silent) {
        (true, true) => Answer::Silence,
        // What is missing is asked for again soon.
        (false, true) => found(all, SOONEST * 5),
        (_, false) => found(all, fresh),
    }
}

/// The addresses of a host.
async fn hosts(asker: &TokioResolver, name: &str, port: u16, rank: Rank) -> Answer {
    let name = format!("{}.", name.trim_end_matches('.'));
    let looked = |found, fresh| Answer::Found(Looked { found, fresh, by_services: false });
    match asker.lookup_ip(name).await {
        Ok(lookup) => {
            let found = |ip: IpAddr| Found { address: SocketAddr::new(ip, port), rank };
            looked(lookup.iter().map(found).collect(), fresh_for(lookup.as_lookup()))
        }
        Err(error) => match nowhere(&error) {
            Some(believed) => looked(Vec::new(), believed),
            None => Answer::Silence,
        },
    }
}

/// The shortest TTL of the records.
fn fresh_for(lookup: &Lookup) -> Duration {
    let shortest = lookup.answers().iter().map(|record| record.ttl).min();
    Duration::from_secs(shortest.unwrap_or_default().into())
}

/// How long it is believed that a name leads nowhere; `None` when the server only could not say
/// (RFC 2308).
fn nowhere(error: &NetError) -> Option<Duration> {
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return None };
    let said = matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain);
    let believed = none.negative_ttl.map_or(SOONEST * 30, |ttl| Duration::from_secs(ttl.into()));
    said.then(|| believed.min(NOWHERE))
}
