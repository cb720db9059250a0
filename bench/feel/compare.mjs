// The expressions of `cargo bench -p coreto-bench`: their times and allocations, with what feelin needs for the same in
// the same run:
//
//     (cd bench/feel && npm install --no-package-lock && node compare.mjs)
//
// Times of ours are criterion's medians, those of feelin the median of some rounds. feelin parses a text each time that
// it evaluates it, so its figure stands beside both of ours together. Where it has no value, the expression uses what it
// lacks, or needs more stack than it has.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate } from "feelin";

const here = (name) => new URL(name, import.meta.url);
const numbers = (count) => Array.from({ length: count }, (_, at) => at + 1);
const variables = {
  ...JSON.parse(readFileSync(here("variables.json"), "utf8")),
  list: numbers(1_000),
  long: numbers(100_000),
  longest: numbers(1_000_000),
};

/** Those that an expression names, since feelin turns all that it is given into values of its own at each evaluation. */
const named = (source) =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => new RegExp(`\\b${name}\\b`).test(source)));

/** Whether feelin has a value; it throws where its stack does not suffice. */
function hasValue(source, given) {
  try {
    return (evaluate(source, given).value ?? null) !== null;
  } catch {
    return false;
  }
}

/** Microseconds per call in the median of some rounds of about 10 ms. */
function median(call) {
  const since = (start) => Number(process.hrtime.bigint() - start) / 1e3;
  let start = process.hrtime.bigint();
  call();
  const calls = Math.max(1, Math.floor(10_000 / since(start)));
  const rounds = calls === 1 ? 3 : 13;
  const found = [];
  for (let round = 0; round < rounds; round++) {
    start = process.hrtime.bigint();
    for (let at = 0; at < calls; at++) call();
    found.push(since(start) / calls);
  }
  return found.sort((left, right) => left - right)[(rounds - 1) / 2];
}

/** What a bench of ours prints. */
function bench(name, environment = {}) {
  const ran = spawnSync("cargo", ["bench", "--quiet", "--package", "coreto-bench", "--bench", name], {
    cwd: here("../.."),
    encoding: "utf8",
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (ran.status !== 0) process.exit(ran.status ?? 1);
  return ran.stdout;
}

/** Medians of criterion in microseconds, e.g. of `evaluate/x = 21`. */
function times(name) {
  const folder = mkdtempSync(join(tmpdir(), "coreto-bench-"));
  const read = (file) => JSON.parse(readFileSync(file, "utf8"));
  try {
    bench(name, { CRITERION_HOME: folder });
    const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(join("new", "benchmark.json")));
    return new Map(
      files.map((file) => {
        const estimates = read(join(folder, file, "..", "estimates.json"));
        return [read(join(folder, file)).full_id, estimates.median.point_estimate / 1e3];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A time, in the unit that fits. */
function told(us) {
  const [value, unit] = us < 1 ? [us * 1e3, "ns"] : us < 1e3 ? [us, "µs"] : [us / 1e3, "ms"];
  return `${Number(value.toPrecision(3)).toLocaleString("en")} ${unit}`;
}

const counted = bench("allocations").trimEnd().split("\n").slice(1).map((line) => line.split("\t"));
const found = times("feel");

console.log("| expression | evaluated | allocations | bytes | parsed | feelin, both | times |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const [count, bytes, source] of counted) {
  const [evaluated, parsed] = [found.get(`evaluate/${source}`), found.get(`parse/${source}`)];
  if (evaluated === undefined) continue;
  let [theirs, times] = ["–", "–"];
  const given = named(source);
  if (hasValue(source, given)) {
    const us = median(() => evaluate(source, given));
    [theirs, times] = [told(us), Math.round(us / (evaluated + parsed))];
  }
  const ours = [told(evaluated), count, Number(bytes).toLocaleString("en"), told(parsed)];
  console.log(`| \`${source.replaceAll("|", "\\|")}\` | ${ours.join(" | ")} | ${theirs} | ${times} |`);
}
