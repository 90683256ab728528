// How well a few typed letters fit a name: all of them, in order; the higher the better, 0 where they do not fit.
// Beginnings of words count most, then letters in a row, then short names.
export function score(typed, name) {
  const letters = fold(typed).replace(/\s+/g, " ").trim();
  const text = fold(name);
  if (!letters) return 1;
  if (text === letters) return 2000;
  const at = text.indexOf(letters);
  if (at >= 0) return 1000 + (startsWord(text, at) ? 500 : 0) + (at === 0 ? 250 : 0) - text.length;
  const words = letters.split(" ");
  if (words.every((word) => text.includes(word))) {
    return 600 + 40 * words.filter((word) => startsWord(text, text.indexOf(word))).length - text.length;
  }
  let found = 0;
  let from = 0;
  let before = -2;
  for (const letter of letters.replaceAll(" ", "")) {
    const here = step(text, letter, from);
    if (here < 0) return 0;
    found += startsWord(text, here) ? 12 : here === before + 1 ? 8 : 1;
    before = here;
    from = here + 1;
  }
  // Scattered letters fit nearly every long name: they must begin words or stand together for the most part.
  return found >= 8 * letters.replaceAll(" ", "").length ? Math.max(1, 200 + found - text.length) : 0;
}

// Whether a name holds just what was typed.
export function holds(typed, name) {
  return fold(name).includes(fold(typed).replace(/\s+/g, " ").trim());
}

// Where in a name the typed letters stand that make it fit: [begin, end] pairs in its own characters, from the first on.
export function places(typed, name) {
  const letters = fold(typed).replace(/\s+/g, " ").trim();
  const at = []; // of each folded character where it stands in the name
  let text = "";
  let here = 0;
  for (const sign of name) {
    const folded = fold(sign);
    for (let i = 0; i < folded.length; i += 1) at.push([here, here + sign.length]);
    text += folded;
    here += sign.length;
  }
  const span = (from, length) => [at[from][0], at[from + length - 1][1]];
  if (!letters) return [];
  if (text.includes(letters)) return [span(text.indexOf(letters), letters.length)];
  const words = letters.split(" ");
  let from = 0;
  const found = words.every((word) => text.includes(word))
    ? words.map((word) => span(text.indexOf(word), word.length))
    : [...letters.replaceAll(" ", "")].map((letter) => {
      const next = step(text, letter, from);
      if (next < 0) return null;
      from = next + 1;
      return span(next, 1);
    });
  if (found.includes(null)) return [];
  const joined = [];
  for (const [begin, end] of found.toSorted(([one], [other]) => one - other)) {
    const last = joined.at(-1);
    if (last && begin <= last[1]) last[1] = Math.max(last[1], end); else joined.push([begin, end]);
  }
  return joined;
}

// The letter where it begins a word, if that is not far; else where it comes next.
function step(text, letter, from) {
  const next = text.indexOf(letter, from);
  if (next < 0 || startsWord(text, next) || next === from) return next;
  for (let at = next; at >= 0; at = text.indexOf(letter, at + 1)) if (startsWord(text, at)) return at;
  return next;
}

const startsWord = (text, at) => at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1]);
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
