"use strict";
// Progressive enhancement only: every page works without this file.

// Part of a page, asked for anew. Logged out, or nothing there any more: the page itself says which, and not that
// the line is dead.
const PATIENCE_MS = 5000;
async function fetched(address, headers = {}) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch(address, { signal, redirect: "manual", headers: { Accept: "text/html", ...headers } });
  if (answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 404) location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html").body;
}

// A form is sent once: a second click while the first is on its way does nothing.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) {
    event.preventDefault();
    return;
  }
  event.target.dataset.sent = "yes";
});
// Back from the browser's memory a form may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
// A menu that is open closes on Escape and on a click beside it.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.account[open], details.menu-fold[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.account[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

// A job tells how far it is; at its end the page is asked for anew and says how it ended.
const job = document.querySelector("[data-job]");
if (job) {
  const stage = job.querySelector(".job-stage");
  const bar = job.querySelector("progress");
  const lost = job.querySelector(".job-lost");
  let seen = job.dataset.seen;
  const ask = async () => {
    try {
      const answer = await fetch(`${job.dataset.job}?seen=${seen}`, { redirect: "manual" });
      // Logged out, or no such job any more: the page itself says which.
      if (!answer.ok && answer.status !== 503) return window.location.reload();
      if (!answer.ok) throw new Error("no agent");
      const now = await answer.json();
      lost.hidden = true;
      if (!now.is_running) return window.location.reload();
      seen = now.revision;
      if (stage.textContent !== now.stage) stage.textContent = now.stage;
      if (now.total) {
        bar.max = now.total;
        bar.value = now.done;
      } else {
        bar.removeAttribute("value");
      }
      window.setTimeout(ask, 250);
    } catch {
      lost.hidden = false;
      window.setTimeout(ask, 2000);
    }
  };
  ask();
}
