// How numbers, moments and modes are said.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const none = "\u2013";
const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

export const count = (value) => (known(value) ? whole.format(value) : none);
export const rate = (value) => (known(value) ? `${(value < 100 ? fine : whole).format(value)}/s` : none);

export function milliseconds(value) {
  if (!known(value)) return none;
  if (value === 0) return "0 ms";
  if (value < 10) return `${value.toFixed(2)} ms`;
  return value < 1000 ? `${whole.format(value)} ms` : duration(value / 1000);
}

export function duration(seconds) {
  if (!known(seconds)) return none;
  if (seconds < 10) return `${fine.format(seconds)} s`;
  if (seconds < 120) return `${whole.format(seconds)} s`;
  if (seconds < 7200) return `${whole.format(seconds / 60)} min`;
  if (seconds < 172800) return `${whole.format(seconds / 3600)} h`;
  return `${whole.format(seconds / 86400)} d`;
}

export function bytes(value) {
  if (!known(value)) return none;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${(index > 0 && value < 100 ? fine : whole).format(value)} ${units[index]}`;
}

/** A share of 1, rounded down: only what is whole is 100 %. */
export const share = (value) => (known(value) ? `${(Math.floor(value * 1000) / 10).toFixed(1)} %` : none);

export const many = (value, word) => `${count(value)} ${word}${value === 1 ? "" : "s"}`;

/** `2026-11-26T03:29:23.123Z` as people read it; the day only where it is not today. */
export function moment(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text ?? none;
  const day = date.toDateString() === new Date().toDateString() ? "" : `${date.toLocaleDateString("en-CA")} `;
  return day + clock(date);
}

export const clock = (date) => date.toLocaleTimeString("en-GB");

export const modes = ["PrimaryOnly", "DualWriteAsync", "DualWriteSync", "ShadowPrimary", "TargetOnly"];

/** A name of a mode in the pieces at which it may break. */
export const pieces = (name) => name.split(/(?=[A-Z])/);

const meanings = [
  "Applications read and write the source alone. The target gets nothing.",
  "The source answers. The target gets a copy of each write after it.",
  "The source answers, and a write must succeed on both clusters.",
  "The target answers. The source gets a copy of each write after it, so that going back loses nothing.",
  "Applications read and write the target alone. The source gets nothing.",
];

export const meaning = (mode) => meanings[modes.indexOf(mode)] ?? "";

/** What a step costs, for a sidecar that does not say it itself. */
export function usualCosts(from, to) {
  const step = `${modes.indexOf(from)}>${modes.indexOf(to)}`;
  return {
    "0>1": ["Each write is sent to the target too: it needs room, and the sidecar's journal some disk."],
    "1>2": ["A write waits for both clusters: it is as slow as the slower one, and fails where one of them fails."],
    "2>3": ["Reads and answers come from the target from now on. Going back loses nothing: the source gets every write."],
    "3>4": ["The source gets no more writes. From then on going back loses what was written in between."],
    "4>3": ["What was written while the target was alone is not on the source. It gets only what comes from now on."],
    "3>2": ["Reads and answers come from the source again. It has received every write, so nothing is lost."],
    "2>1": ["A write no longer waits for the target."],
    "1>0": ["The target gets no more writes. What it has is out of date from now on, and loads must begin anew."],
  }[step] ?? [];
}
