// Looks at the report in both windows, and writes what it saw into the page as JSON.
const seenIn = (frame) => {
  const { contentDocument: page, contentWindow: window } = frame;
  const all = (selector) => [...page.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility();
  const root = page.documentElement;
  const seen = {
    dark: window.matchMedia("(prefers-color-scheme: dark)").matches,
    cells: all(".matrix a.cell").length,
    named_cells: all(".matrix a.cell[aria-label][title]").filter((cell) => cell.textContent.trim()).length,
    findings: all("details.finding").length,
    verdicts: all(".filter input[type=checkbox]").length,
    loads: all("script, img, link, iframe, object, embed, audio, video, [onclick], [onerror], [onload]").length,
  };

  const first = page.querySelector("details.finding");
  const grounds = first.querySelector(".grounds");
  const height = () => (shown(grounds) ? grounds.offsetHeight : 0);
  seen.finding_before = height();
  first.querySelector("summary").click();
  seen.finding_after = height();

  for (const details of all("details")) details.open = true;
  const wide = (element) => element.getBoundingClientRect().right > root.clientWidth + 1;
  seen.overflow = root.scrollWidth - root.clientWidth;
  seen.widest = all("body *").filter(wide).slice(0, 3).map((element) => element.outerHTML.slice(0, 120));

  // What a reader without sight is told.
  seen.unlabelled = all("table").filter((table) => !table.caption).map(() => "table without caption")
    .concat(all("th").filter((head) => !head.scope).map(() => "head without scope"))
    .concat(all("input").filter((input) => !input.labels.length).map(() => "input without label"))
    .concat(all("a").filter((link) => !link.textContent.trim()).map(() => "link without text"))
    .concat(root.lang && page.title ? [] : ["page without language or title"]);
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) seen.unlabelled.push(`h${next} after h${level}`);
    level = next;
  }

  // Every text against what it stands on.
  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = parts(colour).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = window.getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) === 1) return colour;
    }
    return seen.dark ? "rgb(0, 0, 0)" : "rgb(255, 255, 255)";
  };
  seen.contrast = 21;
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  for (const element of all("body *").filter(hasText).filter(shown)) {
    const [one, other] = [luminance(window.getComputedStyle(element).color), luminance(ground(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < seen.contrast) [seen.contrast, seen.faintest] = [contrast, element.outerHTML.slice(0, 120)];
  }

  const count = (selector) => all(selector).filter(shown).length;
  const others = ".row:not(.v-fail)";
  [seen.fails_before, seen.others_before] = [count(".row.v-fail"), count(others)];
  for (const input of all(".show-fail")) input.click();
  [seen.fails_after, seen.others_after] = [count(".row.v-fail"), count(others)];
  return seen;
};

window.onload = () => {
  const seen = { phone: seenIn(document.getElementById("phone")), desk: seenIn(document.getElementById("desk")) };
  // Of the page itself nothing is left but what was seen.
  const text = JSON.stringify(seen).replaceAll("<", "\\u003c").replaceAll("&", "\\u0026").replaceAll(">", "\\u003e");
  document.getElementById("seen").textContent = text;
};
