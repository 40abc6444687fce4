//! Metrics and health on a loopback port.

use std::{io, net::SocketAddr};

use axum::{Router, http::header, routing::get};
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// Binds the address of metrics and health.
///
/// # Errors
/// The address is taken or not of this machine.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves `/metrics` and `/healthz` until the listener fails.
///
/// # Errors
/// The listener failed.
pub async fn serve(listener: TcpListener, metrics: Metrics) -> io::Result<()> {
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    let render = move || async move { ([(header::CONTENT_TYPE, TEXT)], metrics.render()) };
    let routes =
        Router::new().route("/metrics", get(render)).route("/healthz", get(|| async { "ok\n" }));
    axum::serve(listener, routes).await
}
