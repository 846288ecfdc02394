//! `doctor`: the settings, and a look at the Redis that they lead to.

use serde_json::{Value, json, value::RawValue};
use turnledger::settings::TurnledgerSettings;
use turnledger::{Diagnosis, RedisPool};

use super::config::setting_lines;
use crate::args::{DoctorArgs, GlobalArgs};
use crate::error::{CliError, Outcome, in_one_line, note};
use crate::output::{Output, plain};
use crate::session;

/// Prints the settings, then what is found; it is told where something fails.
pub(crate) async fn doctor(
    args: &DoctorArgs,
    global: &GlobalArgs,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let loaded = session::load(global)?;
    let redis = TurnledgerSettings::from_settings(&loaded.settings)?.redis;
    let settings = loaded.settings.to_json();
    if !args.encoded.json {
        for line in setting_lines(&loaded) {
            output.line(line)?;
        }
        output.line("")?;
    }
    let (address, diagnosis) = match RedisPool::builder(redis).build().await {
        Err(error) => (None, Err(CliError::from(error))),
        Ok(pool) => {
            let address = plain(pool.address());
            if args.encoded.json {
                note(&format!("asking redis at {address}"));
            } else {
                output.line(format_args!("redis: {address}"))?;
            }
            // What is known so far is seen also where what follows takes long.
            output.flush()?;
            let failed = |source| CliError::Doctor { address: address.clone(), source };
            let diagnosis = pool.diagnose().await.map_err(failed);
            (Some(address), diagnosis)
        }
    };
    if args.encoded.json {
        let settings = RawValue::from_string(settings)
            .map_err(|error| CliError::Output { source: error.into() })?;
        let found = match &diagnosis {
            Ok(found) => as_json(found),
            Err(error) => json!({"error": in_one_line(error)}),
        };
        output.json(&Report { settings, address: address.as_deref(), redis: found })?;
    } else if let Ok(found) = &diagnosis {
        for line in lines(found) {
            output.line(plain(&line))?;
        }
    }
    let unsupported = diagnosis?.is_unsupported();
    Ok(if unsupported { Outcome::Failed } else { Outcome::Done })
}

/// The one object of `--json`.
#[derive(serde::Serialize)]
struct Report<'a> {
    settings: Box<RawValue>,
    /// Nothing where the pool could not be made.
    address: Option<&'a str>,
    redis: Value,
}

fn lines(found: &Diagnosis) -> Vec<String> {
    let mut lines: Vec<_> = found.servers.iter().map(|server| format!("server {server}")).collect();
    lines.extend(found.round_trip.map(|measured| format!("round trip: {measured}")));
    lines.extend(found.throughput.map(|measured| format!("throughput: {measured}")));
    lines.extend(found.concerns.iter().map(|concern| format!("warning: {concern}")));
    lines.extend(found.advice.iter().map(|advice| format!("advice: {advice}")));
    if found.advice.is_empty() {
        lines.push("advice: none, the pool is within its bounds".to_owned());
    }
    lines
}

fn as_json(found: &Diagnosis) -> Value {
    let servers: Vec<_> = found
        .servers
        .iter()
        .map(|server| {
            json!({
                "address": server.address,
                "product": if server.is_valkey { "Valkey" } else { "Redis" },
                "version": server.version,
                "max_memory": server.max_memory,
                "eviction_policy": server.eviction_policy,
            })
        })
        .collect();
    let texts = |texts: &mut dyn Iterator<Item = String>| texts.collect::<Vec<_>>();
    json!({
        "servers": servers,
        "supported": !found.is_unsupported(),
        "round_trip": found.round_trip.map(|measured| json!({
            "count": measured.count,
            "p50_seconds": measured.median.as_secs_f64(),
            "p99_seconds": measured.p99.as_secs_f64(),
        })),
        "throughput": found.throughput.map(|measured| json!({
            "in_flight": measured.in_flight,
            "per_second": measured.per_second,
        })),
        "warnings": texts(&mut found.concerns.iter().map(ToString::to_string)),
        "advice": texts(&mut found.advice.iter().map(ToString::to_string)),
    })
}
