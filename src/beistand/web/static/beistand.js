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

// A double click sends a form once. Only for a moment: the page may stay where it is, as with a download, and nothing
// tells of it. Whoever clicks again later asks again, and of two jobs the agent runs one (F16).
const AGAIN_MS = 3000;
let sent = 0;

document.addEventListener("submit", (event) => {
  const { target: form, submitter: button } = event;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  rest();
  sent += 1;
  form.dataset.sent = "yes";
  window.setTimeout(() => delete form.dataset.sent, AGAIN_MS);
  // What takes its time says what it waits for, in a region that readers are told of.
  const waits = button && document.getElementById(button.dataset.waits);
  if (!waits) return;
  button.setAttribute("aria-busy", "true");
  waits.firstElementChild.hidden = false;
});

function rest() {
  for (const form of document.forms) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[data-waits]")) {
    button.removeAttribute("aria-busy");
    document.getElementById(button.dataset.waits).firstElementChild.hidden = true;
  }
}

// Nothing is waited for any more: back from the browser's memory, or stopped, where the browser tells.
window.addEventListener("pageshow", rest);
window.navigation?.addEventListener("navigate", ({ signal }) => {
  const number = sent;
  signal.addEventListener("abort", () => {
    if (number === sent) rest();
  });
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
    const asked = performance.now();
    try {
      const answer = await fetch(`${job.dataset.job}?seen=${seen}`, { redirect: "manual" });
      // Logged out, or no such job any more: the page itself says which.
      if (!answer.ok && answer.status !== 503) return window.location.reload();
      if (!answer.ok) throw new Error("no agent");
      const now = await answer.json();
      lost.hidden = true;
      if (!now.is_running) return window.location.reload();
      // Answered at once, and without news: another window of this session waits already.
      const isNews = now.revision !== Number(seen) || performance.now() - asked > 1000;
      seen = now.revision;
      if (stage.textContent !== now.stage) stage.textContent = now.stage;
      if (now.total) {
        bar.max = now.total;
        bar.value = now.done;
      } else {
        bar.removeAttribute("value");
      }
      window.setTimeout(ask, isNews ? 250 : 2000);
    } catch {
      lost.hidden = false;
      window.setTimeout(ask, 2000);
    }
  };
  ask();
}
