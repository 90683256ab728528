// The command palette: opened by Ctrl-K or its button; what it does is loaded when it is first opened.
let opening = null;

export async function openPalette() {
  opening ??= import("./palette-list.js").then(({ Palette }) => new Palette());
  (await opening).open();
}
