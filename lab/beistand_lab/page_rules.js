// Rules that every page keeps: labels, headings, language, width, targets. Returns what is wrong, in words.
const found = [];
const seen = (each) => each.checkVisibility({ visibilityProperty: true }) && each.getClientRects().length > 0;
const name = (each) => each.outerHTML.slice(0, 120).replace(/\s+/g, " ");
if (!document.documentElement.lang) found.push("the page has no language");
if (!document.title.trim()) found.push("the page has no title");
if (document.querySelectorAll("h1").length !== 1) found.push("there is not exactly one h1");
if (!document.querySelector("main")) found.push("there is no main");
let level = 1;
for (const each of document.querySelectorAll("h1, h2, h3, h4")) {
  if (!seen(each)) continue;
  const now = Number(each.tagName[1]);
  if (now > level + 1) found.push(`heading jumps from h${level} to h${now}: ${name(each)}`);
  level = now;
}
for (const each of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
  if (!seen(each)) continue;
  const labelled = each.labels?.length || each.getAttribute("aria-label") || each.getAttribute("aria-labelledby");
  if (!labelled) found.push(`a field without a label: ${name(each)}`);
  for (const id of (each.getAttribute("aria-describedby") || "").split(" ").filter(Boolean)) {
    if (!document.getElementById(id)) found.push(`described by ${id}, which is not there: ${name(each)}`);
  }
}
for (const each of document.querySelectorAll("button, a[href], summary")) {
  if (!seen(each)) continue;
  const words = (each.textContent || "").trim() || each.getAttribute("aria-label") || each.querySelector("img[alt]")?.alt;
  if (!words) found.push(`says nothing: ${name(each)}`);
  const box = each.getBoundingClientRect();
  const inText = getComputedStyle(each).display === "inline";
  // WCAG 2.2, 2.5.8: 24 pixels, links in a sentence excepted.
  if (!inText && (box.width < 24 || box.height < 24) && box.top > -10) {
    found.push(`too small to hit, ${Math.round(box.width)}x${Math.round(box.height)}: ${name(each)}`);
  }
}
for (const each of document.querySelectorAll("img")) {
  if (!each.hasAttribute("alt")) found.push(`a picture without words: ${name(each)}`);
}
for (const each of document.querySelectorAll("svg")) {
  const hidden = each.closest("[aria-hidden=true]");
  if (!hidden && !(each.getAttribute("role") === "img" && (each.getAttribute("aria-label") || each.getAttribute("aria-labelledby")))) {
    found.push(`a drawing without words: ${name(each)}`);
  }
}
for (const each of document.querySelectorAll("table")) {
  if (seen(each) && !each.querySelector("th[scope]")) found.push(`a table without headings: ${name(each)}`);
}
const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
for (const id of new Set(ids.filter((each, at) => ids.indexOf(each) !== at))) found.push(`two elements are ${id}`);
for (const each of document.querySelectorAll("[style]")) found.push(`a style in the page: ${name(each)}`);
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
if (wide > 0) {
  const beyond = [...document.querySelectorAll("main *")].find(
    (each) => seen(each) && each.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
  found.push(`${wide} pixels wider than the window: ${beyond ? name(beyond) : ""}`);
}
for (const each of document.querySelectorAll("main *, header *, nav *")) {
  const raw = [...each.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent).join("").trim();
  const isCode = /^(job|copy|role|state|severity|trial|check|uncovered|log|licence|account-role|verdict)\.[a-z][a-z.-]+$/;
  if (isCode.test(raw) || /\bweb\.[a-z-]+\.[a-z]/.test(raw)) found.push(`a code instead of words: ${raw}`);
}
return found;
