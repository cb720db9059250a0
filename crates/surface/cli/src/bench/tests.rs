use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn options(address: &str, arguments: &str) -> Options {
    let line = format!("bench --address {address} --warmup 0s --duration 300ms {arguments}");
    Line::try_parse_from(line.split_ascii_whitespace()).unwrap().options
}

#[test]
fn measures_the_bare_server_in_every_way() {
    let file = std::env::temp_dir().join(format!("coreto-bench-test-{}", std::process::id()));
    let (address, stop) = ceiling::tests::started(&file);
    for arguments in [
        "--worker stream --concurrency 8",
        "--worker poll --concurrency 8 --max-jobs 4 --workers 2",
        "--scenario ten-tasks --concurrency 8 --connections 2 --worker-connections 0",
        "--scenario message --concurrency 8",
        "--rate 500 --arrival poisson",
        "--payload-bytes 200000 --concurrency 4",
    ] {
        let report = measure(&options(&address, arguments)).unwrap();
        let of = |name| report.latency_ms[name].count;
        assert!(report.completed_per_second > 10.0, "{arguments}: {report}");
        assert_eq!((report.failed, report.unfinished, report.strays), (0, 0, 0), "{arguments}: {report}");
        assert!(report.errors.is_empty(), "{arguments}: {report}");
        assert_eq!(of("create_ack"), of("instance"), "{arguments}");
        assert_eq!(of("create_ack"), of("job_visible"), "{arguments}");
        let tasks = if arguments.contains("ten-tasks") { 10 } else { 1 };
        if arguments.contains("message") {
            assert_eq!(of("create_ack"), of("correlate"), "{arguments}");
        }
        assert_eq!(of("complete_ack"), tasks * of("instance"), "{arguments}");
    }
    let parked = options(&address, "--scenario parked --count 100 --settle 0s --concurrency 8");
    let report = measure(&parked).unwrap();
    assert_eq!(report.latency_ms["create_ack"].count, 100);
    drop(stop);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn an_open_loop_keeps_its_rate() {
    let file = std::env::temp_dir().join(format!("coreto-bench-rate-{}", std::process::id()));
    let (address, stop) = ceiling::tests::started(&file);
    let report = measure(&options(&address, "--rate 1000")).unwrap();
    // 300 are due; whether the first or last one falls into the window is a matter of nanoseconds.
    assert!((299..=301).contains(&report.latency_ms["instance"].count), "{report}");
    drop(stop);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn names_what_cannot_be_measured() {
    let error = |address| measure(&options(address, "")).unwrap_err().to_string();
    assert!(error("https://127.0.0.1:1").contains("not implemented: TLS"));
    assert!(error("localhost").contains("`localhost`"));
    assert!(error("http://127.0.0.1:1").contains("cannot connect to `http://127.0.0.1:1`"));
}
