// The table of `cargo bench -p coreto-feel`, with what feelin needs for the same in the same run:
//
//     (cd bench/feel && npm install --no-package-lock && node compare.mjs)
//
// feelin parses a text each time that it evaluates it, so its figure stands beside both of ours together. Where it has
// no value, the expression uses what it lacks, or needs more stack than it has.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
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

/** Microseconds per call in the best of some rounds of about 10 ms. */
function best(call) {
  const since = (start) => Number(process.hrtime.bigint() - start) / 1e3;
  let start = process.hrtime.bigint();
  call();
  const calls = Math.max(1, Math.floor(10_000 / since(start)));
  const rounds = calls === 1 ? 3 : 12;
  let found = Infinity;
  for (let round = 0; round < rounds; round++) {
    start = process.hrtime.bigint();
    for (let at = 0; at < calls; at++) call();
    found = Math.min(found, since(start) / calls);
  }
  return found;
}

const bench = spawnSync("cargo", ["bench", "--quiet", "--package", "coreto-feel", "--bench", "speed"], {
  cwd: here("../.."),
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
if (bench.status !== 0) process.exit(bench.status ?? 1);

console.log("| expression | eval | parse | feelin, both | times |\n| --- | --- | --- | --- | --- |");
for (const line of bench.stdout.split("\n")) {
  const [, evalNs, parseNs, source] = line.match(/^\s*([\d.]+)\s+([\d.]+)\s+(.*)$/) ?? [];
  if (!source) continue;
  const [evalUs, parseUs] = [evalNs / 1e3, parseNs / 1e3];
  const told = (us) => `${us < 10 ? us.toPrecision(2) : Math.round(us)} µs`;
  let [theirs, times] = ["–", "–"];
  const given = named(source);
  if (hasValue(source, given)) {
    const us = best(() => evaluate(source, given));
    [theirs, times] = [told(us), Math.round(us / (evalUs + parseUs))];
  }
  console.log(`| \`${source.replaceAll("|", "\\|")}\` | ${told(evalUs)} | ${told(parseUs)} | ${theirs} | ${times} |`);
}
