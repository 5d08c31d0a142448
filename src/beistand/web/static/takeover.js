"use strict";
// The takeover page without this file: "look again" asks anew, and progress comes by reloading.

const LOOK_MS = 2000;
const STEP_MS = 700;
const LOST_AFTER = 3; // A takeover keeps the appliance busy: one answer that does not come means nothing.

// Only what differs is put in place, so that nobody loses their place and no reader hears everything again.
function put(old, fresh) {
  const before = [...old.children];
  const after = [...fresh.children];
  if (before.length !== after.length) {
    old.replaceChildren(...after);
    return;
  }
  before.forEach((each, at) => {
    if (each.outerHTML !== after[at].outerHTML) each.replaceWith(after[at]);
  });
}

function watchEvidence(form) {
  const place = document.getElementById("evidence");
  const changed = document.getElementById("plan-changed");
  const lost = document.getElementById("line-lost");
  const isTouched = () =>
    [...form.elements].some(
      (each) => (["checkbox", "radio"].includes(each.type) && each.checked) || (["text", "password"].includes(each.type) && each.value),
    ) || [...form.querySelectorAll("option")].some((each) => each.selected !== each.defaultSelected);
  const look = async () => {
    const point = encodeURIComponent(form.elements.restore_point.dataset.shown);
    try {
      const fresh = await fetched(`${form.dataset.evidence}?restore_point=${point}&seen=${form.elements.seen.value}`);
      const elsewhere = fresh.querySelector("[data-job]");
      if (elsewhere) {
        location.href = elsewhere.dataset.job;
        return;
      }
      put(place, fresh);
      const digest = place.querySelector("[data-digest]").dataset.digest;
      lost.hidden = digest !== "";
      changed.hidden = digest === "" || digest === form.elements.digest.value;
      if (!changed.hidden && !isTouched() && !document.querySelector("[data-sent], [aria-busy]")) location.replace(`${location.pathname}?restore_point=${point}`);
    } catch {
      lost.hidden = false;
    }
    setTimeout(look, LOOK_MS);
  };
  for (const each of document.querySelectorAll("[data-live]")) each.hidden = false;
  setTimeout(look, LOOK_MS);
}

function watchProgress(place) {
  const lost = document.getElementById("line-lost");
  let failures = 0;
  const look = async () => {
    let pause = STEP_MS;
    try {
      const fresh = (await fetched(`${place.dataset.progress}?part=1`)).querySelector("[data-state]");
      put(place.querySelector("[data-state]"), fresh);
      failures = 0;
      if (fresh.dataset.state === "settling") pause = LOOK_MS;
      else if (fresh.dataset.state !== "running") pause = 0;
    } catch {
      failures += 1;
    }
    lost.hidden = failures < LOST_AFTER;
    if (pause) setTimeout(look, pause);
  };
  if (place.querySelector('[data-state="running"], [data-state="settling"]')) setTimeout(look, STEP_MS);
}

// What is missing is marked before anything is sent, so that the password stays where it was typed.
function markMissing(form) {
  const mark = (field, isMissing) => {
    const box = field.closest(".question");
    const told = box?.querySelector(".error");
    if (!told) return;
    box.classList.toggle("has-errors", isMissing);
    told.hidden = !isMissing;
    for (const each of box.querySelectorAll("input")) {
      if (isMissing) each.setAttribute("aria-describedby", told.id);
      else each.removeAttribute("aria-describedby");
    }
  };
  form.addEventListener("invalid", (event) => mark(event.target, true), true);
  form.addEventListener("input", (event) => {
    if (event.target.closest(".question.has-errors") && event.target.validity.valid) mark(event.target, false);
  });
  const all = form.querySelector("[data-all-dead]");
  if (!all) return;
  all.hidden = false;
  all.querySelector("button").addEventListener("click", () => {
    for (const each of form.querySelectorAll('#replug input[value="dead"]')) {
      each.checked = true;
      mark(each, false);
    }
  });
}

const form = document.querySelector("form.takeover");
if (form) {
  watchEvidence(form);
  markMissing(form);
}
const progress = document.getElementById("progress");
if (progress) watchProgress(progress);
