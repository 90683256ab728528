// The word of a list that is a slip away from a typed one: a letter more, less, other, or two exchanged; of eight letters
// or more two such slips. Empty where none is.
export function nearest(typed, words) {
  const most = typed.length < 4 ? 0 : typed.length < 8 ? 1 : 2;
  let best = "";
  let least = most + 1;
  for (const word of words) {
    if (Math.abs(word.length - typed.length) > most) continue;
    const away = distance(typed, word);
    if (away < least) { best = word; least = away; }
  }
  return best;
}

// Optimal string alignment: Levenshtein's distance with exchanged neighbours as one slip.
function distance(a, b) {
  let before = [];
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const other = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + other);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    before = above;
    above = row;
  }
  return above[b.length];
}
