// The confirmation of a step: it names what the step costs, and which checks say no.

import { ask, change, forgetToken, hasToken, Refusal } from "./admin.js";
import { find, make, say, show } from "./dom.js";
import { gateRow, vetoes } from "./sections.js";
import { meaning, modes, usualCosts } from "./words.js";

const dialog = find("change");
let step = null;

/** What the page knows when somebody asks for a step. */
export function prepareSteps(now) {
  const number = modes.indexOf(now.phase?.mode);
  const [forward, back] = [find("forward"), find("back")];
  const next = number >= 0 ? modes[number + 1] : undefined;
  const previous = number > 0 ? modes[number - 1] : undefined;
  say(forward, next ? `Step to ${next}` : "There is no next step");
  say(back, previous ? `Roll back to ${previous}` : "There is nothing to roll back");
  forward.disabled = !next || now.isLost;
  back.disabled = !previous || now.isLost;
  find("token-forget").hidden = !hasToken();
}

export function watchSteps(current, changed) {
  find("forward").addEventListener("click", () => open(current(), "forward"));
  find("back").addEventListener("click", () => open(current(), "back"));
  find("token-forget").addEventListener("click", () => {
    forgetToken();
    prepareSteps(current());
    find("forward").focus();
  });
  find("change-cancel").addEventListener("click", () => dialog.close());
  find("change-force").addEventListener("change", ready);
  find("change-reason").addEventListener("input", ready);
  find("change-token").addEventListener("input", ready);
  find("change-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    await carryOut(changed);
  });
  dialog.addEventListener("close", () => {
    // The event comes a moment later: the dialog may be open again, with another step.
    if (dialog.open) return;
    // What was typed and not used is gone with the dialog.
    find("change-token").value = "";
    step = null;
  });
}

async function open(now, direction) {
  const number = modes.indexOf(now.phase.mode);
  const to = modes[number + (direction === "forward" ? 1 : -1)];
  const opened = { direction, from: now.phase.mode, to, gates: [], costs: usualCosts(now.phase.mode, to), rollback: false };
  step = opened;
  for (const id of ["change-reason", "change-token"]) find(id).value = "";
  find("change-force").checked = false;
  say(find("change-fault"), "");
  present();
  dialog.showModal();
  find("change-reason").focus();
  // What the sidecar itself says of this step, where it can.
  const [verdict, plan] = await Promise.all([
    ask(`/v1/phase/verdict?to=${to}`).catch(() => null),
    direction === "back" ? rollbackPlan() : null,
  ]);
  if (step !== opened) return;
  const told = plan?.cost ?? verdict?.cost ?? verdict?.costs;
  if (told) step.costs = [told].flat();
  if (verdict?.way_back && verdict.way_back_cost) step.costs = [...step.costs, `Going back to ${verdict.way_back}: ${verdict.way_back_cost}`];
  if (verdict?.allowed === false) step.gates = (verdict.gates ?? []).filter(vetoes);
  step.rollback = plan !== null;
  present();
}

/** Whether the sidecar knows the one-command rollback, and what it says it costs. */
async function rollbackPlan() {
  try {
    return await change("POST", "/v1/rollback", { dry_run: true });
  } catch (error) {
    // Without a token it is known to be there all the same.
    return error instanceof Refusal && [401, 403].includes(error.status) ? {} : null;
  }
}

function present() {
  const isForward = step.direction === "forward";
  say(find("change-title"), `${isForward ? "Step" : "Roll back"} from ${step.from} to ${step.to}?`);
  say(find("change-words"), meaning(step.to));
  show(find("change-costs"), step.costs, (costs) => costs.map((cost) => make("li", {}, cost)));
  find("change-vetoes").hidden = step.gates.length === 0;
  show(find("change-gates"), step.gates, (gates) => gates.map(gateRow));
  find("change-token-part").hidden = hasToken();
  say(find("change-go"), isForward ? `Step to ${step.to}` : `Roll back to ${step.to}`);
  ready();
}

const isForced = () => step.gates.length > 0 && find("change-force").checked;

function ready() {
  if (!step) return;
  const reason = find("change-reason").value.trim();
  const isNeeded = isForced() || step.rollback;
  say(find("change-reason-need"), isNeeded ? "(needed; kept in the history)" : "(kept in the history)");
  find("change-go").disabled = (isNeeded && !reason) || (step.gates.length > 0 && !isForced());
}

async function carryOut(changed) {
  if (!step) return;
  const taken = step;
  const reason = find("change-reason").value.trim() || null;
  const given = find("change-token").value;
  const force = isForced();
  find("change-go").disabled = true;
  say(find("change-fault"), "");
  try {
    // The sidecar chooses the step of a rollback itself.
    if (taken.rollback) await change("POST", "/v1/rollback", { reason, force }, given);
    else await change("PUT", "/v1/phase", { mode: taken.to, reason, force }, given);
    dialog.close();
    changed(`Done: ${taken.from} → ${taken.to}.`);
  } catch (error) {
    if (step !== taken) return;
    if (error.gates) step.gates = error.gates.filter(vetoes);
    find("change-token-part").hidden = hasToken();
    present();
    const words = error instanceof Refusal ? [error.message, error.hint] : ["The sidecar does not answer."];
    say(find("change-fault"), words.filter(Boolean).join("\n"));
    if (error.status === 401) find("change-token").focus();
  }
}
