// The page: it listens to the sidecar's events, asks now and then for what is not in them, and shows both.

import { ask } from "./admin.js";
import { prepareSteps, watchSteps } from "./change.js";
import { find, say, setState } from "./dom.js";
import * as sections from "./sections.js";
import { clock } from "./words.js";

/** Milliseconds without a word after which the sidecar counts as gone. */
const SILENCE = 4000;
/** Between two questions for what changes seldom, and for what an older sidecar may not know. */
const SELDOM = 5000;
const UNKNOWN = 60000;

const now = { isLost: true, heard: null, verdict: null, reports: null, audit: null, replicas: null, tables: null };
let source = null;

// MARK: Showing

const shown = [sections.who, sections.mode, sections.verdict, sections.clusters, sections.owed, sections.compared,
  sections.reports, sections.ownModes, sections.tables, sections.replicas, sections.audit];

function render() {
  // One part that fails is no reason for the others to stand still.
  for (const part of shown) {
    try {
      part(now);
    } catch (error) {
      console.error(error);
    }
  }
  prepareSteps(now);
  link();
}

function link() {
  const status = now.status;
  document.body.toggleAttribute("data-lost", now.isLost && now.heard !== null);
  if (now.isLost) {
    const words = now.heard ? `connection lost since ${clock(now.heard)}` : "connecting …";
    return setState(find("link"), now.heard ? "bad" : "quiet", words);
  }
  if (status.draining) return setState(find("link"), "warn", "stopping");
  if (!status.ready) return setState(find("link"), "bad", `not ready: ${status.reason ?? "no reason given"}`);
  setState(find("link"), "good", `live, ${status.clients} client connection${status.clients === 1 ? "" : "s"}`);
}

// MARK: Hearing

async function hear(told) {
  const isFirst = now.heard === null;
  const before = `${now.phase?.mode} ${now.phase?.epoch}`;
  Object.assign(now, told, { isLost: false, heard: new Date() });
  if (!isFirst && `${now.phase?.mode} ${now.phase?.epoch}` !== before) seldom();
  render();
  if (!isFirst) return;
  // Shown when all of it is known: nothing jumps under the reader's finger.
  await Promise.race([seldom(), new Promise((done) => setTimeout(done, 1000))]);
  document.body.dataset.ready = "";
}

function listen() {
  source?.close();
  source = new EventSource("/v1/events");
  source.addEventListener("status", (event) => hear(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    // A browser tries again by itself where the connection broke, and gives up where it was refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(poll, 1000);
  });
}

/** Where there are no events, or no room for one more listener: the same, asked for. */
async function poll() {
  try {
    const [status, phase, journal] = await Promise.all(["/v1/status", "/v1/phase", "/v1/journal"].map((path) => ask(path)));
    if (status && phase) hear({ status, phase, journal });
  } catch {
    // Silence says it.
  }
  setTimeout(listen, SELDOM - 1000);
}

setInterval(() => {
  if (now.isLost || Date.now() - now.heard.getTime() < SILENCE + SELDOM * Number(source.readyState === EventSource.CLOSED)) return;
  now.isLost = true;
  render();
}, 500);

// MARK: Asking

const seldomAsked = { verdict: "/v1/phase/verdict", reports: "/v1/reports", audit: "/v1/audit", replicas: "/v1/replicas", tables: "/v1/tables" };
const unknownUntil = {};

async function seldom() {
  const due = Object.entries(seldomAsked).filter(([key]) => (unknownUntil[key] ?? 0) < Date.now());
  await Promise.all(due.map(async ([key, path]) => {
    try {
      now[key] = await ask(path);
      unknownUntil[key] = now[key] === null ? Date.now() + UNKNOWN : 0;
    } catch {
      now[key] = null;
    }
  }));
  if (!now.isLost) render();
}

watchSteps(() => now, (words) => {
  say(find("done"), words);
  seldom();
});
setInterval(() => { if (!now.isLost && !document.hidden) seldom(); }, SELDOM);
prepareSteps(now);
listen();
