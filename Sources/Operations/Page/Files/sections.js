// What each part of the page shows. Every part does with what it gets: an older sidecar tells less.

import { figures, find, make, remark, say, show, state, table } from "./dom.js";
import { bytes, count, duration, many, meaning, milliseconds, modes, moment, pieces, rate, share } from "./words.js";

const sum = (list, value) => list.reduce((total, entry) => total + (value(entry) ?? 0), 0);
const legsOf = (now) => now.status?.legs ?? [];
const shadowOf = (now) => legsOf(now).find((leg) => leg.role === "shadow");

export function who(now) {
  const status = now.status;
  if (!status) return;
  say(find("who"), `${status.service} ${status.version}, up ${duration(status.uptime_seconds)}, applications at ${status.listen}`);
  document.title = `${status.mode} · cluster-sync`;
}

// MARK: The way through the modes

export function mode(now) {
  const number = modes.indexOf(now.phase?.mode);
  show(find("way"), number, () => modes.map((name, index) => make("li", {
    "data-place": index < number ? "past" : null,
    "aria-current": index === number ? "step" : null,
  }, pieces(name).flatMap((piece) => [make("wbr"), piece]))));
  say(find("mode-words"), meaning(now.phase?.mode));
}

// MARK: The verdict

const figure = (value) => (typeof value === "number" ? count(value) : value ?? null);

export function gateRow(gate) {
  const [value, threshold] = [figure(gate.figure), figure(gate.threshold)];
  const measured = value === null ? null : make("span", { class: "figure" }, threshold === null ? value : `${value}; asked for: ${threshold}`);
  const row = state(gate.holds ? "good" : vetoes(gate) ? "bad" : "warn", gate.words ?? String(gate.gate).replaceAll("_", " "));
  row.prepend(make("span", { class: "sr" }, gate.holds ? "holds: " : "does not hold: "));
  row.lastElementChild.append(...[measured].filter(Boolean));
  return make("li", {}, row);
}

/** Whether a check stands against a step: one that only warns does not. */
export const vetoes = (gate) => !gate.holds && (gate.action ?? "veto") === "veto";

export function verdict(now) {
  const element = find("verdict-words");
  const known = now.verdict;
  if (known) {
    const against = (known.gates ?? []).filter(vetoes).length;
    const words = known.allowed ? `Yes: nothing stands against ${known.to}.` : `No: ${many(against, "check")} for ${known.to} say${against === 1 ? "s" : ""} no.`;
    show(element, [known.allowed, words], () => state(known.allowed ? "good" : "bad", words));
    show(find("gates"), known.gates, (gates) => (gates ?? []).map(gateRow));
    return;
  }
  const number = modes.indexOf(now.phase?.mode);
  const facts = number === modes.length - 1 ? [] : plainFacts(now);
  show(element, facts.length, () => make("span", { class: "quiet" }, facts.length > 0
    ? "This sidecar gives no verdict of its own. What speaks for or against a step:"
    : "This is the last mode: there is no next step."));
  show(find("gates"), facts, (gates) => gates.map(gateRow));
}

/** What can be told without the sidecar's verdict. */
function plainFacts(now) {
  const legs = legsOf(now);
  const owed = sum(legs, (leg) => leg.shadow_queued);
  const away = legs.filter((leg) => !leg.connected);
  const dead = sum(legs, (leg) => leg.dead_letters);
  const lost = sum(legs, (leg) => leg.dirty_with_loss);
  return [
    { holds: away.length === 0, words: away.length ? `${away.map((leg) => leg.cluster).join(" and ")} cannot be reached` : "both clusters can be reached" },
    { holds: owed === 0, action: "warn", words: owed === 0 ? "nothing is owed" : `${many(owed, "write")} owed` },
    { holds: dead === 0, words: dead === 0 ? "no write was refused for good" : `${many(dead, "write")} refused for good` },
    { holds: lost === 0, words: lost === 0 ? "no partition may lack an acknowledged write" : `${many(lost, "partition")} may lack an acknowledged write` },
  ];
}

// MARK: Clusters

export function clusters(now) {
  const legs = legsOf(now);
  show(find("legs"), legs.map((leg) => leg.cluster), (names) => names.map((name) => make("article", { class: "leg", "data-cluster": name },
    make("div", { class: "leg-head" }, make("h3", {}), state("quiet", "")),
    make("p", { class: "quiet" }), make("dl", { class: "figures" }))));
  legs.forEach((leg, index) => {
    const [head, words, list] = find("legs").children[index].children;
    say(head.children[0], `${leg.cluster}, ${leg.role}`);
    const [tone, said] = reach(leg);
    head.children[1].dataset.tone = tone;
    say(head.children[1].firstElementChild, said);
    const version = leg.release_version ? `version ${leg.release_version}, ` : "";
    say(words, leg.error ?? `${version}${leg.nodes_connected} of ${many(leg.nodes_known, "node")}, ${many(leg.connections, "connection")}`);
    const traffic = (now.traffic?.legs ?? []).find((entry) => entry.cluster === leg.cluster) ?? {};
    figures(list, [
      ["writes", rate(traffic.writes_per_second)],
      ["write median", milliseconds(traffic.write_p50_ms)],
      ["write 99th", milliseconds(traffic.write_p99_ms)],
      ["writes failed", rate(traffic.write_errors_per_second), traffic.write_errors_per_second > 0 ? "warn" : null],
      ["reads", rate(traffic.reads_per_second)],
      ["read median", milliseconds(traffic.read_p50_ms)],
      ["read 99th", milliseconds(traffic.read_p99_ms)],
      ["reads failed", rate(traffic.read_errors_per_second), traffic.read_errors_per_second > 0 ? "warn" : null],
    ]);
  });
}

function reach(leg) {
  if (leg.role === "unused" && !leg.connected) return ["quiet", leg.hosts?.length ? "not used, not connected" : "not configured"];
  if (!leg.connected) return ["bad", "cannot be reached"];
  if (leg.breaker_open) return ["warn", "breaker open: copies wait in the journal"];
  if (leg.held_back) return ["warn", leg.waits_for_logins ? `copies wait for ${many(leg.waits_for_logins, "login")}` : "copies are held back"];
  if (leg.behind) return ["warn", "behind: it is catching up"];
  return ["good", "connected"];
}

// MARK: What is owed

export function owed(now) {
  const legs = legsOf(now);
  const shadow = shadowOf(now);
  const dead = sum(legs, (leg) => leg.dead_letters);
  const dirty = sum(legs, (leg) => leg.dirty_partitions);
  const lost = sum(legs, (leg) => leg.dirty_with_loss);
  const oldest = Math.max(0, ...legs.map((leg) => leg.shadow_oldest_ms ?? 0));
  figures(find("owed-figures"), [
    ["writes", count(sum(legs, (leg) => leg.shadow_queued))],
    ["oldest", milliseconds(oldest), oldest > 60000 ? "warn" : null],
    ["size", bytes(sum(legs, (leg) => leg.shadow_queued_bytes))],
    ["journal on disk", now.status?.journalled === false ? "none" : bytes(sum(legs, (leg) => leg.journal_disk_bytes)), now.status?.journalled === false ? "warn" : null],
    ["dead letters", count(dead), dead > 0 ? "bad" : null],
    ["partitions in doubt", count(dirty), lost > 0 ? "bad" : dirty > 0 ? "warn" : null],
  ]);
  const worst = (now.dirty ?? [])[0];
  remark(find("owed-words"), worst
    ? `Most in doubt: ${worst.table ?? "unknown tables"} on the ${worst.cluster}, ${many(worst.partitions, "partition")}, ${worst.reason.replaceAll("_", " ")}.`
    : shadow ? `Copies go to the ${shadow.cluster}.` : "This mode has no shadow: nothing new is owed.");
}

// MARK: Comparison

export function compared(now) {
  const found = now.comparison;
  figures(find("compared-figures"), [
    ["reads compared", count(found?.compared)],
    ["mismatches", count(found?.mismatches), found?.mismatches > 0 ? "bad" : null],
    ["not compared", count(found?.skipped)],
    ["share compared", found ? `${found.percentage} %` : "\u2013"],
  ]);
  say(find("compared-words"), !found ? "This sidecar does not tell here what it compares."
    : found.percentage === 0 ? "No live reads are compared: validation_percentage is 0."
    : "Live reads since the start; a difference counts when both clusters show it twice.");
}

// MARK: Loader and reader

export function reports(now) {
  const known = now.reports;
  const parts = [
    ...loads(known).map((load) => ["Loader", load, (load) => [load.state === "complete" ? "good" : load.state === "running" ? "quiet" : "warn", load.state]]),
    ["Reader", known?.comparison, (report) => [report.verdict === "in_sync" ? "good" : report.verdict === "differs" ? "bad" : "warn", String(report.verdict).replaceAll("_", " ")]],
  ];
  show(find("reports"), known ?? null, () => parts.map(([name, report, said]) => {
    if (!report) {
      return make("article", {}, make("div", { class: "leg-head" }, make("h3", {}, name), state("quiet", known ? "has not reported" : "reports are not known here")),
        make("p", { class: "quiet" }, name === "Loader" ? "It reports once a load runs with dual_writer.admin set." : "It reports at the end of a comparison with dual_writer.admin set."));
    }
    const list = make("dl", { class: "figures" });
    figures(list, [
      ["tokens covered", share(report.tokens_covered_ratio)],
      name === "Loader" ? ["dead letters", count(report.dead_letters), report.dead_letters > 0 ? "bad" : null]
        : ["differences", count(report.differences), report.differences > 0 ? "bad" : null],
      ["tables", count(report.tables?.length)],
    ]);
    const bar = make("progress", { max: 1, value: report.tokens_covered_ratio ?? 0, "aria-label": `${name}: share of all tokens` });
    return make("article", {}, make("div", { class: "leg-head" }, make("h3", {}, name), state(...said(report))),
      make("p", { class: "quiet" }, `job ${report.job ?? "\u2013"}, reported ${moment(report.at)}`), bar, list);
  }));
}

/** The loads that have reported, or one that has not. */
const loads = (known) => (known?.loads?.length ? known.loads : [known?.load ?? null]);

// MARK: Tables

/** Tables with a mode of their own: the first ones, as they decide; the rest is counted. */
export function ownModes(now) {
  const own = now.phase?.overrides ?? [];
  const left = now.phase?.overrides_left_out ?? 0;
  find("own-modes").hidden = own.length === 0;
  if (own.length === 0) return;
  const more = left > 0 ? ` ${count(left)} more are left out: cluster-sync phase override list.` : "";
  say(find("own-modes-words"), `Not in ${now.phase.mode}; the first of these that names a table decides.${more}`);
  show(find("own-modes-list"), own, () => own.map((one) => make("li", {}, make("b", {}, one.tables), " ",
    make("span", { class: "mode" }, pieces(one.mode).flatMap((piece) => [make("wbr"), piece])))));
}

export function tables(now) {
  const rows = new Map();
  const row = (name) => rows.get(name) ?? rows.set(name, { owed: 0, doubt: 0 }).get(name);
  for (const cluster of now.journal?.clusters ?? []) for (const entry of cluster.tables ?? []) row(entry.table).owed += entry.records;
  for (const group of now.dirty ?? []) row(group.table ?? "unknown").doubt += group.partitions;
  for (const entry of now.comparison?.tables ?? []) Object.assign(row(entry.table), { compared: entry.compared, mismatches: entry.mismatches });
  for (const load of loads(now.reports)) {
    for (const entry of load?.tables ?? []) row(entry.table).loaded = Math.min(row(entry.table).loaded ?? 1, entry.tokens_covered_ratio);
  }
  for (const entry of now.reports?.comparison?.tables ?? []) row(entry.table).verdict = entry.verdict;
  for (const entry of now.tables?.tables ?? []) Object.assign(row(entry.table), { mode: entry.mode, shadow: entry.shadow });
  const sorted = [...rows].sort(([a, left], [b, right]) => weight(right) - weight(left) || a.localeCompare(b)).slice(0, 100);
  find("tables").querySelector(".scroll").hidden = sorted.length === 0;
  const numbers = ["Loaded", "Owed", "In doubt", "Compared", "Mismatches"].map((title) => ({ title, number: true }));
  // What is the same for all of them is not told of each.
  const [hasModes, hasFilter] = [sorted.some(([, entry]) => entry.mode), sorted.some(([, entry]) => (entry.shadow ?? "copied") !== "copied")];
  const own = [hasModes && "Mode", hasFilter && "Copies"].filter(Boolean).map((title) => ({ title }));
  table(find("tables-table"), [{ title: "Table" }, ...own, ...numbers, { title: "Reader" }],
    sorted.map(([name, entry]) => [name, ...(hasModes ? [entry.mode ?? now.phase?.mode ?? "\u2013"] : []), ...(hasFilter ? [copies(entry.shadow)] : []),
      share(entry.loaded), count(entry.owed), count(entry.doubt), count(entry.compared), count(entry.mismatches), verdictOf(entry.verdict)]));
  remark(find("tables-words"), sorted.length === 0 ? "No table is owed anything, in doubt, compared or loaded."
    : rows.size > sorted.length ? `${rows.size - sorted.length} more are left out.` : "");
}

/** Whether the shadow gets a table's writes. */
const copies = (shadow) => ({ copied: "all", filtered: "none", tenants: "by tenant" })[shadow] ?? "\u2013";

const weight = (entry) => (entry.mismatches ?? 0) * 1e6 + entry.doubt * 1e3 + entry.owed;
const verdictOf = (verdict) => (verdict ? state(verdict === "in_sync" ? "good" : verdict === "differs" ? "bad" : "warn", verdict.replaceAll("_", " ")) : "\u2013");

// MARK: Replicas

export function replicas(now) {
  const known = now.replicas?.replicas ?? [];
  find("replicas").hidden = known.length === 0;
  if (known.length === 0) return;
  table(find("replicas-table"), [{ title: "Replica" }, { title: "Admin port" }, { title: "State" }, { title: "Epoch", number: true }, { title: "Owes", number: true }],
    known.map((replica) => [replica.is_this_one ? `${replica.id} (this one)` : replica.id, replica.address,
      state(replica.state === "live" && !replica.fault ? "good" : replica.state === "silent" ? "bad" : "warn", replica.fault ? `${replica.state}: ${replica.fault}` : replica.state),
      count(replica.applied_epoch), count(replica.owed_source + replica.owed_target)]));
}

// MARK: Audit

export function audit(now) {
  const records = now.audit?.records ?? now.phase?.history ?? [];
  find("audit").querySelector(".scroll").hidden = records.length === 0;
  table(find("audit-table"), [{ title: "When" }, { title: "What" }, { title: "By" }, { title: "Reason" }],
    records.slice(0, 50).map((record) => [
      make("time", { datetime: record.at }, moment(record.at)), what(record), record.by ?? "\u2013",
      record.forced ? state("warn", `forced: ${record.reason ?? ""}${record.overruled?.length ? ` (against ${record.overruled.join(", ")})` : ""}`) : record.reason ?? "\u2013",
    ]));
  remark(find("audit-words"), records.length === 0 ? "Nothing has been changed so far." : "");
}

function what(record) {
  const step = record.from && record.to ? `${record.from} → ${record.to}` : null;
  return [record.action?.replaceAll("_", " "), step ?? record.what].filter(Boolean).join(": ") || "\u2013";
}
