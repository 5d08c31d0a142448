// WCAG 2.2, 1.4.3 and 1.4.11: words against what is behind them, edges of fields and of what has the focus.
const found = [];
const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const known = new Map();
const rgba = (colour) => {
  if (!known.has(colour)) {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    known.set(colour, [r, g, b, a / 255]);
  }
  return known.get(colour);
};
const over = (front, back) => front.slice(0, 3).map((each, at) => each * front[3] + back[at] * (1 - front[3])).concat(1);
const light = (colour) => {
  const [r, g, b] = colour.slice(0, 3).map((each) => {
    const share = each / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, other) => {
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const behind = (each) => {
  const layers = [];
  for (let now = each; now; now = now.parentElement) {
    const colour = rgba(getComputedStyle(now).backgroundColor);
    layers.push(colour);
    if (colour[3] === 1) break;
  }
  return layers.reverse().reduce((back, front) => over(front, back), rgba("Canvas"));
};
const name = (each) => each.outerHTML.slice(0, 100).replace(/\s+/g, " ");
const seen = (each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && each.getClientRects().length > 0;
const once = new Set();
const complain = (words, each) => {
  const kind = `${words} ${each.tagName}.${each.className}`;
  if (!once.has(kind)) found.push(`${words}: ${name(each)}`);
  once.add(kind);
};
for (const each of document.querySelectorAll("body *")) {
  if (!seen(each) || each.disabled || each.closest("svg, [disabled], .visually-hidden")) continue;
  const style = getComputedStyle(each);
  const hasWords = [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (hasWords || each.matches("input:not([type=checkbox], [type=radio], [type=hidden]), textarea, select")) {
    const back = behind(each);
    const ratio = contrast(over(rgba(style.color), back), back);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) complain(`contrast ${ratio.toFixed(1)}`, each);
  }
  if (each.matches("input:not([type=checkbox], [type=radio], [type=file], [type=hidden]), textarea, select")) {
    const ratio = contrast(over(rgba(style.borderTopColor), behind(each.parentElement)), behind(each.parentElement));
    if (ratio < 3) complain(`edge ${ratio.toFixed(1)}`, each);
  }
}
return found;
