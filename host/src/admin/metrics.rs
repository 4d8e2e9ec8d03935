//! Prints counters and histograms in Prometheus' text format, version 0.0.4.

use std::fmt::Write as _;

use crate::metrics::HostMetrics;
use crate::metrics::histogram::{HistogramFamily, HistogramSeries};

/// All that was recorded.
pub(super) fn render_metrics(metrics: &HostMetrics) -> String {
    let mut text = String::new();
    write_metrics(&mut text, metrics);
    text
}

// Writing to a String cannot fail, here and below.
fn write_metrics(text: &mut String, metrics: &HostMetrics) {
    let _ = write!(
        text,
        "# TYPE stampede_connections_open gauge\n\
         stampede_connections_open {}\n\
         # TYPE stampede_connections_turned_away_total counter\n\
         stampede_connections_turned_away_total {}\n\
         # TYPE stampede_answers_total counter\n",
        metrics.open_connections(),
        metrics.rejected_connections(),
    );
    for (digit, count) in metrics.answers() {
        let _ = writeln!(
            text,
            "stampede_answers_total{{status=\"{digit}xx\"}} {count}"
        );
    }
    for family in metrics.histograms() {
        write_family(text, &family);
    }
}

fn write_family(text: &mut String, family: &HistogramFamily) {
    let name = family.name;
    let _ = writeln!(
        text,
        "# HELP {name} {}\n# TYPE {name} histogram",
        family.help
    );
    for series in &family.series {
        let labels = labels(series);
        for (bound, count) in series.durations.cumulative() {
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
        }
        let total_us = series.durations.total_us();
        let (whole, rest) = (total_us / 1_000_000, total_us % 1_000_000);
        let _ = writeln!(text, "{name}_sum{{{labels}}} {whole}.{rest:06}");
        let _ = writeln!(
            text,
            "{name}_count{{{labels}}} {}",
            series.durations.count()
        );
    }
}

/// Names and values are this program's own, so nothing needs to be escaped.
fn labels(series: &HistogramSeries) -> String {
    let pairs = series.labels.iter();
    pairs
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use http::StatusCode;

    use super::*;
    use crate::metrics::WorkOutcome;

    fn assert_lines(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(
                text.lines().any(|found| found == *line),
                "{line} is not in\n{text}"
            );
        }
    }

    #[test]
    fn what_was_counted_is_shown() {
        let metrics = Arc::new(HostMetrics::default());
        let first = metrics.open_connection();
        let second = metrics.open_connection();
        drop(first);
        metrics.count_answer(StatusCode::OK);
        metrics.count_answer(StatusCode::CREATED);
        metrics.count_answer(StatusCode::NOT_FOUND);
        metrics.count_rejected();
        assert_lines(
            &render_metrics(&metrics),
            &[
                "# TYPE stampede_connections_open gauge",
                "stampede_connections_open 1",
                "# TYPE stampede_connections_turned_away_total counter",
                "stampede_connections_turned_away_total 1",
                "stampede_answers_total{status=\"2xx\"} 2",
                "stampede_answers_total{status=\"4xx\"} 1",
                "# TYPE stampede_answers_total counter",
            ],
        );
        drop(second);
        assert!(render_metrics(&metrics).contains("stampede_connections_open 0\n"));
    }

    #[test]
    fn a_histogram_is_shown_as_prometheus_reads_it() {
        let metrics = HostMetrics::default();
        for millis in [2, 40, 700_000] {
            let took = Duration::from_millis(millis);
            metrics.observe_cloud_call("heat", WorkOutcome::Succeeded, took);
        }
        let text = render_metrics(&metrics);
        assert_lines(
            &text,
            &[
                "# TYPE stampede_cloud_call_seconds histogram",
                "stampede_cloud_call_seconds_bucket{service=\"heat\",outcome=\"succeeded\",le=\"0.001\"} 0",
                "stampede_cloud_call_seconds_bucket{service=\"heat\",outcome=\"succeeded\",le=\"0.0025\"} 1",
                "stampede_cloud_call_seconds_bucket{service=\"heat\",outcome=\"succeeded\",le=\"600\"} 2",
                "stampede_cloud_call_seconds_bucket{service=\"heat\",outcome=\"succeeded\",le=\"+Inf\"} 3",
                "stampede_cloud_call_seconds_sum{service=\"heat\",outcome=\"succeeded\"} 700.042000",
                "stampede_cloud_call_seconds_count{service=\"heat\",outcome=\"succeeded\"} 3",
            ],
        );
        assert!(!text.contains("nova"), "nothing was recorded there");
    }
}
