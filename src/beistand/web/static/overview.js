"use strict";
// The overview without this file: it says as of when it is, and reloading asks anew.

const place = document.querySelector("[data-again]");
const notReached = document.getElementById("not-reached");
const WATCHING = { "Beistand-Watching": "yes" }; // nobody does anything: the session may end meanwhile
let isLooking = false;
let next = 0;

function nameOf(node) {
  return node.id || node.dataset?.now || node.getAttribute?.("aria-labelledby") || "";
}

function isSame(one, other) {
  return one.nodeName === other.nodeName && nameOf(one) === nameOf(other);
}

// What stays is changed and never moved or replaced: it keeps the focus, and a fold that somebody opened stays open.
function settle(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    let same = at;
    while (same && !isSame(same, wanted)) same = nameOf(wanted) ? same.nextSibling : null;
    if (!same) {
      old.insertBefore(wanted, at);
      continue;
    }
    at = removed(at, same);
    settle(same, wanted);
    at = same.nextSibling;
  }
  removed(at, null);
}

function removed(from, to) {
  while (from !== to) {
    const gone = from;
    from = from.nextSibling;
    gone.remove();
  }
  return to;
}

function alike(element, there) {
  const all = [...there.querySelectorAll(element.localName)];
  return all.find((each) => each.textContent.trim() === element.textContent.trim());
}

// Somebody is marking text, has sent a form, or stands on what would go: it stays as it is, and says as of when.
function wouldDisturb(fresh) {
  const chosen = getSelection();
  const focused = document.activeElement;
  return (
    (!chosen.isCollapsed && chosen.containsNode(place, true)) ||
    place.querySelector("form[data-sent]") ||
    (place.contains(focused) && !alike(focused, fresh))
  );
}

function put(fresh) {
  const focused = document.activeElement;
  for (const each of document.querySelectorAll("[data-now]")) {
    settle(each, fresh.querySelector(`[data-now="${each.dataset.now}"]`));
  }
  if (!focused.isConnected) alike(focused, place)?.focus({ preventScroll: true });
}

async function look() {
  clearTimeout(next);
  if (isLooking || document.hidden) return;
  isLooking = true;
  try {
    const fresh = await fetched(place.dataset.again, WATCHING);
    notReached.hidden = true;
    if (!wouldDisturb(fresh)) put(fresh);
  } catch {
    notReached.hidden = false;
  }
  isLooking = false;
  next = setTimeout(look, place.dataset.seconds * 1000);
}

document.addEventListener("visibilitychange", look);
next = setTimeout(look, place.dataset.seconds * 1000);
