// Runs in the browser page of draw_diagrams.py: one Mermaid source to a plain SVG and the same in words.
// What Mermaid draws is flattened: shapes, lines and texts with a class each, no style, no script, no id, no marker, so
// that the page's own style sheet colours it and nothing in it can clash with the page.
const FITS = 880; // pixels: what may be shrunk to the width of a card's text and stays readable
const NUMBER = (value) => String(Math.round(value * 10) / 10);

async function draw(source) {
  const { svg } = await mermaid.render("drawing", source);
  const stage = document.getElementById("stage");
  stage.innerHTML = svg;
  const root = stage.querySelector("svg");
  const out = [];
  for (const element of root.querySelectorAll("path, rect, circle, ellipse, polygon, polyline, line, text")) {
    if (element.closest("defs, marker, clipPath, symbol")) continue;
    const style = getComputedStyle(element);
    if (style.display === "none" || style.visibility === "hidden" || Number(style.opacity) === 0) continue;
    if (element.localName === "text") out.push(...texts(root, element, style));
    else out.push(shape(root, element, style));
  }
  return { svg: framed(root, out.filter(Boolean).join("")), words: await words(source, root) };
}

function framed(root, inside) {
  const box = root.viewBox.baseVal;
  const numbers = [box.x, box.y, box.width, box.height].map(NUMBER).join(" ");
  const [width, height] = [Math.ceil(box.width), Math.ceil(box.height)];
  return `<svg class="drawing${width <= FITS ? " fits" : ""}" viewBox="${numbers}" width="${width}" height="${height}">${inside}</svg>`;
}

function matrix(root, element) {
  return root.getScreenCTM().inverse().multiply(element.getScreenCTM());
}

function moved(root, element) {
  const m = matrix(root, element);
  const plain = [m.a - 1, m.b, m.c, m.d - 1].every((part) => Math.abs(part) < 1e-3);
  if (!plain) return ` transform="matrix(${[m.a, m.b, m.c, m.d].map((v) => v.toFixed(3)).join(" ")} ${NUMBER(m.e)} ${NUMBER(m.f)})"`;
  return Math.abs(m.e) + Math.abs(m.f) < 0.05 ? "" : ` transform="translate(${NUMBER(m.e)} ${NUMBER(m.f)})"`;
}

const GEOMETRY = ["d", "x", "y", "width", "height", "rx", "ry", "cx", "cy", "r", "points", "x1", "y1", "x2", "y2"];

function shape(root, element, style) {
  const filled = style.fill !== "none" && !style.fill.startsWith("rgba(0, 0, 0, 0");
  const stroked = style.stroke !== "none" && parseFloat(style.strokeWidth) > 0;
  const box = element.getBBox();
  if ((!filled && !stroked) || box.width + box.height < 1) return "";
  const names = [kind(element, filled)];
  if (stroked && style.strokeDasharray !== "none" && !/^[0, px]+$/.test(style.strokeDasharray)) names.push("dashed");
  if (stroked && parseFloat(style.strokeWidth) >= 3) names.push("thick");
  const parts = GEOMETRY.filter((name) => element.hasAttribute(name)).map((name) => {
    const value = element.getAttribute(name).replace(/-?\d*\.?\d+(?:e-?\d+)?/g, (found) => NUMBER(Number(found)));
    return value === "0" && ["x", "y", "rx", "ry", "x1", "x2", "y1", "y2"].includes(name) ? "" : ` ${name}="${value}"`;
  });
  const tips = ["start", "end"].map((end) => tip(root, element, end, style)).join("");
  return `<${element.localName} class="${names.join(" ")}"${parts.join("")}${moved(root, element)}/>${tips}`;
}

function kind(element, filled) {
  const names = [...element.classList, ...(element.closest("g")?.classList ?? [])].join(" ");
  if (/background|labelBkg/.test(names)) return "back";
  if (element.closest(".cluster")) return "group";
  if (/note/i.test(names)) return "note";
  if (/labelBox|loopLine/.test(names)) return filled ? "group" : "line";
  if (/actor-line|divider/.test(names) || !filled) return "line";
  if (/activation|rect\b/.test(element.getAttribute("class") ?? "")) return "group";
  if (/state-start|end-state|inner/.test(names)) return "dot";
  return "box";
}

// An arrow's tip as a shape of its own: markers need ids, which a page with two diagrams would have twice.
function tip(root, element, end, style) {
  const named = style.getPropertyValue(`marker-${end}`).match(/#([^")]+)/);
  const marker = named && root.querySelector(`[id="${CSS.escape(named[1])}"]`);
  if (!marker || !element.getTotalLength) return "";
  const length = element.getTotalLength();
  const at = element.getPointAtLength(end === "end" ? length : 0);
  const near = element.getPointAtLength(end === "end" ? Math.max(0, length - 1) : Math.min(length, 1));
  const turned = end === "end" ? Math.atan2(at.y - near.y, at.x - near.x) : Math.atan2(near.y - at.y, near.x - at.x);
  const back = end === "start" && marker.getAttribute("orient") === "auto-start-reverse" ? Math.PI : 0;
  const box = marker.viewBox.baseVal;
  const perUnit = marker.getAttribute("markerUnits") === "userSpaceOnUse" ? 1 : parseFloat(style.strokeWidth);
  const scale = (box && box.width ? marker.markerWidth.baseVal.value / box.width : 1) * perUnit;
  const inside = matrix(root, element)
    .translate(at.x, at.y)
    .rotate(((turned + back) * 180) / Math.PI)
    .scale(scale)
    .translate(-marker.refX.baseVal.value, -marker.refY.baseVal.value);
  const numbers = ["a", "b", "c", "d"].map((key) => inside[key].toFixed(3)).concat(NUMBER(inside.e), NUMBER(inside.f));
  return [...marker.querySelectorAll("path, circle, polygon, line")]
    .map((part) => {
      const open = getComputedStyle(part).fill === "none" || part.localName === "line" || /M[^Z]*$/i.test(part.getAttribute("d") ?? "Z") && /cross|lollipop/i.test(marker.id);
      const geometry = GEOMETRY.filter((name) => part.hasAttribute(name)).map((name) => ` ${name}="${part.getAttribute(name).trim()}"`);
      return `<${part.localName} class="${open ? "line" : hollow(marker) ? "box" : "tip"}"${geometry.join("")} transform="matrix(${numbers.join(" ")})"/>`;
    })
    .join("");
}

function hollow(marker) {
  return /extension|aggregation/i.test(marker.id);
}

function texts(root, element, style) {
  const rows = [...element.querySelectorAll(":scope > tspan")].filter((row) => row.textContent.trim());
  const lines = rows.length ? rows : element.textContent.trim() ? [element] : [];
  const low = /central|middle/.test(style.dominantBaseline) ? 0.34 * parseFloat(style.fontSize) : 0;
  return lines.map((line) => {
    const shown = line.textContent.replace(/\s+/g, " ").trim();
    const begin = line.getStartPositionOfChar(0);
    const end = line.getEndPositionOfChar(line.getNumberOfChars() - 1);
    const middle = style.textAnchor === "middle";
    const at = new DOMPoint(middle ? (begin.x + end.x) / 2 : begin.x, begin.y + low).matrixTransform(matrix(root, element));
    const inner = getComputedStyle(line.querySelector("tspan") ?? line);
    const names = [middle ? "" : "left", Number(inner.fontWeight) >= 600 ? "strong" : "", inner.fontStyle === "italic" ? "slanted" : ""];
    const named = names.filter(Boolean).join(" ");
    return `<text${named ? ` class="${named}"` : ""} x="${NUMBER(at.x)}" y="${NUMBER(at.y)}">${escaped(shown)}</text>`;
  });
}

function escaped(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

// What the diagram says, connection by connection, for those who do not see it.
async function words(source, root) {
  const { db, type } = await mermaid.mermaidAPI.getDiagramFromText(source);
  const clean = (text) => String(text ?? "").replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCharCode(code)).replace(/<br\s*\/?>/gi, " ").replace(/\s+/g, " ").trim();
  const said = [];
  if (type.startsWith("flowchart")) {
    const names = db.getVertices();
    const of = (id) => clean(names.get(id)?.text || db.getSubGraphs().find((g) => g.id === id)?.title || id);
    for (const edge of db.getEdges()) said.push(`${of(edge.start)} to ${of(edge.end)}${clean(edge.text) && `: ${clean(edge.text)}`}`);
  } else if (type === "sequence") {
    const names = db.getActors();
    const of = (id) => clean(names.get(id)?.description || id);
    for (const one of db.getMessages()) {
      if (one.from && one.to && one.message) said.push(one.placement !== undefined ? `Note: ${clean(one.message)}` : `${of(one.from)} to ${of(one.to)}: ${clean(one.message)}`);
    }
  } else if (type.startsWith("class")) {
    for (const one of db.getRelations()) said.push(`${clean(one.id1)} with ${clean(one.id2)}${one.title && one.title !== "none" ? `: ${clean(one.title)}` : ""}`);
  } else if (type.startsWith("state")) {
    const of = (id) => (/_start$/.test(id) ? "start" : /_end$/.test(id) ? "end" : clean(id));
    for (const one of db.getRelations()) said.push(`${of(one.id1)} to ${of(one.id2)}${clean(one.relationTitle) && `: ${clean(one.relationTitle)}`}`);
  }
  if (!said.length) said.push(...[...root.querySelectorAll("text")].map((text) => clean(text.textContent)).filter(Boolean));
  return { kind: type, said };
}
