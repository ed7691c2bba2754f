// The admin port, as this page talks to it. Its token lives in this module's memory: it is never stored, and never part of an
// address.

let token = null;

export const hasToken = () => token !== null;
export const forgetToken = () => { token = null; };

export class Refusal extends Error {
  constructor(status, fault) {
    super(fault?.message ?? `The sidecar answered ${status}.`);
    this.status = status;
    this.hint = fault?.hint ?? "";
    /** The checks that said no, where it was they. */
    this.gates = fault?.gates ?? null;
  }
}

/** A document, or null where the sidecar does not know the path. */
export async function ask(path) {
  const response = await fetch(path, { cache: "no-store" });
  if (response.status === 404) return null;
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/** Changes something; `given` is a token that is kept if it was right. */
export async function change(method, path, body, given) {
  const used = given || token;
  const headers = { "Content-Type": "application/json" };
  if (used) headers.Authorization = `Bearer ${used}`;
  const response = await fetch(path, { method, headers, body: JSON.stringify(body), cache: "no-store" });
  if (response.status === 401) token = null;
  if (!response.ok) throw await refusal(response);
  if (used) token = used;
  return response.json();
}

async function refusal(response) {
  const document = await response.json().catch(() => null);
  return new Refusal(response.status, document?.error ? document.error : null);
}
