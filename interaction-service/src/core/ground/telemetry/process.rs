//! The gauges of this process, under the names that every Prometheus client gives it (`process_*`).
//!
//! Linux has them in `/proc` (manual page proc(5): stat, self/stat, self/status); elsewhere nothing is measured.
use std::fs;

/// Ticks per second of the clock in which Linux reports times: the same on every machine (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Sets the gauges of the process, as far as the system reports them.
pub fn measure() {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let (stat, status) = (read("/proc/self/stat"), read("/proc/self/status"));
    // Fields are counted from behind the name, which may hold anything.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let field = |place: usize| fields.get(place - 3).and_then(|text| text.parse::<f64>().ok());
    if let (Some(user), Some(system)) = (field(14), field(15)) {
        // It only grows, and still is a gauge: a counter of this crate holds whole numbers, and whole seconds are too few.
        metrics::gauge!("process_cpu_seconds_total").set((user + system) / TICKS);
    }
    if let (Some(ticks), Some(boot)) = (field(22), number(&read("/proc/stat"), "btime ")) {
        metrics::gauge!("process_start_time_seconds").set(boot + ticks / TICKS);
    }
    let limits = read("/proc/self/limits");
    let set = |gauge: metrics::Gauge, text: &str, word: &str, unit: f64| {
        if let Some(value) = number(text, word) {
            gauge.set(value * unit);
        }
    };
    set(metrics::gauge!("process_threads"), &status, "Threads:", 1.0);
    set(metrics::gauge!("process_resident_memory_bytes"), &status, "VmRSS:", 1024.0);
    set(metrics::gauge!("process_virtual_memory_bytes"), &status, "VmSize:", 1024.0);
    set(metrics::gauge!("process_max_fds"), &limits, "Max open files", 1.0);
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        #[expect(clippy::cast_precision_loss, reason = "there are some thousands of files at most")]
        metrics::gauge!("process_open_fds").set(open.count() as f64);
    }
}

/// The first number behind a word at the beginning of a line.
fn number(text: &str, word: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(word))?.split_whitespace().next()?.parse().ok()
}
