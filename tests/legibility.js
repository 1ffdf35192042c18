// What a reader could not read on a page; `views` are its frames, one for each width and theme.

function faults(page, part) {
  const found = new Set();
  const root = page.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    found.add(`scrolls sideways: ${root.scrollWidth} pixels in ${root.clientWidth}`);
  }
  const read = page.querySelector(part);
  if (!read) return [`has no ${part}`];
  const lines = textLines(read);
  for (const line of lines) {
    const { text, element, box } = line;
    if (isCut(box, element)) found.add(`cut off: ${text}`);
    const size = pixelsHigh(element);
    if (size < 9) found.add(`too small: ${text}`);
    if (size > 24 && element.closest("svg")) found.add(`too large: ${text}`);
    const ratio = contrast(element);
    if (ratio < 4.5) found.add(`too faint (contrast ${ratio.toFixed(1)}): ${text}`);
  }
  for (const [one, other] of overlapping(lines)) {
    found.add(`drawn over each other: ${one.text} | ${other.text}`);
  }
  return [...found];
}

function textLines(part) {
  const page = part.ownerDocument;
  const lines = [];
  const walker = page.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim().slice(0, 60);
    if (!text || !element.checkVisibility() || element.closest("title, style, script")) continue;
    const range = page.createRange();
    range.selectNodeContents(walker.currentNode);
    for (const box of range.getClientRects()) {
      if (box.width && box.height) lines.push({ text, element, box });
    }
  }
  return lines;
}

// Pairs in the order of reading; long pages have thousands of lines, of which few are as high.
function overlapping(lines) {
  const pairs = [];
  const order = [...lines.keys()].sort((a, b) => lines[a].box.top - lines[b].box.top);
  order.forEach((first, place) => {
    for (let next = place + 1; next < order.length; next++) {
      if (lines[order[next]].box.top >= lines[first].box.bottom) break;
      const [a, b] = [first, order[next]].sort((x, y) => x - y);
      if (overlap(lines[a].box, lines[b].box)) pairs.push([lines[a], lines[b]]);
    }
  });
  return pairs;
}

// Letters leave a part of their line's height free.
function overlap(one, other) {
  const free = 0.2 * Math.min(one.height, other.height);
  const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return wide > 1 && high > 1 + free;
}

function isCut(box, element) {
  let { left, right, top, bottom } = box;
  const free = 0.2 * box.height;
  for (let around = element; around; around = around.parentElement) {
    const style = getComputedStyle(around);
    const outer = around.getBoundingClientRect();
    if (style.display === "inline" && around.tagName !== "svg") continue;
    // What a box scrolls can be reached, except to the left of its beginning or above it.
    if (style.overflowX !== "visible") {
      const scrolls = ["auto", "scroll"].includes(style.overflowX);
      const begin = outer.left - (scrolls ? around.scrollLeft : 0);
      if (left < begin - 1 || (!scrolls && right > outer.right + 1)) return true;
      if (scrolls) [left, right] = [outer.left, outer.right];
    }
    if (style.overflowY !== "visible") {
      const scrolls = ["auto", "scroll"].includes(style.overflowY);
      if (top < outer.top - free || (!scrolls && bottom > outer.bottom + free)) return true;
      if (scrolls) [top, bottom] = [outer.top, outer.bottom];
    }
  }
  return left < -1 || top + element.ownerDocument.defaultView.scrollY < -free;
}

function pixelsHigh(element) {
  const size = parseFloat(getComputedStyle(element).fontSize);
  const picture = element.closest("svg[viewBox]");
  if (!picture) return size;
  return (size * picture.getBoundingClientRect().width) / picture.viewBox.baseVal.width;
}

function contrast(element) {
  const layers = [];
  for (let around = element; around; around = around.parentElement) {
    layers.unshift(rgba(getComputedStyle(around).backgroundColor));
  }
  const style = getComputedStyle(element);
  const ground = layers.reduce(blend, rgba(getComputedStyle(element.ownerDocument.body).backgroundColor));
  const letters = blend(ground, rgba(element.closest("svg") ? style.fill : style.color));
  const [low, high] = [luminance(ground), luminance(letters)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

// `rgb(1, 2, 3)`, `rgba(1, 2, 3, 0.4)` and, of mixed colors, `color(srgb 0.1 0.2 0.3 / 0.4)`.
function rgba(color) {
  const numbers = color.match(/[\d.]+(e-?\d+)?/g).map(Number);
  const scale = color.startsWith("color(") ? 1 : 255;
  const [red, green, blue, alpha = 1] = numbers;
  return { channels: [red / scale, green / scale, blue / scale], alpha };
}

function blend(below, above) {
  const mix = (value, place) => value * (1 - above.alpha) + above.channels[place] * above.alpha;
  return { channels: below.channels.map(mix), alpha: 1 };
}

// https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
function luminance({ channels }) {
  const [red, green, blue] = channels.map((value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

addEventListener("load", () => {
  const views = [...document.querySelectorAll("iframe")].map((frame) => ({
    part: frame.dataset.part,
    width: frame.contentWindow.innerWidth,
    dark: frame.contentWindow.matchMedia("(prefers-color-scheme: dark)").matches,
    faults: faults(frame.contentDocument, frame.dataset.part),
  }));
  const told = document.createElement("pre");
  told.id = "views";
  told.textContent = JSON.stringify(views);
  document.body.replaceChildren(told);
});
